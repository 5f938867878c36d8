"""A workflow with one step that fails, the server's two halves that are about its retry, and how each may be ended."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from memory_rooms import REPOSITORY, Clock, MemoryChecks, MemoryCluster
from replay_kit import ARGO_UI, Life, Mortal

from kubeci.errors import Invalid, UpstreamError
from kubeci.model.build import Build, BuildRequest, BuildState
from kubeci.model.json import JsonObject
from kubeci.model.report import Budget, Reported
from kubeci.model.repository import Commit, Ref, Repository
from kubeci.model.trust import Person, What
from kubeci.report.check_run import setup
from kubeci.service.cancel import cancel
from kubeci.service.publish import digest_of
from kubeci.service.reconcile import Observed, Reconciler, WorkflowKey
from kubeci.service.retry import Retrier
from kubeci.service.rooms import ClusterRooms, GitHubRooms, Rooms
from kubeci.service.subject import subject_of
from kubeci.settings.config import Config
from kubeci.store.builds import SqlBuilds
from kubeci.store.database import Database
from kubeci.store.tables import metadata

COMMIT = Commit(REPOSITORY, "a" * 40)
START = datetime(2026, 11, 20, tzinfo=UTC)
FIRST = 100
"""The number of the first attempt's check-run."""


def workflow(phase: str, *, end: int | None = None, refused: bool = False, shutdown: str = "") -> JsonObject:
    """A workflow whose step is in the same phase; ended after so many seconds, or its pod `refused` by the API server."""
    step = {"id": "wf-a", "name": "a", "displayName": "a", "type": "Pod", "phase": phase, "startedAt": _at(0)}
    root = {"id": "wf", "name": "wf", "type": "Steps", "phase": phase, "children": ["wf-a"]}
    status: JsonObject = {"phase": phase, "startedAt": _at(0), "nodes": {"wf": root, "wf-a": step}}
    if not refused:
        step["hostNodeName"] = "node"
    if end is not None:
        step["finishedAt"] = status["finishedAt"] = _at(end)
    annotations = {"workflows.argoproj.io/pod-name-format": "v1"}  # a pod is named like its node
    meta = {"namespace": "argo", "name": "wf", "uid": "u1", "annotations": annotations}
    return {"metadata": meta, "spec": {"shutdown": shutdown} if shutdown else {}, "status": status}


