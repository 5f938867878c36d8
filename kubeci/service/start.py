"""Create a build's check-run and then its workflow, whatever stops that in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from kubeci.errors import Conflict, DefinitionError, KubeCIError, Unready, UpstreamError
from kubeci.model.build import Build, BuildRequest, BuildState
from kubeci.model.json import JsonObject
from kubeci.report.check_run import Subject, setup
from kubeci.service.adopt import adopt
from kubeci.service.caches import ensure
from kubeci.service.check_runs import CheckRuns
from kubeci.service.deployments import DeploymentReports
from kubeci.service.patience import final, may_heal, waits_long
from kubeci.service.prepare import Prepared, new_build, render
from kubeci.service.rooms import Rooms
from kubeci.service.subject import subject_of
from kubeci.service.supersede import stop_or_say, supersede
from kubeci.service.turns import Turns
from kubeci.service.unbegun import conclude_unbegun, creation_of, is_unmade, is_unwanted, withdraw
from kubeci.workflow import metadata


class Starter:
    """Starts builds whose definitions were evaluated and allowed."""

    def __init__(self, rooms: Rooms, check_runs: CheckRuns, deployments: DeploymentReports) -> None:
        self._rooms = rooms
        self._check_runs = check_runs
        self._deployments = deployments
        self._turns = Turns()

    async def start(self, prepared: Prepared, *, last_attempt: bool) -> str:
        """Create the check-run, then the workflow that names it, then let older builds go.

        The build counts as running when all of it is done: killed in between, it is taken up where it stands.
        """
        subject = subject_of(prepared.build, self._rooms.argo_ui)
        build = await self._check_runs.begin(await self._anew(prepared.build), setup(subject))
        if not build.workflow_uid:
            async with self._rooms.exclusive.hold(creation_of(build)):
                told = await self._create(prepared, build.id, subject, last_attempt=last_attempt)
            if isinstance(told, str):
                return told
            build = told
        if unstopped := await supersede(build, self._rooms):
            await self._rooms.builds.warn(build.id, tuple(dict.fromkeys((*build.warnings, *unstopped))))
        if is_unwanted(build):  # since before there was a workflow
            await stop_or_say(build, self._rooms.cluster.workflows)
        return f"submitted {build.namespace}/{build.workflow_name}"

    async def wait(self, request: BuildRequest, error: Unready, now: datetime) -> None:
        """Say on a queued check-run that the cluster holds a part of the definition, which cannot be read yet."""
        build = new_build(request, self._rooms.config, now)
        subject = subject_of(build, self._rooms.argo_ui)
        build = await self._check_runs.begin(await self._anew(build), setup(subject))
        if is_unwanted(build):
            await conclude_unbegun(build, self._rooms)
        else:
            await self._check_runs.waits(build, subject, error)

    async def _create(
        self, prepared: Prepared, build_id: str, subject: Subject, *, last_attempt: bool
    ) -> Build | str:
        """Create the workflow of a build unless nobody wants it any more; a sentence says why there is none."""
        build = await self._read(build_id)
        if is_unwanted(build):
            return await self._unwanted(build, last_attempt=last_attempt)
        manifest = render(replace(prepared, build=build), self._rooms.config)
        try:
            with self._turns.turn(sure=last_attempt):
                notes = await ensure(prepared.cache, self._rooms) if prepared.cache else ()
                created = await self._create_once(manifest, build)
        except (UpstreamError, DefinitionError) as error:
            build = await self._read(build_id)
            if build.workflow_uid:  # an earlier try made it, and it was seen
                return build
            if is_unwanted(build):
                return await self._unwanted(build, last_attempt=last_attempt)
            if isinstance(error, UpstreamError):
                long = waits_long(build, prepared.wanted_at, self._rooms.clock())
                if may_heal(error) and (long or not last_attempt):
                    raise await self._waiting(build, subject, error) from error
                if error.retryable and not last_attempt:
                    raise
                if error.retryable and await self._has_workflow(build):  # and its answer was lost
                    return await self._read(build_id)
            refusal = final(error, prepared.warnings)
            await refuse_deployment(build, refusal, self._deployments)
            return await self._check_runs.creation_failed(build, subject, refusal)
        if notes:
            await self._rooms.builds.warn(build.id, (*build.warnings, *notes))
        return await self._rooms.builds.change(build.id, workflow_uid=created["metadata"]["uid"])

    async def _read(self, build_id: str) -> Build:
        build = await self._rooms.builds.get(build_id)
        assert build is not None
        return build

    async def _unwanted(self, build: Build, *, last_attempt: bool) -> str:
        await conclude_unbegun(build, self._rooms)
        return await withdraw(build, self._rooms, last_attempt=last_attempt)

    async def _has_workflow(self, build: Build) -> bool:
        try:
            return await adopt(build, self._rooms)
        except UpstreamError:  # if there is one, the reconciler gives it a check-run of its own
            return False

    async def _waiting(self, build: Build, subject: Subject, error: UpstreamError) -> Unready:
        """Give what is to be raised, after the check-run says for what its build may have to wait long."""
        await self._check_runs.waits(build, subject, error)
        return Unready(str(error), status=error.status, public=error.public)

    async def _anew(self, build: Build) -> Build:
        """Take up a build that was concluded without a workflow: its check-run is, so that it gets another one."""
        known = await self._rooms.builds.get(build.id)
        if known and known.state is BuildState.SKIPPED:
            await self._rooms.builds.change(build.id, state=BuildState.SUBMITTING, check_run_id=0)
        elif known and is_unmade(known):
            await self._check_runs.lift_failure(known, build.check_name)
            # It belongs to whoever asked for it now: what is looked for later is whether their delivery waits.
            asked = {"delivery_id": build.delivery_id, "what": build.what.value, "actor": build.actor}
            await self._rooms.builds.change(build.id, state=BuildState.LOST, **asked)
        return build

    async def _create_once(self, manifest: JsonObject, build: Build) -> JsonObject:
        """Create the workflow; one of this name that carries our nonce is the one we made before."""
        try:
            return await self._rooms.cluster.workflows.create(manifest)
        except Conflict:
            existing = await self._rooms.cluster.workflows.get(build.namespace, build.workflow_name)
            if not metadata.is_of(existing, build):
                raise
            return existing


async def refuse_deployment(build: Build, error: KubeCIError, deployments: DeploymentReports) -> None:
    """Tell the deployment that asked for a build, if one did, why there is none."""
    if build.deployment_id:
        await deployments.refused(build.commit.repository, build.deployment_id, error.public)
