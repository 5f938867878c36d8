"""Who acts on the local GitHub, and on what."""

from __future__ import annotations

import asyncio
from pathlib import Path

from kubeci.local.github.events import Events
from kubeci.local.github.outbox import Outbox
from kubeci.local.github.state import Account, Repository, State


class Person:
    """What all doings need; `user` is the login of who does them, and may be changed at any time."""

    def __init__(self, state: State, outbox: Outbox, hook_file: Path) -> None:
        self.state = state
        self.outbox = outbox
        self.events = Events(state, outbox)
        self.user = "octocat"
        self._pushing = asyncio.Lock()  # a branch's events tell of its moves one after the other
        self._hook_file = hook_file  # the repositories' folders stand beside it

    @property
    def _me(self) -> Account:
        return self.state.user(self.user)

    def _by(self, login: str | None) -> Account:
        return self.state.user(login or self.user)

    def _repository(self, full_name: str) -> Repository:
        found = self.state.repository(full_name)
        if found is None:
            raise ValueError(f"there is no repository {full_name}")
        return found

    def _writable(self, full_name: str) -> Repository:
        found = self._repository(full_name)
        if found.archived:
            raise ValueError(f"{full_name} was archived so is read-only")
        return found
