"""Run only what failed once more, where argo-server can do that; else build anew."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from kubeci.errors import Forbidden, NotFound, UpstreamError
from kubeci.model.build import Build, BuildRequest, BuildState
from kubeci.model.check_run import Conclusion
from kubeci.model.trust import What
from kubeci.service.caches import has_its_cache
from kubeci.service.judge import Judge
from kubeci.service.read_logs import ended_anew
from kubeci.service.rooms import Rooms
from kubeci.service.submit import Submitter
from kubeci.workflow.status import WorkflowState, read_state

ARGO_TELLS = timedelta(seconds=1)
"""How exactly Argo tells when a step ended, by which the reconciler tells attempts apart."""

log = structlog.get_logger(__name__)


class Retrier:
    """Retries failed builds."""

    def __init__(self, rooms: Rooms, submitter: Submitter) -> None:
        self._rooms = rooms
        self._submitter = submitter
        self._judge = Judge(rooms.config, rooms.github.people)

    async def retry(
        self, build: Build, request: BuildRequest, now: datetime, *, last_attempt: bool = False
    ) -> str:
        """Retry the failed steps of a build, or submit `request`, which asks for the same entrypoint; gives what came of it.

        The steps of a workflow that still exists are retried where argo-server is configured and who asks may have the commit
        built; the reconciler then begins a new check-run. Anything else is judged and built as the request says.
        """
        if build.retry_wish == request.id and build.check_run_id != build.retried_check_run:
            return _again(build)  # an earlier try of this wish did it, and a check-run shows it
        # Where an earlier try of this wish began to build anew, that goes on.
        begun = await self._rooms.builds.get(request.id)
        if begun is None and await self._can_retry(build, request):
            workflow = f"{build.namespace}/{build.workflow_name}"
            async with self._rooms.exclusive.hold(f"retry {build.id}"):
                try:
                    return await self._retry(build, request.id) or _again(build)
                except UpstreamError as error:
                    if error.retryable and not last_attempt:
                        raise
                    told = str(error)
            log.warning("built anew, since it could not be retried", workflow=workflow, error=told)
        return await self._submitter.submit(request, now, last_attempt=last_attempt)

    async def _can_retry(self, build: Build, request: BuildRequest) -> bool:
        if self._rooms.cluster.retries is None or not build.workflow_uid or not request.actor:
            return False
        failed = build.conclusion == Conclusion.FAILURE or build.state is BuildState.RUNNING
        row = What.RERUN_FORK if request.what is What.RERUN and build.head_repository else request.what
        if not failed or not await self._judge.may(row, request.actor, build.commit.repository):
            return False
        # Without it pods would wait for ever, or mount what another repository has made since.
        try:
            return await has_its_cache(build, self._rooms)
        except Forbidden:  # which the new build's check-run tells
            return False

    async def _retry(self, build: Build, wish: str) -> str:
        """Give why there is nothing to retry; empty: it was retried."""
        state = await self._read(build)
        if seconds := self._too_early(state):
            await asyncio.sleep(seconds)
            state = await self._read(build)
        if state.uid != build.workflow_uid:
            raise NotFound("another workflow has taken the name")
        logs = await self._rooms.builds.logs(build.id)
        if not state.ended or (build.retry_wish == wish and ended_anew(build, state, logs)):
            # The same wish once more, or somebody was quicker.
            return f"{build.namespace}/{build.workflow_name} is running again already"
        assert self._rooms.cluster.retries is not None
        # By these the reconciler tells the next end from this one, and that the next attempt is wanted, whatever became
        # of this one.
        build = await self._rooms.builds.change(
            build.id,
            retry_wish=wish,
            retried_check_run=build.check_run_id,
            finished_at=state.finished_at,
            superseded_by="",
            stopped="",
            stop_wish="",
        )
        try:
            await self._rooms.cluster.retries.retry(build.namespace, build.workflow_name)
        except UpstreamError:
            if not await self._runs_again(build):
                raise
        # The reconciler begins a new check-run; whoever asks before that must not take the old end for the new one.
        await self._rooms.builds.change(
            build.id, state=BuildState.RUNNING, conclusion="", former_conclusion=build.conclusion
        )
        return ""

    async def _runs_again(self, build: Build) -> bool:
        """Say whether a workflow was retried although it was not answered so: the answer was lost, or somebody else did it."""
        try:
            state = await self._read(build)
        except UpstreamError:
            return False
        return not state.ended or ended_anew(build, state, await self._rooms.builds.logs(build.id))

    async def _read(self, build: Build) -> WorkflowState:
        return read_state(await self._rooms.cluster.workflows.get(build.namespace, build.workflow_name))

    def _too_early(self, state: WorkflowState) -> float:
        """Give the seconds until what is retried cannot end in the second that its first attempt ended in.

        Who takes over after a crash sees nothing but two ends, and would take such a second one for the first.
        """
        if state.finished_at is None:
            return 0.0
        wait = state.finished_at + ARGO_TELLS - self._rooms.clock()
        return min(max(wait, timedelta()), ARGO_TELLS).total_seconds()  # our clock may be behind Argo's


def _again(build: Build) -> str:
    return f"the failed steps of {build.namespace}/{build.workflow_name} run again"
