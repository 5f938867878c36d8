"""Zygotes that many local servers use, one after another."""

from __future__ import annotations

import asyncio

from kubeci.definition.zygote_process import ZygoteProcess, end_zygote, start_zygote


class KeptZygotes:
    """Keeps zygotes that are given back, for the next server: each is a tenth of a second of work."""

    def __init__(self) -> None:
        self._idle: list[ZygoteProcess] = []

    def take(self) -> ZygoteProcess:
        """Give one that was kept, or start one."""
        while self._idle:
            kept = self._idle.pop()
            if kept.process.poll() is None:
                return kept
            end_zygote(kept)
        return start_zygote()

    async def give_back(self, zygote: ZygoteProcess, *, idle: bool) -> None:
        """Keep it; one that is not idle is ended."""
        if idle:
            self._idle.append(zygote)
        else:
            await asyncio.to_thread(end_zygote, zygote)

    def end(self) -> None:
        """End those that are kept."""
        while self._idle:
            end_zygote(self._idle.pop())
