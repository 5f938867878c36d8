"""Check-runs of builds that have no running workflow: created once, concluded, lifted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from kubeci.definition.definition import EvaluationFailed
from kubeci.errors import DefinitionError, EntrypointError, Invalid, KubeCIError
from kubeci.model.build import Build, BuildRequest, BuildState
from kubeci.model.check_run import Annotation, CheckRun, Conclusion
from kubeci.model.report import Outcome, Reported
from kubeci.model.repository import Commit
from kubeci.report import errors as content
from kubeci.report.check_run import Subject, setup
from kubeci.report.markdown import cut
from kubeci.report.notes import with_notes
from kubeci.service.examine import NotAllowed
from kubeci.service.identity import refusal_id
from kubeci.service.patience import SAYING_WINDOW, SAYINGS, kind_of, may_say
from kubeci.service.publish import digest_of
from kubeci.service.rooms import Rooms
from kubeci.service.subject import subject_of


class CheckRuns:
    """Writes check-runs whose content no workflow gives."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._said: dict[str, tuple[datetime, ...]] = {}
        """When it was said last for what builds wait, by their ids."""

    async def begin(self, build: Build, check: CheckRun, annotations: Sequence[Annotation] = ()) -> Build:
        """Record a build and create its check-run, or find the one that was created before a crash."""
        known = await self._rooms.builds.get(build.id)
        if known is None:
            # The nonce is drawn before anything is submitted: nobody can make our workflow ahead of us.
            build = await self._rooms.builds.add(replace(build, nonce=self._rooms.nonce()))
        elif known.check_run_id and known.state is not BuildState.LOST:
            return known
        found = await self._rooms.github.checks.find(build.commit, check) if known else None
        if known and found == known.check_run_id:  # it says that the build was lost, and does not go back
            found = None
        check_run_id = found or await self._rooms.github.checks.create(build.commit, check, annotations)
        await self._told(build, check, Reported(writes=1, annotations=len(annotations)))
        if known and known.state is BuildState.LOST:
            # In one: whoever finds it submitting takes the check-run that it has.
            return await self._rooms.builds.change(
                build.id, check_run_id=check_run_id, state=BuildState.SUBMITTING, conclusion=""
            )
        return await self._rooms.builds.change(build.id, check_run_id=check_run_id)

    async def conclude(
        self, build: Build, request: BuildRequest, check: CheckRun, annotations: Sequence[Annotation] = ()
    ) -> str:
        """Write a check-run that is concluded from the start; its details lead to the CI files."""
        home = (request.repository_object or {}).get("html_url", "")
        if home:
            # The fragment tells two builds of one commit apart when the check-run is looked for after a crash.
            address = f"{home}/tree/{build.commit.sha}/{self._rooms.config.ci_context_path}#{build.id[:12]}"
            check = replace(check, details_url=address)
        build = await self.begin(build, check, annotations)
        told = await self._rooms.builds.reported(build.id)
        if told.digest != digest_of(check):
            # An earlier try came further than this one, or a refusal has another reason now.
            unsent = annotations[told.annotations :]
            await self._rooms.github.checks.update(
                build.commit.repository, build.check_run_id, replace(check, name=build.check_name), unsent
            )
            await self._told(build, check, replace(told, annotations=told.annotations + len(unsent)))
        skipped = check.conclusion is Conclusion.SKIPPED
        await self._rooms.builds.change(
            build.id,
            state=BuildState.SKIPPED if skipped else BuildState.FINISHED,
            conclusion=check.conclusion.value if check.conclusion else "",
        )
        return f"{check.name}: {check.conclusion}: {check.title}"

    async def definition_failed(self, build: Build, request: BuildRequest, error: DefinitionError) -> str:
        """Conclude a build whose definition is wrong, with the error at its place."""
        check = content.definition_failed(error, prefix=_prefix(error), external_id=request.entrypoint)
        if isinstance(error, EvaluationFailed):
            check = with_notes(check, prints=error.prints)
        annotation = content.annotation_of(error)
        await self.conclude(build, request, check, (annotation,) if annotation else ())
        return f"{check.name}: {check.conclusion}: {content.why_of(check)}"

    async def creation_failed(self, build: Build, subject: Subject, error: KubeCIError) -> str:
        """Conclude a build whose workflow, or whose cache volume, the cluster does not take."""
        check = content.definition_failed(
            error,
            prefix="" if isinstance(error, DefinitionError) else "argo workflow creation failed, ",
            name=subject.check_name,
            external_id=subject.external_id,
            details_url=subject.details_url,
        )
        check = with_notes(check, warnings=build.warnings, prints=build.prints)
        await self.bring(build, check)
        await self._rooms.builds.change(build.id, state=BuildState.FINISHED)
        return check.summary

    async def lose(self, build: Build, why: str) -> None:
        """Conclude a build that nobody will submit any more; without a check-run only its record says so."""
        if build.check_run_id:
            await self.bring(
                build, content.lost(setup(subject_of(build, self._rooms.argo_ui)), why, build.commit.sha)
            )
        await self._rooms.builds.change(build.id, state=BuildState.LOST)

    async def waits(self, build: Build, subject: Subject, error: KubeCIError) -> None:
        """Say on a queued check-run what its build waits for: a cause once, and few others in ten minutes."""
        check = content.waiting(setup(subject), error.public)
        known = (await self._rooms.builds.outcome(build.id)).check
        if known and kind_of(known.summary) == kind_of(check.summary):
            return
        now = self._rooms.clock()
        self._said = {each: at for each, at in self._said.items() if now - at[-1] < SAYING_WINDOW}
        said = self._said.get(build.id, ())
        if may_say(said, now):
            with suppress(Invalid):  # its workflow was there all the same, and has been reported to its end
                await self.bring(build, check)
            self._said[build.id] = (*said, now)[-SAYINGS:]

    async def lift_refusal(self, commit: Commit, by: str) -> None:
        """Conclude the refusal of a commit that was dealt with after all, so that it no longer asks for anything."""
        refusal = await self._rooms.builds.get(refusal_id(commit))
        if refusal is None or refusal.superseded_by or not refusal.check_run_id:
            return
        await self._lift(refusal, by)
        await self._rooms.builds.change(refusal.id, superseded_by=by, conclusion=Conclusion.NEUTRAL.value)

    async def lift_failure(self, build: Build, by: str) -> None:
        """Conclude the check-run of a build that could not be made, so that another one, named `by`, shows it alone."""
        if build.check_run_id:
            await self._lift(build, by)

    async def _lift(self, build: Build, by: str) -> None:
        """Let a check-run say what is shown instead; what was reported before stays noted, and is not told again."""
        shown = (await self._rooms.builds.outcome(build.id)).check
        check = content.refusal_superseded(by, shown.name if shown else content.DEFAULT_NAME)
        await self._rooms.github.checks.update(build.commit.repository, build.check_run_id, check)
        await self._rooms.builds.save_outcome(build.id, Outcome(check=check))

    async def bring(self, build: Build, check: CheckRun) -> None:
        """Bring an existing check-run to this content, whose conclusion becomes the build's."""
        await self._rooms.github.checks.update(build.commit.repository, build.check_run_id, check)
        told = await self._rooms.builds.reported(build.id)
        await self._told(build, check, replace(told, writes=told.writes + 1))
        if check.conclusion:
            await self._rooms.builds.change(build.id, conclusion=check.conclusion.value)

    async def remark(self, build: Build, text: str) -> None:
        """Add a sentence below what a check-run shows; nothing else of it changes."""
        for last in (False, True):
            known = (await self._rooms.builds.outcome(build.id)).check
            if known is None:
                return
            check = replace(known, summary=cut(f"{known.summary.rstrip()}\n\n{text}\n"))
            try:
                await self._rooms.github.checks.update(build.commit.repository, build.check_run_id, check)
            except Invalid:
                # It was completed meanwhile, and does not go back.
                if last:
                    raise
            else:
                return

    async def _told(self, build: Build, check: CheckRun, told: Reported) -> None:
        await self._rooms.builds.save_reported(build.id, replace(told, digest=digest_of(check)))
        await self._rooms.builds.save_outcome(build.id, Outcome(check=check))


def _prefix(error: DefinitionError) -> str:
    if isinstance(error, NotAllowed):
        return content.NOT_ALLOWED
    kind = "error finding workflow endpoint, " if isinstance(error, EntrypointError) else content.NOT_PARSED
    return "" if error.message.startswith("creation of cache volume failed") else kind
