"""The sandbox, seen from the server: evaluations in confined processes, forked from a warm one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Self

import msgspec

from kubeci.definition import evaluation
from kubeci.definition.addresses import Address
from kubeci.definition.module_reader import ModuleSources
from kubeci.definition.payload import without_nulls
from kubeci.definition.protocol import MAX_REQUEST_BYTES, Answer, Fault, Limits, Outcome, Request
from kubeci.definition.zygote_link import Elsewhere, ZygoteDied, ZygoteLink
from kubeci.definition.zygote_process import OwnZygotes, Zygotes
from kubeci.errors import UpstreamError

_ATTEMPTS = 3
MOST_AT_ONCE = 4
"""Evaluations at once, however many processors there are: each may take memory, and a pod sees those of its whole node."""


async def nowhere(address: Address) -> Answer:
    """Refuse every file from elsewhere."""
    return evaluation.nowhere(address)


class Sandbox:
    """Evaluate CI definitions, each in a process of its own.

    `limits` bind one evaluation, `sources` are where definitions load from beside their context, `concurrent` is how many run at once (default: one a processor, two at least, `MOST_AT_ONCE` at most), `zygotes` gives the processes that evaluations are forked from (default: its own).
    Used as an async context manager; leaving it ends every process.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        sources: ModuleSources | None = None,
        concurrent: int | None = None,
        zygotes: Zygotes | None = None,
    ) -> None:
        self.sources = sources
        self.limits = limits or Limits()
        self._slots = asyncio.Semaphore(concurrent or max(2, min(MOST_AT_ONCE, os.cpu_count() or 2)))
        self._zygotes = zygotes or OwnZygotes()
        self._zygote: ZygoteLink | None = None
        self._starting = asyncio.Lock()
        self._closed = False
        # Without sources it is a person's own working tree that is evaluated, and what is printed is for that person.
        self._warns = sources is not None

    async def __aenter__(self) -> Self:
        await self._link()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        async with self._starting:
            await self._unlink()

    @property
    def zygote_pid(self) -> int | None:
        """Give the process id of the zygote under way."""
        return self._zygote.zygote.process.pid if self._zygote else None

    async def evaluate(self, request: Request, elsewhere: Elsewhere = nowhere) -> Outcome:
        """Evaluate a request; what ends the process is told as a fault in the outcome.

        `elsewhere` reads what is loaded from outside the context; others may evaluate meanwhile. Cancelling the call kills the process. Raises UpstreamError (retryable) when no process can be started or stays alive.
        """
        try:
            body = _encode(request)
        except UnicodeEncodeError as error:
            return Outcome(fault=Fault(f"the files of the folder are not all Unicode ({error.reason})"))
        if len(body) > MAX_REQUEST_BYTES:
            return Outcome(
                fault=Fault(f"needs {len(body):,} bytes of input; at most {MAX_REQUEST_BYTES:,} are given")
            )
        async with _Slot(self._slots) as slot:

            async def waiting(address: Address) -> Answer:
                async with slot.lent():
                    return await elsewhere(address)

            try:
                for _attempt in range(_ATTEMPTS):
                    with suppress(ZygoteDied):
                        link = await self._link()
                        return await link.evaluate(body, self.limits, waiting)
            except OSError as error:  # no descriptors or no memory left for a process
                raise UpstreamError(f"the sandbox cannot be started: {error}", retryable=True) from error
        raise UpstreamError("the sandbox that evaluates CI definitions does not stay alive", retryable=True)

    async def _link(self) -> ZygoteLink:
        async with self._starting:
            if self._zygote and self._zygote.dead:
                await self._unlink()
            if self._closed:
                raise UpstreamError("the sandbox is closed", retryable=True)
            if self._zygote is None:
                self._zygote = ZygoteLink(self._zygotes.take(), warns=self._warns)
                self._warns = False
            return self._zygote

    async def _unlink(self) -> None:
        if self._zygote:
            link, self._zygote = self._zygote, None
            await self._zygotes.give_back(link.zygote, idle=await link.close())


class _Slot:
    """One of the places of a semaphore, which may be lent to others for a while."""

    def __init__(self, slots: asyncio.Semaphore) -> None:
        self._slots = slots
        self._held = False

    async def __aenter__(self) -> Self:
        await self._slots.acquire()
        self._held = True
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._held:
            self._give()

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[None]:
        self._give()
        yield
        await self.__aenter__()

    def _give(self) -> None:
        self._held = False
        self._slots.release()


def _encode(request: Request) -> bytes:
    try:
        return msgspec.json.encode(request)
    except UnicodeEncodeError:  # GitHub's JSON may hold half a surrogate pair
        return msgspec.json.encode(msgspec.structs.replace(request, inputs=without_nulls(request.inputs)))
