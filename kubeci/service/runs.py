"""Runs that somebody asks for by name: rendered, started, repeated, stopped (contract, section 10)."""

from __future__ import annotations

from dataclasses import replace

import structlog

from kubeci.definition.definition import EvaluationFailed
from kubeci.errors import DefinitionError, NotFound, UpstreamError
from kubeci.model.build import Build, BuildRequest, BuildState, DeploymentRequest
from kubeci.model.repository import Commit, Repository
from kubeci.model.trust import Person, What
from kubeci.service.adopt import adopt
from kubeci.service.cancel import UNDER_WAY, cancel
from kubeci.service.changed import changed_files
from kubeci.service.dispatch import Admission
from kubeci.service.identity import explicit_build_id, submission_of
from kubeci.service.judge import Judge
from kubeci.service.lost import end_unwanted
from kubeci.service.named import Named, find_repository
from kubeci.service.prepare import Tools, has_definition, prepare, render
from kubeci.service.retry import Retrier
from kubeci.service.rooms import Rooms
from kubeci.service.run_wish import By, Rendered, Repeated, Started, Unfit, Wanted, Why
from kubeci.service.sources import read_source
from kubeci.service.submit import NO_DEFINITION, Submitter

log = structlog.get_logger(__name__)


class Runs:
    """Does what the HTTP API's callers ask for."""

    def __init__(self, rooms: Rooms, submitter: Submitter, admission: Admission) -> None:
        self._rooms = rooms
        self._submitter = submitter
        self._retrier = Retrier(rooms, submitter)
        self._admission = admission
        self._judge = Judge(rooms.config, rooms.github.people)

    async def render(self, wanted: Wanted, by: By) -> Rendered | Unfit:
        """Evaluate and check a definition as a run would, without submitting anything.

        Raises `NotFound` when there is no such repository or commit, and `UpstreamError`.
        """
        return await self._rendered(await self._request(wanted, by))

    async def run(self, wanted: Wanted, by: By) -> Started | Unfit:
        """Submit a run with its check-run, by the way of all builds; what cannot be rendered leaves no trace on GitHub.

        Raises `NotFound` when there is no such repository or commit, and `UpstreamError`.
        """
        request = await self._request(wanted, by)
        rendered = await self._rendered(request)
        if isinstance(rendered, Unfit):
            return rendered
        # Two requests with one Idempotency-Key may come at once, be it to two replicas.
        async with self._rooms.exclusive.hold(f"run {request.id}"):
            return await self._run(request, rendered, by)

    async def _run(self, request: BuildRequest, rendered: Rendered, by: By) -> Started | Unfit:
        known = await self._rooms.builds.get(request.id)
        if known and (known.commit.repository.full_name, known.commit.sha, known.ref) != (
            request.commit.repository.full_name,
            request.commit.sha,
            request.ref,
        ):
            return Unfit("the Idempotency-Key stands for a run of another commit or ref", Why.STATE)
        told = await self._submit(request, by)
        build = await self._rooms.builds.get(request.id)
        if build is None:
            return Unfit(told, Why.STATE, rendered.debug)
        if not build.workflow_uid:
            return Unfit(f"the workflow could not be created: {told}", Why.STATE, rendered.debug)
        return Started(rendered, build, new=known is None or known.state is BuildState.SUBMITTING)

    async def cancel(self, build: Build, by: By) -> str | Unfit:
        """Stop a run, the second time without its exit handlers; gives what came of it in a sentence."""
        if build.state not in UNDER_WAY:
            return Unfit(f"{build.check_name} has ended already", Why.STATE)
        return await self._let(build.commit.repository, by) or await self._stop(build, by)

    async def _stop(self, build: Build, by: By) -> str:
        return await cancel(build, by.name, self._id(by, "cancel", build.id), self._rooms)

    async def retry(self, build: Build, by: By) -> Repeated | Unfit:
        """Run the failed steps of an ended run again, or build it anew.

        Raises `NotFound` when the repository is gone, and `UpstreamError`.
        """
        if build.state in UNDER_WAY:
            return Unfit(f"{build.check_name} has not ended yet", Why.STATE)
        if build.state is BuildState.OFFERED:
            return Unfit(f"{build.check_name} is a manual step that nobody has run yet", Why.STATE)
        repository = build.commit.repository
        if refusal := await self._let(repository, by):
            return refusal
        request = BuildRequest(
            self._id(by, "retry", build.id),
            build.commit,
            build.ref,
            automatic=False,
            entrypoint=build.entrypoint,
            what=What.API,
            actor=Person(by.name),
            head_repository=build.head_repository,
            repository_object=(await find_repository(repository.owner, repository.name, self._rooms)).object,
            deployment=DeploymentRequest(build.deployment_id, build.environment)
            if build.deployment_id
            else None,
            of_build=build.id,
        )
        told = await self._retrier.retry(build, request, self._rooms.clock(), last_attempt=True)
        newer = await self._rooms.builds.get(request.id)
        # What is said of a workflow that was retried names it.
        if newer is None and build.workflow_name not in told:
            return Unfit(told, Why.STATE)
        return Repeated(told, newer or await self._rooms.builds.get(build.id) or build)

    async def _submit(self, request: BuildRequest, by: By) -> str:
        """Submit a request; without a key nobody can take up what broke off, so it ends there.

        With one, what may pass ends nothing: the same request is answered by what came of it.
        """
        try:
            return await self._submitter.submit(request, self._rooms.clock(), last_attempt=not by.key)
        except UpstreamError as error:
            build = None if by.key else await self._rooms.builds.get(request.id)
            if build and build.state is BuildState.SUBMITTING and not build.workflow_uid:
                await self._broken_off(build, error)
            raise

    async def _broken_off(self, build: Build, error: UpstreamError) -> None:
        """End a build; where that cannot be done now, it is found among those that nobody works on."""
        try:
            async with self._rooms.exclusive.hold(submission_of(build.commit)):
                why = f"its submission broke off: {error.public}"
                build = await self._rooms.builds.change(build.id, stopped=why)
                if not await adopt(build, self._rooms):
                    await end_unwanted(build, self._rooms)
        except UpstreamError as refused:
            log.warning("a build that broke off could not be ended", build=build.id, error=str(refused))

    async def _request(self, wanted: Wanted, by: By) -> BuildRequest:
        named = await self._find(wanted, by)
        repository = named.repository
        unknown = f"{repository.full_name} has no commit {wanted.sha}"
        try:
            sha = await self._rooms.github.commits.resolve(repository, wanted.sha)
        except NotFound as error:
            raise NotFound(unknown, status=404) from error
        if sha != wanted.sha:  # of a tag, which stands for a commit
            raise NotFound(unknown, status=404)
        return BuildRequest(
            self._id(by, "run"),
            Commit(repository, sha),
            wanted.ref,
            automatic=False,
            entrypoint=wanted.entrypoint,
            what=What.API,
            actor=Person(by.name),
            repository_object=named.object,
            files=wanted.files,
        )

    async def _find(self, wanted: Wanted, by: By) -> Named:
        """Find the repository; it may have another name now, and who asks must reach that, too."""
        named = await find_repository(wanted.owner, wanted.name, self._rooms)
        if self._admission.refusal(named.repository) or not by.may(named.repository.full_name):
            raise NotFound(f"{wanted.owner}/{wanted.name} is not served here", status=404)
        return named

    async def _rendered(self, request: BuildRequest) -> Rendered | Unfit:
        config, commits = self._rooms.config, self._rooms.github.commits
        try:
            source = await read_source(request, commits, config)
            if not has_definition(source, config):
                return Unfit(NO_DEFINITION)
            request = replace(request, changed_files=await changed_files(request, source, commits))
            tools = Tools(self._rooms.sandbox, config, self._rooms.cluster.workflows)
            prepared = await prepare(request, source, tools, self._rooms.clock())
            if prepared is None:
                return Unfit("the definition says that there is nothing to run")
            build = prepared.build
            return Rendered(render(prepared, config), _debug(build.prints, build.warnings))
        except DefinitionError as error:
            prints = error.prints if isinstance(error, EvaluationFailed) else ()
            return Unfit(str(error), debug=_debug(prints), where=error.where)
        except UpstreamError as error:  # a module of another repository, or a template of the cluster
            if error.retryable:
                raise
            return Unfit(str(error))

    async def _let(self, repository: Repository, by: By) -> Unfit | None:
        if await self._judge.may(What.API, Person(by.name), repository):
            return None
        return Unfit(f"the trust table does not let {by.name} do this (`{What.API}`)", Why.STATE)

    def _id(self, by: By, *what: str) -> str:
        # No delivery of GitHub's is called so.
        return explicit_build_id("\0".join((by.name, *what, by.key or self._rooms.nonce())))


def _debug(prints: tuple[str, ...], warnings: tuple[str, ...] = ()) -> str:
    return "\n".join([*prints, *(f"warning: {text}" for text in warnings)])