def _at(seconds: int) -> str:
    return (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


RUNNING = workflow("Running")
FAILED = workflow("Failed", end=10)
REFUSED = workflow("Error", end=10, refused=True)
ENDS = {
    "success": workflow("Succeeded", end=30),
    "failure": workflow("Failed", end=30),
    "refused": workflow("Error", end=30, refused=True),
}
"""How the second attempt may end."""


@dataclass
class RetryingCluster(MemoryCluster):
    """A cluster whose argo-server retries, and may lose its answer."""

    answers: bool = True
    meanwhile: Callable[[], Awaitable[object]] | None = None
    """What happens while a log is read."""

    async def read(
        self, namespace: str, pod: str, container: str, *, follow: bool = False
    ) -> AsyncGenerator[bytes, None]:
        if self.meanwhile:
            await self.meanwhile()
        async for chunk in super().read(namespace, pod, container, follow=follow):
            yield chunk

    async def stop(self, _namespace: str, _name: str, *, terminate: bool = False) -> None:
        assert not terminate

    async def retry(self, _namespace: str, _name: str) -> None:
        assert self.current
        if self.current["status"]["phase"] not in {"Failed", "Error"}:
            raise Invalid("workflow must be Failed/Error to retry", status=400)
        self.current = RUNNING
        if not self.answers:
            raise UpstreamError("argo-server did not answer in time", retryable=True)


@dataclass
class LimitedChecks(MemoryChecks):
    """GitHub's check-runs, with what is left of its limits."""

    left: Budget = field(default_factory=lambda: Budget(5000, 5000))

    def budget(self, repository: Repository) -> Budget:
        assert repository == REPOSITORY
        return self.left


class Everybody:
    """People who may all write."""

    async def may_write(self, _repository: Repository, _login: str) -> bool:
        return True

    async def is_member(self, _repository: Repository, _login: str) -> bool:
        return True


@dataclass
class Anew:
    """Stands where builds are submitted, and takes note."""

    asked: list[str] = field(default_factory=list)

    async def submit(self, request: BuildRequest, _now: datetime, *, last_attempt: bool = False) -> str:
        del last_attempt
        self.asked.append(request.id)
        return "built anew"


@dataclass
class Scene:
    """What outlives the processes of the server, and what they do."""

    builds: SqlBuilds
    checks: LimitedChecks = field(default_factory=LimitedChecks)
    cluster: RetryingCluster = field(default_factory=lambda: RetryingCluster(frozenset({"wf-a"})))
    clock: Clock = field(default_factory=Clock)
    anew: Anew = field(default_factory=Anew)

    def rooms(self, life: Life | None = None) -> Rooms:
        none, life = cast("Any", None), life or Life()
        checks, cluster = cast("Any", Mortal(self.checks, life)), cast("Any", Mortal(self.cluster, life))
        people = cast("Any", Everybody())
        return Rooms(
            github=GitHubRooms(none, checks, people, none, none, none, none, none),
            cluster=ClusterRooms(cluster, self.cluster, none, retries=cluster),
            builds=cast("Any", Mortal(self.builds, life)),
            sandbox=none,
            config=Config(),
            argo_ui=ARGO_UI,
            clock=self.clock,
            nonce=none,
        )

    async def build(self) -> Build:
        found = await self.builds.get("b")
        assert found
        return found

    async def look(self, state: JsonObject | None, *, calls: int = 1_000_000) -> bool:
        """Let a leader look at the workflow in a state, None: it is gone; True: it was killed at that call."""
        self.cluster.current = state
        self.clock.moment += timedelta(hours=1)
        life = Life(calls)
        reconciler = Reconciler(self.rooms(life))
        return await lived(reconciler.reconcile(WorkflowKey("argo", "wf"), Observed(state)), life)

    async def press(self, wish: str, *, calls: int = 1_000_000, last_attempt: bool = False) -> bool:
        """Let a replica work on a Re-run of the first check-run; True: it was killed at that call."""
        build = await self.builds.of_check_run(REPOSITORY, FIRST)
        assert build
        request = BuildRequest(
            wish, COMMIT, Ref("main"), automatic=False, what=What.RERUN, actor=Person("octocat")
        )
        life = Life(calls)
        retrier = Retrier(self.rooms(life), cast("Any", self.anew))
        return await lived(retrier.retry(build, request, self.clock(), last_attempt=last_attempt), life)

    async def supersede(self) -> None:
        """Let a newer build take the place of this one."""
        await self.builds.add(
            replace(await self.build(), id="newer", workflow_name="wf-newer", check_run_id=7)
        )
        await self.builds.change("b", superseded_by="newer")

    async def cancel(self) -> None:
        await cancel(await self.build(), "octocat", "cancel", self.rooms())

    def shown(self) -> list[str]:
        """The check-runs as GitHub shows them, oldest first: how each ended, or its status."""
        for run in self.checks.runs.values():
            places = Counter((each["path"], each["start_line"]) for each in run.annotations)
            assert set(places.values()) <= {1}, "an annotation stands twice"
        return [run.body.get("conclusion") or str(run.body["status"]) for run in self.checks.runs.values()]


async def lived(work: Coroutine[Any, Any, Any], life: Life) -> bool:
    """Do work until its end or the end of its process, which it says."""
    dead = asyncio.Event()
    life.at_end = dead.set
    doing, dying = asyncio.create_task(work), asyncio.create_task(dead.wait())
    await asyncio.wait({doing, dying}, return_when=asyncio.FIRST_COMPLETED)
    for each in (doing, dying):
        each.cancel()
    with suppress(asyncio.CancelledError, UpstreamError):
        await doing
    return life.over


async def scene(store: Database) -> Scene:
    """Set the scene: the workflow was submitted, and its check-run created; the store is emptied for it."""
    await store.run(
        lambda connection: [connection.execute(each.delete()) for each in metadata.sorted_tables[::-1]]
    )
    made = Scene(SqlBuilds(store))
    build = Build(
        id="b",
        commit=COMMIT,
        ref=Ref("main"),
        entrypoint="ci",
        check_name="Workflow - ci",
        namespace="argo",
        workflow_name="wf",
        created_at=START,
        workflow_uid="u1",
        state=BuildState.RUNNING,
    )
    check = setup(subject_of(build, ARGO_UI))
    await made.builds.add(build)
    await made.builds.save_reported("b", Reported(digest=digest_of(check), writes=1))
    number = await made.checks.create(COMMIT, check)
    assert number == FIRST
    await made.builds.change("b", check_run_id=number)
    return made
