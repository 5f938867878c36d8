"""The API's runs: what is asked for goes to the use cases, what comes of it becomes JSON."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import structlog
from msgspec import UNSET
from starlette.requests import Request
from starlette.types import ASGIApp

from kubeci.model.build import Build
from kubeci.model.repository import Ref, RefType
from kubeci.ports import Builds
from kubeci.service.look import Look
from kubeci.service.run_logs import LogWish
from kubeci.service.run_seen import page_of, see
from kubeci.service.run_wish import By, Unfit, Wanted, context_files
from kubeci.service.runs import Runs
from kubeci.settings.api import ApiToken, Verb
from kubeci.web.api import shapes
from kubeci.web.api.answers import Refused, answer, of_unfit
from kubeci.web.api.log_stream import LogStreams
from kubeci.web.api.reading import body_of, key_of, query_of
from kubeci.web.api.resource import require
from kubeci.web.api.shown import Shown

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
RUN_ID = re.compile(r"[0-9a-f]{40}")

log = structlog.get_logger(__name__)


class RunEndpoints:
    """The handlers of all that is about runs."""

    def __init__(self, runs: Runs, builds: Builds, look: Look, logs: LogStreams, shown: Shown) -> None:
        self._runs = runs
        self._builds = builds
        self._look = look
        self._logs = logs
        self._shown = shown

    async def start(self, request: Request, token: ApiToken) -> ASGIApp:
        """`POST /api/v1/run`."""
        asked = await body_of(request, shapes.RunRequest)
        verb = Verb.RUN if asked.run else Verb.RENDER
        require(token, verb, f"{asked.org}/{asked.repo}")
        wanted, by = _wanted(asked), _by(token, verb, key_of(request))
        if not asked.run:
            rendered = await self._runs.render(wanted, by)
            if isinstance(rendered, Unfit):
                raise of_unfit(rendered)
            return answer(shapes.Rendering(rendered.workflow, rendered.debug))
        started = await self._runs.run(wanted, by)
        if isinstance(started, Unfit):
            raise of_unfit(started)
        _note(token, verb, started.build)
        workflow, debug = started.rendered.workflow, started.rendered.debug
        body = shapes.Submission(workflow, debug, self._shown.run(started.build))
        return answer(body, 201 if started.new else 200)

    async def list(self, request: Request, token: ApiToken) -> ASGIApp:
        """`GET /api/v1/runs`."""
        asked = query_of(request, shapes.ListQuery)
        repository = asked.repository or ""
        if repository:
            require(token, Verb.READ, repository)
        elif Verb.READ not in token.verbs:
            raise Refused(403, f"the token `{token.name}` may not {Verb.READ} anything")
        before = EPOCH + int(asked.before) * MICROSECOND if asked.before is not UNSET else None
        page = await page_of(
            self._builds, token.reaches, repository=repository, before=before, limit=asked.limit
        )
        following = str((page.before - EPOCH) // MICROSECOND) if page.before else None
        return answer(shapes.RunList([self._shown.run(build) for build in page.builds], following))

    async def show(self, request: Request, token: ApiToken) -> ASGIApp:
        """`GET /api/v1/runs/{id}`."""
        build = await self._build(request, token, Verb.READ)
        return answer(self._shown.detail(await see(build, self._builds, self._look)))

    async def cancel(self, request: Request, token: ApiToken) -> ASGIApp:
        """`POST /api/v1/runs/{id}/cancel`."""
        build = await self._build(request, token, Verb.CANCEL)
        told = await self._runs.cancel(build, _by(token, Verb.CANCEL, key_of(request)))
        if isinstance(told, Unfit):
            raise of_unfit(told)
        _note(token, Verb.CANCEL, build)
        return answer(shapes.Told(told, self._shown.run(await self._builds.get(build.id) or build)))

    async def retry(self, request: Request, token: ApiToken) -> ASGIApp:
        """`POST /api/v1/runs/{id}/retry`."""
        build = await self._build(request, token, Verb.RETRY)
        repeated = await self._runs.retry(build, _by(token, Verb.RETRY, key_of(request)))
        if isinstance(repeated, Unfit):
            raise of_unfit(repeated)
        _note(token, Verb.RETRY, repeated.build)
        return answer(shapes.Told(repeated.told, self._shown.run(repeated.build)))

    async def logs(self, request: Request, token: ApiToken) -> ASGIApp:
        """`GET /api/v1/runs/{id}/logs`."""
        asked = query_of(request, shapes.LogQuery)
        build = await self._build(request, token, Verb.READ)
        return self._logs.answer(LogWish(build, asked.node, asked.container, asked.follow))

    async def _build(self, request: Request, token: ApiToken, verb: Verb) -> Build:
        """Find the build of the path; one that the token does not reach is not there, so that nobody learns of it."""
        build_id = request.path_params["id"]
        build = await self._builds.get(build_id) if RUN_ID.fullmatch(build_id) else None
        if build is None or not token.reaches(build.commit.repository.full_name):
            raise Refused(404, "there is no such run")
        require(token, verb, build.commit.repository.full_name)
        return build


def _note(token: ApiToken, verb: Verb, build: Build) -> None:
    where = build.commit.repository.full_name
    log.info("the API was used", token=token.name, verb=verb, repository=where, build=build.id)


def _by(token: ApiToken, verb: Verb, key: str = "") -> By:
    return By(f"api:{token.name}", lambda full_name: token.may(verb, full_name), key)


def _wanted(asked: shapes.RunRequest) -> Wanted:
    files = context_files(asked.ci_context) if asked.ci_context is not None else None
    if isinstance(files, Unfit):
        raise of_unfit(files)
    ref = Ref(asked.ref, RefType(asked.ref_type or "branch"))
    return Wanted(asked.org, asked.repo, ref, asked.hash.lower(), asked.entrypoint, files)
