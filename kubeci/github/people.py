"""What people may do, as GitHub says; remembered for some minutes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable

from kubeci.errors import NotFound
from kubeci.github.app import GitHubApp
from kubeci.github.request import Request
from kubeci.model.repository import Repository

PERMISSION = "/repos/{owner}/{repo}/collaborators/{username}/permission"
MEMBER = "/orgs/{org}/members/{username}"
REMEMBERED_SECONDS = 300.0
REMEMBERED_ANSWERS = 10_000
WRITING = frozenset({"admin", "write"})  # `maintain` is told as write: docs.github.com/rest/collaborators


class GitHubPeople:
    """Fulfils the port `People`; an answer that GitHub does not give is an error, never a yes."""

    def __init__(self, app: GitHubApp) -> None:
        self._app = app
        self._answers: OrderedDict[tuple[str, str, str], tuple[float, bool]] = OrderedDict()

    async def may_write(self, repository: Repository, login: str) -> bool:
        """Say whether somebody may write to a repository, by whatever way."""

        async def ask() -> bool:
            request = Request("GET", PERMISSION, parameters={"username": login}, repeatable=True)
            answer = await self._app.send(repository, request)
            return answer.get("permission") in WRITING

        return await self._remembered(("write", repository.full_name, login), ask)

    async def is_member(self, repository: Repository, login: str) -> bool:
        """Say whether somebody is a member of the organisation that owns a repository."""

        async def ask() -> bool:
            parameters = {"org": repository.owner, "username": login}
            await self._app.send(repository, Request("GET", MEMBER, parameters=parameters, repeatable=True))
            return True

        return await self._remembered(("member", repository.owner, login), ask)

    async def _remembered(self, key: tuple[str, str, str], ask: Callable[[], Awaitable[bool]]) -> bool:
        now = self._app.now()
        known = self._answers.get(key)
        if known and now < known[0]:
            return known[1]
        try:
            answer = await ask()
        except NotFound:
            answer = False
        self._answers[key] = (now + REMEMBERED_SECONDS, answer)
        self._answers.move_to_end(key)
        while len(self._answers) > REMEMBERED_ANSWERS:
            self._answers.popitem(last=False)
        return answer
