"""What GitHub delivered to the App's webhook, and asking for it again (docs.github.com/rest/apps/webhooks)."""

from __future__ import annotations

import msgspec

from kubeci.errors import UpstreamError
from kubeci.github.app import GitHubApp
from kubeci.github.request import Request
from kubeci.model.attempt import Attempt, AttemptPage
from kubeci.model.repository import Repository

LIST = "/app/hook/deliveries"
AGAIN = "/app/hook/deliveries/{delivery_id}/attempts"
PAGE = 100
NO_REPOSITORY = Repository("", "", 0)


class GitHubHookDeliveries:
    """Fulfils the port `HookDeliveries`, as the App itself: it needs no installation."""

    def __init__(self, app: GitHubApp) -> None:
        self._app = app

    async def page(self, cursor: str = "", *, length: int = PAGE) -> AttemptPage:
        """Read some attempts, newest first; without a cursor the newest ones."""
        query: dict[str, str | int] = {"per_page": length} | ({"cursor": cursor} if cursor else {})
        request = Request("GET", LIST, query=query, repeatable=True)
        answer = await self._app.page_as_app(NO_REPOSITORY, request)
        try:
            attempts = msgspec.convert(answer.body, tuple[Attempt, ...])
        except msgspec.ValidationError as error:
            raise UpstreamError(f"GitHub's answer to GET {LIST} is of another shape: {error}") from error
        return AttemptPage(attempts, answer.following.get("cursor", ""))

    async def redeliver(self, attempt: Attempt) -> None:
        """Ask for a delivery once more: whoever takes it knows its guid, so that it may be asked for twice."""
        parameters = {"delivery_id": attempt.id}
        await self._app.page_as_app(
            NO_REPOSITORY, Request("POST", AGAIN, parameters=parameters, repeatable=True)
        )
