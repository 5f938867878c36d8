"""The pages that a person looks at: repositories, a commit's checks, a check-run, deliveries."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from kubeci.local.github import git, views
from kubeci.local.github.conclusions import summed_up
from kubeci.local.github.deliveries import Deliveries
from kubeci.local.github.git_content import is_binary, read_commit
from kubeci.local.github.memberships import may_write
from kubeci.local.github.page import Page, read_form, refusals
from kubeci.local.github.pulls import pulls_headed
from kubeci.local.github.state import CheckRun, CheckSuite, Repository

ANNOTATIONS_SHOWN = 500
DELIVERIES_SHOWN = 100


class Pages:
    """Renders pages, and passes pressed buttons on as people's doings."""

    def __init__(self, page: Page, deliveries: Deliveries) -> None:
        self._page = page
        self._people = page.people
        self._state = page.state
        self._deliveries = deliveries

    def routes(self) -> list[Route]:
        """Give the routes; those of the API must come before."""
        run, suite = "/{owner}/{repo}/runs/{id:int}", "/{owner}/{repo}/suites/{id:int}"
        return [
            Route("/", self.index),
            Route("/deliveries", self.deliveries),
            Route("/deliveries/{id:int}/redeliver", self.redeliver, methods=["POST"]),
            Route("/{owner}/{repo}", self.repository),
            Route("/{owner}/{repo}/commit/{sha}", self.commit),
            Route("/{owner}/{repo}/commit/{sha}/checks", self.commit),
            Route("/{owner}/{repo}/blob/{sha}/{path:path}", self.blob),
            Route("/{owner}/{repo}/tree/{ref:path}", self.tree),
            Route(run, self.run),
            Route(f"{run}/rerequest", self.rerequest, methods=["POST"]),
            Route(f"{run}/action", self.press, methods=["POST"]),
            Route(f"{suite}/rerequest", self.rerequest_suite, methods=["POST"]),
        ]

    async def index(self, request: Request) -> Response:
        """List the repositories."""
        shown = []
        for repository in self._state.repositories.values():
            all_branches = await views.branches(self._state, repository)
            default = [b for b in all_branches if b.name == repository.default_branch]
            head = default[0].rows[0] if default and default[0].rows else None
            shown.append({"repository": repository, "branches": len(all_branches), "head": head})
        return await self._page.show(request, "index.html", repositories=shown)

    async def repository(self, request: Request) -> Response:
        """Show a repository's branches and recent commits."""
        repository = self._page.repository(request)
        branches = await views.branches(self._state, repository)
        tags = [ref.removeprefix("refs/tags/") for ref in await git.refs(repository.path, "refs/tags/")]
        heard = self._state.installed_on(repository) is not None
        return await self._page.show(
            request, "repository.html", repository=repository, branches=branches, tags=tags, heard=heard
        )

    async def tree(self, request: Request) -> Response:
        """Lead to the commit of a branch, a tag or a sha; a folder's path behind it is left out, since there is no such page."""
        repository = self._page.repository(request)
        words = request.path_params["ref"].split("/")
        async with git.objects(repository.path) as objects:
            for count in range(len(words), 0, -1):
                found = await objects.peel("/".join(words[:count]))
                if found is not None:
                    return RedirectResponse(f"/{repository.full_name}/commit/{found.oid}", status_code=302)
        raise HTTPException(404)

    async def commit(self, request: Request) -> Response:
        """Show a commit's checks."""
        repository = self._page.repository(request)
        async with git.objects(repository.path) as objects:
            found = await objects.peel(request.path_params["sha"])
        if found is None:
            raise HTTPException(404)
        commit = read_commit(found.oid, found.content)
        suite = self._state.suite_of(repository, commit.oid)
        listed = self._page.listed(suite) if suite else []
        total = views.outcome(*summed_up(suite, self._state.runs_of(suite))) if suite and listed else ""
        return await self._page.show(
            request,
            "commit.html",
            repository=repository,
            writer=self._writes(request, repository),
            commit=commit,
            suite=suite,
            runs=listed,
            total=total,
            pulls=await pulls_headed(self._state, repository, commit.oid),
        )

    async def run(self, request: Request) -> Response:
        """Show a check-run."""
        run = self._run(request)
        files = await views.annotated_files(run.suite, run.annotations[:ANNOTATIONS_SHOWN])
        return await self._page.show(
            request,
            "run.html",
            repository=run.suite.repository,
            writer=self._writes(request, run.suite.repository),
            suite=run.suite,
            pulls=await pulls_headed(self._state, run.suite.repository, run.suite.head_sha),
            run=run,
            outcome=views.outcome(run.status, run.conclusion),
            duration=views.duration(run, self._state.now()),
            runs=self._page.listed(run.suite),
            files=files,
            annotations_hidden=max(0, len(run.annotations) - ANNOTATIONS_SHOWN),
            attempts=[each for each in self._state.runs_of(run.suite) if each.name == run.name],
        )

    async def blob(self, request: Request) -> Response:
        """Show a file at a commit."""
        repository, sha, path = (
            self._page.repository(request),
            request.path_params["sha"],
            request.path_params["path"],
        )
        async with git.objects(repository.path) as objects:
            found = await objects.get(f"{sha}:{path}")
        if found is None or found.type != "blob":
            raise HTTPException(404)
        lines = [] if is_binary(found.content) else found.content.decode("utf-8", "replace").splitlines()
        return await self._page.show(
            request, "blob.html", repository=repository, sha=sha, path=path, lines=lines
        )

    async def deliveries(self, request: Request) -> Response:
        """List the webhook deliveries, newest first."""
        newest = list(reversed(self._deliveries.sent))[:DELIVERIES_SHOWN]
        return await self._page.show(request, "deliveries.html", deliveries=newest, url=self._deliveries.url)

    async def redeliver(self, request: Request) -> Response:
        """Send a delivery once more."""
        await read_form(request)
        found = self._deliveries.find(request.path_params["id"])
        if found is None:
            raise HTTPException(404)
        self._deliveries.add(found.event, found.payload, guid=found.guid)
        return RedirectResponse("/deliveries", 303)

    async def rerequest(self, request: Request) -> Response:
        """Take a press of "Re-run"."""
        await read_form(request)
        run = self._run(request)
        self._refuse_readers(request, run.suite.repository)
        with refusals():
            await self._people.rerequest(run.id, by=self._page.actor(request))
        return self._back(run.suite)

    async def press(self, request: Request) -> Response:
        """Take a press of one of the App's own buttons."""
        form = await read_form(request)
        run = self._run(request)
        with refusals():
            await self._people.press(run.id, form.get("identifier", ""), by=self._page.actor(request))
        return self._back(run.suite)

    async def rerequest_suite(self, request: Request) -> Response:
        """Take a press of "Re-run all checks"."""
        await read_form(request)
        suite = self._state.suites.get(request.path_params["id"])
        if suite is None or suite.repository is not self._page.repository(request):
            raise HTTPException(404)
        self._refuse_readers(request, suite.repository)
        with refusals():
            await self._people.rerequest_suite(suite.id, by=self._page.actor(request))
        return self._back(suite)

    def _refuse_readers(self, request: Request, repository: Repository) -> None:
        """Let only those re-run who may write, as GitHub does."""
        if not self._writes(request, repository):
            actor = self._page.actor(request)
            raise HTTPException(403, f"{actor} may not re-run checks: it takes write permission")

    def _writes(self, request: Request, repository: Repository) -> bool:
        return may_write(self._state, repository, self._state.user(self._page.actor(request)))

    def _back(self, suite: CheckSuite) -> Response:
        return RedirectResponse(f"/{suite.repository.full_name}/commit/{suite.head_sha}/checks", 303)

    def _run(self, request: Request) -> CheckRun:
        run = self._state.runs.get(request.path_params["id"])
        if run is None or run.suite.repository is not self._page.repository(request):
            raise HTTPException(404)
        return run
