"""What the cluster says now of a build's workflow, for people who look; many of them cost it one request a second."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from kubeci.errors import NotFound, UpstreamError
from kubeci.model.build import Build
from kubeci.ports import Workflows
from kubeci.workflow import metadata
from kubeci.workflow.status import WorkflowState, read_state

FRESH = timedelta(seconds=1)
REMEMBERED = 100
"""Workflows whose last state is remembered."""
WAIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A workflow as of now; no state: it is gone, or `problem` says why nobody knows."""

    state: WorkflowState | None = None
    problem: str = ""


class Look:
    """Reads workflows, each at most once a second."""

    def __init__(self, workflows: Workflows, clock: Callable[[], datetime]) -> None:
        self._workflows = workflows
        self._clock = clock
        self._seen: OrderedDict[str, tuple[datetime, Seen]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[Seen]] = {}

    async def at(self, build: Build) -> Seen:
        """Give the state of a build's workflow, of its own alone: another under its name counts as none."""
        known = self._seen.get(build.id)
        if known and timedelta(0) <= self._clock() - known[0] < FRESH:
            return known[1]
        task = self._asking.get(build.id)
        if task is None:
            task = self._asking[build.id] = asyncio.create_task(self._ask(build))
            task.add_done_callback(lambda _: self._asking.pop(build.id, None))
        # Who goes away does not take the answer from the others.
        return await asyncio.shield(task)

    async def _ask(self, build: Build) -> Seen:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                workflow = await self._workflows.get(build.namespace, build.workflow_name)
        except NotFound:
            seen = Seen()
        except (UpstreamError, TimeoutError):
            # Its words may name what strangers need not know.
            seen = Seen(problem="The cluster does not answer; this is what was seen last.")
        else:
            state = read_state(workflow)
            ours = metadata.is_of(workflow, build) and build.workflow_uid in {"", state.uid}
            seen = Seen(state if ours else None)
        self._seen[build.id] = (self._clock(), seen)
        self._seen.move_to_end(build.id)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return seen
