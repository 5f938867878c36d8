"""Turn a build request into a running workflow and its check-run."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from weakref import WeakValueDictionary

from kubeci.definition.definition import EvaluationFailed
from kubeci.errors import Conflict, DefinitionError, EntrypointError, UpstreamError
from kubeci.model.build import Build, BuildRequest, BuildState
from kubeci.model.check_run import Annotation, CheckRun
from kubeci.model.decision import Ignored, Refused
from kubeci.model.json import JsonObject
from kubeci.model.report import Reported
from kubeci.model.repository import Commit
from kubeci.model.source import CommitSource
from kubeci.policy.decide import is_foreign
from kubeci.report import errors as content
from kubeci.report.check_run import Subject, setup
from kubeci.report.notes import with_notes
from kubeci.service.changed import changed_files
from kubeci.service.dispatch import StopRequest
from kubeci.service.identity import refusal_id
from kubeci.service.judge import Judge
from kubeci.service.prepare import Prepared, Tools, has_definition, new_build, prepare, render
from kubeci.service.publish import digest_of
from kubeci.service.recent import RecentSet
from kubeci.service.rooms import Rooms
from kubeci.service.sources import read_source
from kubeci.service.stop import stop_pull_request
from kubeci.service.subject import subject_of
from kubeci.service.supersede import supersede
from kubeci.workflow import metadata

NO_DEFINITION = "the commit has no CI definition"
BARE_COMMITS = 10_000
"""Commits without a definition that are remembered: the push that follows their check suite costs no request."""


class Submitter:
    """Submits builds; the same request handled twice, or by two workers at once, is one build."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._judge = Judge(rooms.config, rooms.people)
        self._bare = RecentSet[Commit](BARE_COMMITS)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def submit(self, request: BuildRequest, now: datetime, *, last_attempt: bool = False) -> str:
        """Read, judge, evaluate and submit; gives what came of it in a sentence.

        What the author or the policy did ends in a check-run. An `UpstreamError` that may pass is raised, for the caller
        to try again, unless this is the last attempt: then the check-run says so.
        """
        # By commit and not by build: two builds of one commit may have one refusal.
        lock = self._locks.setdefault(refusal_id(request.commit), asyncio.Lock())
        async with lock:
            known = await self._rooms.builds.get(request.id)
            if known and known.state is not BuildState.SUBMITTING:
                return f"already built as {known.workflow_name}"
            if request.automatic and not known and await self._built(request):
                return "the commit is built already"
            if request.commit in self._bare:
                return NO_DEFINITION
            source = await read_source(request, self._rooms.commits, self._rooms.config)
            if not has_definition(source, self._rooms.config):
                if not is_foreign(request, source):
                    self._bare.add(request.commit)
                return NO_DEFINITION
            return await self._judged(request, source, now, last_attempt=last_attempt)

    async def _built(self, request: BuildRequest) -> bool:
        """Say whether a commit was built for another event than this one, or by somebody's wish."""
        return await self._rooms.builds.is_built(request.commit, request.ref, but=refusal_id(request.commit))

    async def stop(self, wish: StopRequest) -> str:
        """Stop the builds of a pull request; gives what came of it in a sentence."""
        return await stop_pull_request(wish, self._rooms.builds, self._rooms.workflows)

    async def _judged(
        self, request: BuildRequest, source: CommitSource, now: datetime, *, last_attempt: bool
    ) -> str:
        config = self._rooms.config
        decision = await self._judge.decide(request, source)
        if isinstance(decision, Ignored):
            return decision.reason
        if isinstance(decision, Refused):
            refusal = new_build(replace(request, id=refusal_id(request.commit)), config, now)
            return await self._conclude(refusal, request, content.refused(decision))
        changed = await changed_files(request, source, self._rooms.commits)
        request = replace(request, changed_files=changed)
        try:
            tools = Tools(self._rooms.sandbox, config, self._rooms.workflows)
            prepared = await prepare(request, source, tools, now)
        except DefinitionError as error:
            return await self._definition_failed(request, error, now)
        except UpstreamError as error:  # a module of another repository, or a template of the cluster
            if error.retryable and not last_attempt:
                raise
            return await self._definition_failed(request, DefinitionError(str(error)), now)
        if prepared is None:
            return "the definition says that there is nothing to run"
        if prepared.skip:
            build = prepared.build
            check = content.skipped(build.check_name, build.entrypoint, prepared.skip)
            return await self._conclude(build, request, check)
        try:
            return await self._start(request, prepared, last_attempt=last_attempt)
        except DefinitionError as error:
            return await self._definition_failed(request, error, now)

    async def _start(self, request: BuildRequest, prepared: Prepared, *, last_attempt: bool) -> str:
        """Create the check-run, then the workflow that names it, then let older builds go.

        Only then the build counts as running: killed in between, it is taken up where it stands.
        """
        render(prepared, self._rooms.config)  # what cannot be submitted is found before GitHub hears of it
        build = await self._with_check_run(prepared.build, setup(self._subject(prepared.build)))
        if not build.workflow_uid:
            manifest = render(replace(prepared, build=build), self._rooms.config)
            try:
                created = await self._create_once(manifest, build)
            except UpstreamError as error:
                if error.retryable and not last_attempt:
                    raise
                return await self._creation_failed(build, error)
            build = await self._rooms.builds.change(build.id, workflow_uid=created["metadata"]["uid"])
        await supersede(build, self._rooms.builds, self._rooms.workflows)
        if build.stopped:  # while there was no workflow yet
            await self._rooms.workflows.stop(build.namespace, build.workflow_name)
        await self._lift_refusal(request, build)
        await self._rooms.builds.begin(build.id)
        return f"submitted {build.namespace}/{build.workflow_name}"

    def _subject(self, build: Build) -> Subject:
        return subject_of(build, self._rooms.argo_ui)

    async def _with_check_run(
        self, build: Build, check: CheckRun, annotations: tuple[Annotation, ...] = ()
    ) -> Build:
        """Record a build and create its check-run, or find the one that was created before a crash."""
        known = await self._rooms.builds.get(build.id)
        if known is None:
            build = await self._rooms.builds.add(build)
        elif known.check_run_id:
            return known
        found = await self._rooms.checks.find(build.commit, check) if known else None
        check_run_id = found or await self._rooms.checks.create(build.commit, check, annotations)
        told = Reported(digest=digest_of(check), writes=1, annotations=len(annotations))
        await self._rooms.builds.save_reported(build.id, told)
        return await self._rooms.builds.change(build.id, check_run_id=check_run_id)

    async def _create_once(self, manifest: JsonObject, build: Build) -> JsonObject:
        """Create the workflow; one of this name that carries our build's id is the one we made before."""
        try:
            return await self._rooms.workflows.create(manifest)
        except Conflict:
            existing = await self._rooms.workflows.get(build.namespace, build.workflow_name)
            if metadata.annotations_of(existing).get(metadata.BUILD_ID) != build.id:
                raise
            return existing

    async def _definition_failed(self, request: BuildRequest, error: DefinitionError, now: datetime) -> str:
        failed = new_build(request, self._rooms.config, now)
        check = content.definition_failed(error, prefix=_prefix(error), external_id=request.entrypoint)
        if isinstance(error, EvaluationFailed):
            check = with_notes(check, prints=error.prints)
        annotation = content.annotation_of(error)
        return await self._conclude(failed, request, check, (annotation,) if annotation else ())

    async def _creation_failed(self, build: Build, error: UpstreamError) -> str:
        subject = self._subject(build)
        check = content.definition_failed(
            error,
            prefix="argo workflow creation failed, ",
            name=subject.check_name,
            external_id=subject.external_id,
            details_url=subject.details_url,
        )
        check = with_notes(check, warnings=build.warnings, prints=build.prints)
        await self._rooms.checks.update(build.commit.repository, build.check_run_id, check)
        await self._rooms.builds.change(build.id, state=BuildState.FINISHED)
        return check.summary

    async def _conclude(
        self, build: Build, request: BuildRequest, check: CheckRun, annotations: tuple[Annotation, ...] = ()
    ) -> str:
        """Write a check-run that is concluded from the start; its details lead to the CI files."""
        home = (request.repository_object or {}).get("html_url", "")
        if home:
            # The fragment tells two builds of one commit apart when the check-run is looked for after a crash.
            address = f"{home}/tree/{build.commit.sha}/{self._rooms.config.ci_context_path}#{build.id[:12]}"
            check = replace(check, details_url=address)
        build = await self._with_check_run(build, check, annotations)
        told = await self._rooms.builds.reported(build.id)
        if told.digest != digest_of(check):
            # An earlier try came further than this one: its check-run must not stay open.
            check = replace(check, name=build.check_name)
            await self._rooms.checks.update(build.commit.repository, build.check_run_id, check, annotations)
        await self._rooms.builds.change(build.id, state=BuildState.FINISHED)
        return f"{check.name}: {check.conclusion}: {check.title}"

    async def _lift_refusal(self, request: BuildRequest, build: Build) -> None:
        """Conclude the refusal of a commit that is built after all, so that it no longer asks for anything."""
        refusal = await self._rooms.builds.get(refusal_id(request.commit))
        if refusal is None or refusal.superseded_by or not refusal.check_run_id:
            return
        check = content.refusal_superseded(build.check_name)
        await self._rooms.checks.update(refusal.commit.repository, refusal.check_run_id, check)
        await self._rooms.builds.change(refusal.id, superseded_by=build.id)


def _prefix(error: DefinitionError) -> str:
    kind = (
        "error finding workflow endpoint, "
        if isinstance(error, EntrypointError)
        else "unable to parse workflow, "
    )
    return "" if error.message.startswith("creation of cache volume failed") else kind
