"""Lead, while the lease is ours: do for all replicas what one of them does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import structlog

from kubeci.errors import Conflict, NotFound, UpstreamError
from kubeci.model.lease import Lease
from kubeci.ports import LeaderLease
from kubeci.service.background import Duty, background
from kubeci.service.election import Standing, Terms, given_up, next_look, seen, wanted, won

GIVING_UP_SECONDS = 3.0

log = structlog.get_logger(__name__)


class Leading:
    """One replica's part in the election."""

    def __init__(
        self, lease: LeaderLease, me: str, *, terms: Terms, told: Callable[[bool], None] = lambda _: None
    ) -> None:
        """Be a candidate by the name of `me`, which no other replica has; `told` hears when we begin or cease to lead."""
        self._lease = lease
        self._me = me
        self._terms = terms
        self._told = told
        self._standing = Standing()
        self._sure = False
        """We wrote last what is known of the lease, and know that we did: it is renewed without being read."""
        self._problem = ""

    async def run(self, duties: Sequence[Duty]) -> None:
        """Do the duties whenever we lead, until cancelled; then the lease is given up.

        All are cancelled as soon as it is lost or cannot be renewed in time, and begun anew when it is won again. An
        error of one ends this.
        """
        self._told(False)
        try:
            while True:
                await self._try()
                if self._leads():
                    await self._lead(duties)
                else:
                    await asyncio.sleep(next_look(self._standing, self._me, self._now(), self._terms))
        finally:
            await self._give_up()

    async def _lead(self, duties: Sequence[Duty]) -> None:
        log.info("this replica leads", replica=self._me)
        self._told(True)
        try:
            async with background(duty() for duty in duties):
                while self._leads():
                    with suppress(TimeoutError):  # a renewal without an answer: we do not lead any more
                        async with asyncio.timeout_at(self._standing.leads_until):
                            await asyncio.sleep(self._terms.pause)
                            await self._try()
                self._told(False)
        finally:
            self._told(False)
        log.warning("this replica leads no longer", replica=self._me, because=self._problem or "another does")

    async def _try(self) -> None:
        """Look at the lease and take or renew it where we may; what fails is told once, and tried at the next turn."""
        try:
            await self._turn()
        except Conflict:  # somebody was quicker: the next turn tells who
            self._sure = False
        except UpstreamError as error:
            self._sure = False
            if error.public != self._problem:
                self._problem = error.public
                log.warning("the lease cannot be had", because=error.public, error=str(error))
        else:
            self._problem = ""

    async def _turn(self) -> None:
        if not self._sure:
            found = await self._read()
            self._standing = seen(self._standing, found, self._me, self._now())
        wish = wanted(self._standing, self._me, self._now(), datetime.now(UTC), self._terms)
        if wish is None:
            return
        self._sure, began = False, self._now()
        write = self._lease.create if self._standing.lease is None else self._lease.replace
        self._standing = won(await write(wish), began, self._now(), self._terms)
        self._sure = True

    async def _read(self) -> Lease | None:
        try:
            return await self._lease.get()
        except NotFound:
            return None

    async def _give_up(self) -> None:
        """Let another lead at once; where that fails, they wait until the lease has run out."""
        if self._standing.lease is None or self._standing.lease.holder != self._me:
            return
        with suppress(UpstreamError, TimeoutError):
            async with asyncio.timeout(GIVING_UP_SECONDS):
                lease = await self._lease.get()
                if lease.holder == self._me:
                    await self._lease.replace(given_up(lease, datetime.now(UTC)))

    def _leads(self) -> bool:
        return self._standing.leads(self._now())

    def _now(self) -> float:
        # The loop's clock never goes back, and its timeouts are measured by it.
        return asyncio.get_running_loop().time()
