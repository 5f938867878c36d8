"""The pages of issues, and what people write there and on pull requests."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from kubeci.local.github.conversation import Issue, Thread, find_thread
from kubeci.local.github.page import COMMENT_LIMIT, Page, read_form, refusals
from kubeci.local.github.views_talk import conversation


class IssuePages:
    """Lists and shows issues, and takes comments."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def routes(self) -> list[Route]:
        """Give the routes."""
        issues = "/{owner}/{repo}/issues"
        return [
            Route(issues, self.list),
            Route(issues, self.open, methods=["POST"]),
            Route(f"{issues}/{{number:int}}", self.show),
            Route(f"{issues}/{{number:int}}/comments", self.comment, methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        """List a repository's issues, newest first."""
        repository = self._page.repository(request)
        issues = [each for each in reversed(self._page.state.issues) if each.repository is repository]
        return await self._page.show(request, "issues.html", repository=repository, issues=issues)

    async def show(self, request: Request) -> Response:
        """Show an issue; the number of a pull request leads to its page."""
        thread = self._thread(request)
        if not isinstance(thread, Issue):
            return RedirectResponse(_address(thread), 302)
        said = await conversation(self._page.state, thread)
        return await self._page.show(
            request, "issue.html", repository=thread.repository, issue=thread, said=said
        )

    async def open(self, request: Request) -> Response:
        """Take a new issue."""
        form = await read_form(request, COMMENT_LIMIT)
        full_name = self._page.repository(request).full_name
        with refusals():
            issue = await self._page.people.open_issue(
                full_name, form.get("title", ""), form.get("body", ""), by=self._page.actor(request)
            )
        return RedirectResponse(_address(issue), 303)

    async def comment(self, request: Request) -> Response:
        """Take a comment on an issue or a pull request."""
        form, thread = await read_form(request, COMMENT_LIMIT), self._thread(request)
        name, body = thread.repository.full_name, form.get("body", "")
        with refusals():
            comment = await self._page.people.comment(name, thread.number, body, by=self._page.actor(request))
        return RedirectResponse(f"{_address(thread)}#issuecomment-{comment.id}", 303)

    def _thread(self, request: Request) -> Thread:
        number = request.path_params["number"]
        found = find_thread(self._page.state, self._page.repository(request), number)
        if found is None:
            raise HTTPException(404)
        return found


def _address(thread: Thread) -> str:
    kind = "issues" if isinstance(thread, Issue) else "pull"
    return f"/{thread.repository.full_name}/{kind}/{thread.number}"
