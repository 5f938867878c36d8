"""Turn a build request into a running workflow and its check-run."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import structlog

from kubeci.errors import DefinitionError, Unready, UpstreamError
from kubeci.model.build import Build, BuildRequest, BuildState
from kubeci.model.decision import Ignored, Refused
from kubeci.model.repository import Commit
from kubeci.model.source import CommitSource
from kubeci.model.trust import What
from kubeci.policy.decide import head_of, is_foreign
from kubeci.report import errors as content
from kubeci.report.plain import plain
from kubeci.service.adopt import adopt
from kubeci.service.changed import changed_files
from kubeci.service.check_runs import CheckRuns
from kubeci.service.deployments import DeploymentReports
from kubeci.service.exclusive import Busy
from kubeci.service.identity import refusal_id, submission_of
from kubeci.service.judge import Judge
from kubeci.service.origin import remembered
from kubeci.service.patience import given_up, waits_long
from kubeci.service.prepare import Tools, has_definition, new_build, prepare, render, title_of
from kubeci.service.recent import RecentSet
from kubeci.service.rooms import Rooms
from kubeci.service.sources import read_source
from kubeci.service.start import Starter, refuse_deployment
from kubeci.service.stop import stop_pull_request
from kubeci.service.subject import subject_of
from kubeci.service.unbegun import is_undefined, is_unmade, is_unwanted, withdraw
from kubeci.service.wish import StopRequest

log = structlog.get_logger(__name__)

NO_DEFINITION = "the commit has no CI definition"
BARE_COMMITS = 10_000
"""Commits without a definition that are remembered: the push that follows their check suite costs no request."""


class Submitter:
    """Submits builds; the same request handled twice, or by two workers at once, is one build."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._check_runs = CheckRuns(rooms)
        self._deployments = DeploymentReports(rooms)
        self._judge = Judge(rooms.config, rooms.github.people)
        self._starter = Starter(rooms, self._check_runs, self._deployments)
        self._bare = RecentSet[Commit](BARE_COMMITS)

    async def submit(self, request: BuildRequest, now: datetime, *, last_attempt: bool = False) -> str:
        """Read, judge, evaluate and submit; gives what came of it in a sentence.

        What the author or the policy did ends in a check-run. An `UpstreamError` that may pass is raised, for the caller
        to try again; where only the cluster or a loaded module is missing at the last attempt, the check-run says so.
        """
        async with self._rooms.exclusive.hold(submission_of(request.commit)):
            try:
                outcome = await self._submit(request, now, last_attempt=last_attempt)
            except Busy:
                raise
            except UpstreamError as error:
                if not error.retryable or (last_attempt and not self._waits_long(request, now)):
                    await self._give_up(request, error)
                raise
            if (
                request.deployment
                and not request.of_build
                and await self._rooms.builds.get(request.id) is None
            ):
                # There is neither a workflow nor a check-run that would tell it. A Re-run has that of the build before.
                repository, number = request.commit.repository, request.deployment.id
                await self._deployments.refused(repository, number, outcome)
            return outcome

    async def _submit(self, request: BuildRequest, now: datetime, *, last_attempt: bool) -> str:
        known = await self._rooms.builds.get(request.id)
        if known and is_unwanted(known) and known.state is BuildState.FINISHED and not known.workflow_uid:
            return await withdraw(known, self._rooms, last_attempt=last_attempt)
        # What failed without a workflow may be mended elsewhere; `ok-to-test` has no check-run to press Re-run on.
        anew = known and is_unmade(known) and request.automatic and request.what is What.COMMAND
        open_states = {BuildState.SUBMITTING, BuildState.SKIPPED, BuildState.LOST}
        if known and not anew and known.state not in open_states:
            if _answers_refusal(request):  # an earlier try may have ended before it did
                await self._check_runs.lift_refusal(request.commit, known.check_name)
            return await self._told_before(known)
        if request.automatic and not known and await self._built(request):
            return "the commit is built already"
        own = request.files is None  # else they came with the request, and say nothing of the commit
        if own and request.commit in self._bare:
            return NO_DEFINITION
        request = await remembered(request, self._rooms.builds, self._rooms.github.commits)
        try:
            source = await read_source(request, self._rooms.github.commits, self._rooms.config)
        except DefinitionError as error:
            return await self._failed(request, error, now)
        if not has_definition(source, self._rooms.config):
            if own and not is_foreign(request, source):
                self._bare.add(request.commit)
            return NO_DEFINITION
        request = replace(request, title=title_of(source))
        if not request.automatic and not request.head_repository and is_foreign(request, source):
            # Whoever named the commit did not say so; what comes after this build has to know it.
            request = replace(request, head_repository=head_of(source, request.commit.repository))
        return await self._judged(request, source, now, last_attempt=last_attempt)

    async def stop(self, wish: StopRequest) -> str:
        """Stop the builds of a pull request; gives what came of it in a sentence."""
        async with self._rooms.exclusive.hold(submission_of(wish.head)):
            return await stop_pull_request(wish, self._rooms)

    async def _told_before(self, build: Build) -> str:
        """Say what became of a build that is not built twice."""
        if build.workflow_uid:
            return f"already built as {build.workflow_name}"
        check = (await self._rooms.builds.outcome(build.id)).check
        why = f": {content.why_of(check)}" if check else ""
        how = (
            "the definition failed already" if is_undefined(build) else "it ended already without a workflow"
        )
        ended = f"{build.check_name}: {build.conclusion or build.state}{why}"
        return f"{how} ({ended}); Re-run on its check-run tries it anew"

    async def _built(self, request: BuildRequest) -> bool:
        """Say whether a commit was built for another event than this one, or by somebody's wish."""
        return await self._rooms.builds.is_built(request.commit, request.ref, but=refusal_id(request.commit))

    async def _judged(
        self, request: BuildRequest, source: CommitSource, now: datetime, *, last_attempt: bool
    ) -> str:
        decision = await self._judge.decide(request, source)
        if isinstance(decision, Ignored):
            asked_on = await self._rooms.builds.get(request.of_build) if request.of_build else None
            if asked_on and request.actor:
                told = (
                    f"{plain(request.actor.login)} may not have this built ({decision.reason}): the setting `trust` says "
                    "who may, by default those who may write to the repository."
                )
                await self._check_runs.remark(asked_on, told)
            return decision.reason
        if isinstance(decision, Refused):
            refused = replace(request, id=refusal_id(request.commit))
            refusal = new_build(refused, self._rooms.config, now)
            told = await self._check_runs.conclude(refusal, request, content.refused(decision))
            return f"{told}: {decision.reason}"
        outcome = await self._allowed(request, source, now, last_attempt=last_attempt)
        build = await self._rooms.builds.get(request.id)
        if _answers_refusal(request):
            await self._check_runs.lift_refusal(request.commit, build.check_name if build else outcome)
        if build and build.state is BuildState.SUBMITTING:
            await self._rooms.builds.begin(build.id)
        return outcome

    async def _allowed(
        self, request: BuildRequest, source: CommitSource, now: datetime, *, last_attempt: bool
    ) -> str:
        changed = await changed_files(request, source, self._rooms.github.commits)
        request = replace(request, changed_files=changed)
        try:
            tools = Tools(self._rooms.sandbox, self._rooms.config, self._rooms.cluster.workflows)
            prepared = await prepare(request, source, tools, now)
            if prepared is None:
                return "the definition says that there is nothing to run"
            await self._described(prepared.build)
            if prepared.skip:
                build = prepared.build
                check = content.skipped(build.check_name, build.entrypoint, prepared.skip)
                return await self._check_runs.conclude(build, request, check)
            render(
                prepared, self._rooms.config
            )  # what cannot be submitted is found before GitHub hears of it
        except DefinitionError as error:
            return await self._failed(request, error, now)
        except UpstreamError as error:  # a module of another repository, or a template of the cluster
            long = self._waits_long(request, now)
            if isinstance(error, Unready) and (long or not last_attempt):
                await self._starter.wait(request, error, now)
                raise
            if error.retryable and not last_attempt:
                raise
            return await self._failed(request, DefinitionError(error.public), now)
        return await self._starter.start(prepared, last_attempt=last_attempt)

    def _waits_long(self, request: BuildRequest, now: datetime) -> bool:
        return waits_long(request, request.wanted_at or now, self._rooms.clock())

    async def _failed(self, request: BuildRequest, error: DefinitionError, now: datetime) -> str:
        build = new_build(request, self._rooms.config, now)
        await refuse_deployment(build, error, self._deployments)
        return await self._check_runs.definition_failed(build, request, error)

    async def _give_up(self, request: BuildRequest, error: UpstreamError) -> None:
        """Conclude a build that will get no workflow, and tell the deployment that asked for it.

        Where GitHub refuses that too, it is logged: builds that nobody works on any more are looked for.
        """
        try:
            if request.deployment:
                number = request.deployment.id
                await self._deployments.refused(request.commit.repository, number, error.public)
            build = await self._rooms.builds.get(request.id)
            if not build or build.state is not BuildState.SUBMITTING or build.workflow_uid:
                return
            if not build.check_run_id or await adopt(build, self._rooms):
                return
            subject = subject_of(build, self._rooms.argo_ui)
            await self._check_runs.creation_failed(build, subject, given_up(error))
            await self._rooms.builds.change(build.id, state=BuildState.LOST)
        except UpstreamError as refused:
            log.warning("a check-run could not be concluded", build=request.id, error=str(refused))

    async def _described(self, build: Build) -> None:
        """Complete the record of a build that began before all of its definition could be read."""
        known = await self._rooms.builds.get(build.id)
        taken_up = known and (known.state in {BuildState.SUBMITTING, BuildState.LOST} or is_unmade(known))
        if known and taken_up and known.check_name != build.check_name:
            await self._rooms.builds.describe(build)


def _answers_refusal(request: BuildRequest) -> bool:
    """Say whether a build is what the refusal of its commit asked about; one template or other files are not."""
    return request.deployment is None and request.files is None and request.what is not What.API
