"""What tests do on the local GitHub and look for there, whatever cluster the server works with."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any, Protocol

import psycopg
import yaml

from kubeci.local.github.repositories import Files
from kubeci.local.github.server import LocalGitHub
from kubeci.local.github.state import CheckRun
from kubeci.settings.options import Options

REPOSITORY = "acme/widgets"


class Place(Protocol):
    """Where a server works: its GitHub, and the options that lead it there."""

    @property
    def github(self) -> LocalGitHub: ...

    @property
    def options(self) -> Options: ...


class GitHubScene:
    """The words of tests that look at a server from GitHub's side."""

    patience_seconds = 20.0

    @property
    def place(self) -> Place:
        raise NotImplementedError

    async def push(self, files: Files, *, branch: str = "main", message: str = "A change") -> str:
        return await self.place.github.push(REPOSITORY, files, branch=branch, message=message)

    def runs(self, sha: str) -> list[CheckRun]:
        return [run for run in self.place.github.state.runs.values() if run.suite.head_sha == sha]

    async def until(self, condition: Callable[[], Any], *, seconds: float = 0.0) -> Any:
        async with asyncio.timeout(seconds or self.patience_seconds):
            while not (found := condition()):
                await asyncio.sleep(0.02)
        return found

    async def concluded(self, sha: str, *, count: int = 1) -> CheckRun:
        """Wait until the commit has so many check-runs, all completed; give the newest."""

        def ended() -> bool:
            runs = self.runs(sha)
            return len(runs) >= count and all(run.status == "completed" for run in runs)

        await self.until(ended)
        return self.runs(sha)[-1]

    async def quiet(self) -> None:
        """Wait until all deliveries were sent and the server has dealt with them."""
        await self.place.github.settled()
        await self.until(lambda: not self.deliveries("waiting", "working"))

    def stored(self, query: str) -> list[tuple[Any, ...]]:
        """Read the server's store."""
        if self.place.options.store_url.startswith("postgresql"):
            with psycopg.connect(self.place.options.store_url) as shared:
                return shared.execute(query.encode()).fetchall()
        with closing(sqlite3.connect(self.place.options.store_url.removeprefix("sqlite:///"))) as store:
            return store.execute(query).fetchall()

    def deliveries(self, *states: str) -> list[tuple[Any, ...]]:
        """Event, state and reason of the deliveries in the inbox."""
        return self.stored(f"SELECT event, state, reason FROM deliveries WHERE {worked_on(states)}")

    def api_calls(self, method: str, part: str) -> list[str]:
        return [
            call.path for call in self.place.github.requests if call.method == method and part in call.path
        ]


def worked_on(states: Sequence[str]) -> str:
    """A condition for deliveries that asked for something, in these states or in any, and their order."""
    among = f"state IN ({', '.join(map(repr, states))})" if states else "TRUE"
    return f"(state != 'done' OR attempts > 0) AND {among} ORDER BY received_at"


def workflow(*commands: list[str], **metadata: Any) -> str:
    """A definition of steps that run these commands one after the other."""
    names = [f"step-{number}" for number, _ in enumerate(commands)]
    templates: list[dict[str, Any]] = [
        {"name": name, "container": {"image": "alpine", "command": command}}
        for name, command in zip(names, commands, strict=True)
    ]
    steps = [[{"name": name, "template": name}] for name in names]
    return yaml.safe_dump(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": metadata,
            "spec": {"entrypoint": "ci", "templates": [{"name": "ci", "steps": steps}, *templates]},
        }
    )


PASSING = {".kube-ci/ci.yaml": workflow(["true"])}
