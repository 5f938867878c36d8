"""Run checks beside each other: one that fails or hangs holds up no other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from kubeci.doctor.finding import Finding, Group, State
from kubeci.errors import KubeCIError

T = TypeVar("T")

CHECK_SECONDS = 15.0
TELL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Check:
    """One look, which gives any number of findings of a group; `name` stands for it while it runs and where it fails."""

    group: Group
    name: str
    look: Callable[[], Awaitable[Sequence[Finding]]]


class SkippedError(Exception):
    """What a check needs is not there; the text says what, another finding says why."""


class Shared(Generic[T]):
    """Something that several checks need: the first that asks has it looked up, all get the same answer or error."""

    def __init__(self, look: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._look = look
        self._task: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """Give the answer; a check that runs out of time takes it from no other."""
        if self._task is None:
            self._task = asyncio.create_task(self._look())
        return await asyncio.shield(self._task)

    async def needed(self, without: str) -> T:
        """Give the answer, for checks that look no further without it: raises `SkippedError` with that reason."""
        try:
            return await self.get()
        except (KubeCIError, SkippedError) as error:
            raise SkippedError(without) from error

    async def aclose(self) -> None:
        """End a look that nobody waits for any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


async def run(
    checks: Sequence[Check],
    *,
    seconds: float = CHECK_SECONDS,
    tell: Callable[[Sequence[Check]], None] = lambda _: None,
) -> list[Finding]:
    """Run checks and give their findings, in the order of the checks.

    Each may take so many seconds; `tell` is given the checks that still run, whenever one has ended and every second.
    """
    running = {asyncio.create_task(_one(check, seconds)): check for check in checks}
    waiting = set(running)
    tell(checks)
    try:
        while waiting:
            _, waiting = await asyncio.wait(
                waiting, timeout=TELL_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            tell([check for task, check in running.items() if task in waiting])
    finally:
        for task in waiting:
            task.cancel()
    return [finding for task in running for finding in task.result()]


async def _one(check: Check, seconds: float) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(seconds):
            return await check.look()
    except TimeoutError:
        state, found = State.WRONG, f"it did not end within {seconds:g} s"
    except SkippedError as skipped:
        state, found = State.UNKNOWN, f"skipped: {skipped}"
    except KubeCIError as error:
        state, found = State.WRONG, str(error)
    except Exception as error:  # noqa: BLE001 - a check that breaks must not hide what the others found
        state, found = State.UNKNOWN, f"the check itself failed ({type(error).__name__}): please report it"
    return [Finding(check.group, check.name, state, found)]
