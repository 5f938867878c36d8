"""Bring GitHub to what a workflow's state amounts to; only differences are sent.

Level-triggered: each call looks at the whole state and at what GitHub was told before. It can be killed anywhere and run
again, and GitHub ends up the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from kubeci.errors import Forbidden, NotFound, UpstreamError
from kubeci.model.build import Build, BuildState
from kubeci.model.check_run import Conclusion, Status
from kubeci.model.json import JsonObject
from kubeci.model.report import Outcome, Reported
from kubeci.report.check_run import report, setup
from kubeci.report.outcome import outcome_of
from kubeci.report.pacing import LONGEST, is_urgent, progress_interval, progress_withheld
from kubeci.service.caches import clear_build
from kubeci.service.deployments import DeploymentReports
from kubeci.service.manual import ManualSteps
from kubeci.service.patience import has_time
from kubeci.service.publish import Content, digest_of, publish
from kubeci.service.read_logs import ended_anew, keep_logs
from kubeci.service.rooms import Rooms
from kubeci.service.stop import CLOSED
from kubeci.service.subject import subject_of
from kubeci.service.supersede import supersede
from kubeci.service.unbegun import is_unwanted
from kubeci.workflow import metadata
from kubeci.workflow.status import WorkflowState, nodes_with_logs, read_state

LOOK_AGAIN_SECONDS = 30.0
END_AGAIN_SECONDS = 600.0
"""Until the end of a workflow is told once more where GitHub refused it: else its check-run would stay open."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WorkflowKey:
    """A workflow's namespace and name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Observed:
    """A workflow as the watch last saw it; no object: it was not among those listed."""

    object: JsonObject | None
    deleted: bool = False


class Reconciler:
    """Reports workflows to GitHub."""

    def __init__(self, rooms: Rooms, *, look_again_seconds: float = LOOK_AGAIN_SECONDS) -> None:
        """Work with these rooms; what the watch does not bring any more is looked at again after so long."""
        self._rooms = rooms
        self._look_again_seconds = look_again_seconds
        self._builds = rooms.builds
        self._manual = ManualSteps(rooms)
        self._deployments = DeploymentReports(rooms)

    async def reconcile(self, key: WorkflowKey, observed: Observed) -> float | None:
        """Report a workflow; gives the seconds until it should be looked at again, None: when it changes.

        Raises `UpstreamError` where trying again can help.
        """
        build = await self._builds.of_workflow(key.namespace, key.name)
        if build is None or not build.check_run_id:
            return None
        try:
            state, again = await self._state(key, observed)
        except Forbidden:
            if build.state in {BuildState.FINISHED, BuildState.LOST}:  # and so it needs no answer
                return None
            raise
        if not build.workflow_uid:
            if not metadata.is_of(observed.object or {}, build):
                return again
            if build.state is BuildState.FINISHED and is_unwanted(build):
                # It was ended before anybody knew of its workflow, which whoever submitted it stops.
                return None
            # The answer to its creation was lost; who cancels or repeats the build must know what there is.
            build = await self._builds.change(build.id, workflow_uid=state.uid)
        if state.uid and build.workflow_uid not in {"", state.uid}:
            # Another workflow took the name, so ours is gone.
            state, again = _gone(key), None
        try:
            return await self._report(build, state, again)
        except UpstreamError as error:
            if error.retryable:
                raise
            # Asking again would change nothing until somebody grants it; the next state is tried once, the end for a day.
            log.error("the report was refused", workflow=str(key), error=str(error))  # noqa: TRY400 - no defect of ours
            grantable = state.ended and has_time(state.finished_at or build.created_at, self._rooms.clock())
            return END_AGAIN_SECONDS if grantable else again

    async def _report(self, build: Build, state: WorkflowState, again: float | None) -> float | None:
        told = await self._builds.reported(build.id)
        finished = build.state in {BuildState.FINISHED, BuildState.LOST}
        if (finished or told.completed or _was_retried(build)) and await self._runs_again(build, state):
            build, told = await self._begin_attempt(build, state)
        elif finished:
            return None
        logs, unread_because = await keep_logs(build, state, self._rooms.cluster.logs, self._builds)
        deploying = await self._deployments.report(build, state)
        subject = subject_of(build, self._rooms.argo_ui, await self._successor(build))
        check = report(replace(subject, warnings=(*subject.warnings, *deploying)), state, logs)
        if state.deleted and told.completed:
            # That it is gone since tells nothing of how it ended, which GitHub shows already.
            shown = (await self._builds.outcome(build.id)).check
            check = shown if shown and digest_of(shown) == told.digest else check
        content = Content(check, tuple(remark for log in logs.values() for remark in log.annotations))
        completed = check.status is Status.COMPLETED
        wait = self._wait(build, content, told)
        if wait > 0 and not unread_because:
            return wait
        if not wait and not (completed and unread_because):
            await publish(build, content, told, self._rooms)
            await self._builds.save_outcome(build.id, outcome_of(check, state))
        if unread_because:
            raise unread_because
        if completed:
            await self._finish(build, state, content)
        return again

    async def _state(self, key: WorkflowKey, observed: Observed) -> tuple[WorkflowState, float | None]:
        """Read the state; what is said to be gone is asked for, since a changed label looks like a deletion."""
        if observed.object is not None and not observed.deleted:
            return read_state(observed.object), None
        try:
            current = await self._rooms.cluster.workflows.get(key.namespace, key.name)
        except NotFound:
            last = observed.object
            return (read_state(last, deleted=True) if last else _gone(key)), None
        state = read_state(current)
        # No watch brings its changes any more.
        return state, None if state.ended else self._look_again_seconds

    async def _runs_again(self, build: Build, state: WorkflowState) -> bool:
        """Say whether a workflow was retried after its end, be it while we were away: then it has ended anew."""
        if build.superseded_by and not _was_retried(build):
            return False
        return not state.ended or ended_anew(build, state, await self._builds.logs(build.id))

    async def _begin_attempt(self, build: Build, state: WorkflowState) -> tuple[Build, Reported]:
        """Give a workflow that was retried after its end a check-run of its own: a completed one stays completed."""
        remaining = {node.id for node in nodes_with_logs(state)}
        await self._builds.forget_logs(build.id, set(await self._builds.logs(build.id)) - remaining)
        check = setup(subject_of(build, self._rooms.argo_ui))
        # A newer one than ours was created before a crash, or its answer was lost.
        check_run_id = await self._rooms.github.checks.find(build.commit, check)
        if check_run_id is None or check_run_id == build.check_run_id:
            check_run_id = await self._rooms.github.checks.create(build.commit, check)
        told = Reported()
        await self._builds.save_reported(build.id, told)
        await self._builds.save_outcome(build.id, Outcome(check=check))
        again = await self._builds.change(
            build.id,
            check_run_id=check_run_id,
            state=BuildState.RUNNING,
            conclusion="",
            former_conclusion=build.conclusion or build.former_conclusion,
            finished_at=None,
        )
        if not _was_retried(build):  # and so by Argo itself; else it was stopped since
            again = await self._builds.change(build.id, stopped="", stop_wish="")
        return again, told

    async def _successor(self, build: Build) -> str:
        newer = await self._builds.get(build.superseded_by) if build.superseded_by else None
        return newer.workflow_name if newer else ""

    def _wait(self, build: Build, content: Content, told: Reported) -> float:
        """Say how many seconds progress is held back; the first and the end are not."""
        if content.check.status is Status.COMPLETED:
            return 0.0
        if digest_of(content.check) == told.digest and len(content.annotations) <= told.annotations:
            return 0.0
        budget = self._rooms.github.checks.budget(build.commit.repository)
        if is_urgent(content.check, told) or told.written_at is None:
            return budget.strained_seconds
        due = told.written_at + (LONGEST if progress_withheld(budget) else progress_interval(budget))
        return max(budget.strained_seconds, (due - self._rooms.clock()) / timedelta(seconds=1))

    async def _finish(self, build: Build, state: WorkflowState, content: Content) -> None:
        conclusion = content.check.conclusion
        if self._rooms.news and build.plan.default_branch:
            former = replace(build, conclusion=build.former_conclusion) if build.former_conclusion else None
            previous = former or await self._builds.previous(build)
            self._rooms.news.build_ended(build, content.check, previous)
        if build.state is BuildState.SUBMITTING:
            # It was quicker than its submission, which then finds it ended and lets nothing go any more.
            await supersede(build, self._rooms)
        if conclusion is Conclusion.SUCCESS:
            await self._manual.offer(build)
        await self._builds.change(
            build.id,
            state=BuildState.FINISHED,
            conclusion=conclusion.value if conclusion else "",
            finished_at=state.finished_at or self._rooms.clock(),
        )
        now = await self._builds.get(build.id)  # its pull request may have been closed while the end was told
        if build.head_repository and now and now.stopped.startswith(CLOSED):
            # GitHub tells nothing of a fork's branches, so this is the last that is heard of its cache.
            await clear_build(build, self._rooms)
        if content.annotations and not state.deleted:
            try:
                published = {metadata.ANNOTATIONS_PUBLISHED: "true"}
                await self._rooms.cluster.workflows.annotate(build.namespace, build.workflow_name, published)
            except (NotFound, Forbidden) as error:
                log.info("the workflow takes no annotation", workflow=build.workflow_name, error=str(error))


def _was_retried(build: Build) -> bool:
    """Say whether a retry of ours was asked for of the check-run that stands: people ask for one when that has ended."""
    return build.check_run_id == build.retried_check_run


def _gone(key: WorkflowKey) -> WorkflowState:
    return read_state({"metadata": {"namespace": key.namespace, "name": key.name}}, deleted=True)
