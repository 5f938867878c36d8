"""The pages of pull requests, and what is pressed there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from kubeci.local.github import views_pulls
from kubeci.local.github.memberships import may_write
from kubeci.local.github.page import Page, read_form, refusals
from kubeci.local.github.state import PullRequest
from kubeci.local.github.views_talk import conversation


class PullPages:
    """Lists and shows pull requests."""

    def __init__(self, page: Page) -> None:
        self._page = page
        people = page.people
        # Who may not write may still close, reopen and draft a pull request of their own.
        self._own: dict[str, Callable[..., Awaitable[Any]]] = {
            "close": people.close_pull_request,
            "reopen": people.reopen_pull_request,
            "draft": people.convert_to_draft,
            "ready": people.ready_for_review,
        }
        self._writers: dict[str, Callable[..., Awaitable[Any]]] = {
            "merge": people.merge_pull_request,
            "enqueue": people.enqueue,
            "dequeue": people.dequeue,
        }

    def routes(self) -> list[Route]:
        """Give the routes."""
        pull = "/{owner}/{repo}/pull/{number:int}"
        return [
            Route("/{owner}/{repo}/pulls", self.list),
            Route(pull, self.show),
            Route(f"{pull}/{{verb}}", self.press, methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        """List a repository's pull requests, newest first, open ones before the others."""
        repository, state = self._page.repository(request), self._page.state
        pulls = [pull for pull in reversed(state.pull_requests) if pull.base is repository]
        pulls.sort(key=lambda pull: pull.state == "closed")
        rows = [await views_pulls.pull_row(state, pull) for pull in pulls]
        return await self._page.show(request, "pulls.html", repository=repository, rows=rows)

    async def show(self, request: Request) -> Response:
        """Show a pull request with its checks and what keeps it from being merged."""
        pull, state = self._pull(request), self._page.state
        looking = state.user(self._page.actor(request))
        view = await views_pulls.pull_view(state, pull, looking)
        said = await conversation(state, pull)
        return await self._page.show(
            request, "pull.html", repository=pull.base, pull=pull, view=view, said=said
        )

    async def press(self, request: Request) -> Response:
        """Take a press of one of the page's buttons."""
        await read_form(request)
        pull, verb = self._pull(request), request.path_params["verb"]
        word = self._own.get(verb) or self._writers.get(verb)
        if word is None:
            raise HTTPException(404)
        login = self._page.actor(request)
        account = self._page.state.user(login)
        if not (
            may_write(self._page.state, pull.base, account) or (verb in self._own and account == pull.user)
        ):
            raise HTTPException(403, f"{login} may not {verb} this pull request")
        with refusals():
            await word(pull, by=login)
        return RedirectResponse(f"/{pull.base.full_name}/pull/{pull.number}", 303)

    def _pull(self, request: Request) -> PullRequest:
        repository, number = self._page.repository(request), request.path_params["number"]
        for pull in self._page.state.pull_requests:
            if pull.base is repository and pull.number == number:
                return pull
        raise HTTPException(404)
