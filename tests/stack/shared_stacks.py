"""Stacks that tests share, one of each kind in a test process: starting one costs as much as most tests."""

from __future__ import annotations

from contextlib import AsyncExitStack
from itertools import count
from types import TracebackType
from typing import Self

import pytest
from tests_stack import SharedScene

from kubeci.app import Pace
from kubeci.local.stack import LocalStack, StackSettings, surroundings, with_server
from kubeci.settings.config import Config
from kubeci.settings.pattern import Pattern

ONLY_MAIN = Config(build_branches=Pattern("^main$"))
RUNNING = StackSettings()
STILL = StackSettings(engine=False)
BUILDING_MAIN = StackSettings(config=ONLY_MAIN)
STILL_BUILDING_MAIN = StackSettings(config=ONLY_MAIN, engine=False)


class Stacks:
    """Starts a stack when a test first asks for its kind, and ends all of them at the end."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._made: list[tuple[StackSettings, LocalStack]] = []
        self._running = AsyncExitStack()
        self._numbers = count(1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._running.aclose()

    async def scene(self, settings: StackSettings, pace: Pace | None = None) -> SharedScene:
        """Give a stack of these very settings, with a repository that no other test has."""
        stack = await self._stack(settings, pace)
        stack.github.user, stack.github.latency_seconds = "octocat", 0.0
        stack.github.faults.clear()
        stack.cluster.faults.clear()
        number = next(self._numbers)
        repository = f"acme-{number}/widgets-{number}"
        await stack.github.create_repository(repository)
        return SharedScene(stack, repository)

    async def _stack(self, settings: StackSettings, pace: Pace | None) -> LocalStack:
        for known, stack in self._made:
            if known is settings:
                return stack
        around = await self._running.enter_async_context(
            surroundings(self._folders.mktemp("stack"), settings)
        )
        stack = await self._running.enter_async_context(with_server(around, pace=pace))
        self._made.append((settings, stack))
        return stack
