"""Repositories by name, and the installation that lets us in (docs.github.com/rest/apps/apps)."""

from __future__ import annotations

from kubeci.errors import Forbidden, NotFound
from kubeci.github.app import GitHubApp
from kubeci.github.request import Request
from kubeci.model.json import JsonObject
from kubeci.model.repository import Repository

REPOSITORY = "/repos/{owner}/{repo}"
INSTALLATION_OF = "/repos/{owner}/{repo}/installation"
INSTALLATION = "/app/installations/{installation_id}"


class GitHubRepositories:
    """Fulfils the port `Repositories`; `default_installation` is used where GitHub names none, 0: there is none."""

    def __init__(self, app: GitHubApp, *, default_installation: int = 0) -> None:
        self._app = app
        self._default = default_installation

    async def find(self, owner: str, name: str) -> Repository:
        """Find a repository with the installation that lets us in; owner and name are then written as GitHub does.

        `NotFound` when the App is not installed there, or may not see it.
        """
        wanted = Repository(owner, name, 0)
        found = Repository(owner, name, await self._installation(wanted))
        try:
            read = await self.read(found)
        except Forbidden as error:
            raise NotFound(
                f"the App has no access to {wanted.full_name}: {error}", status=error.status
            ) from error
        return Repository(read["owner"]["login"], read["name"], found.installation_id)

    async def read(self, repository: Repository) -> JsonObject:
        """Read GitHub's repository object."""
        answer: JsonObject = await self._app.send(repository, Request("GET", REPOSITORY, repeatable=True))
        return answer

    async def _installation(self, wanted: Repository) -> int:
        try:
            answer = await self._app.send_as_app(wanted, Request("GET", INSTALLATION_OF, repeatable=True))
        except NotFound:
            if self._default and await self._default_owns(wanted):
                return self._default
            raise
        return int(answer["id"])

    async def _default_owns(self, wanted: Repository) -> bool:
        """Say whether the default installation is that of the repository's owner.

        A token is narrowed to a repository by its name alone: another owner's public repository of the same name could
        be read with it.
        """
        request = Request("GET", INSTALLATION, parameters={"installation_id": self._default}, repeatable=True)
        answer = await self._app.send_as_app(wanted, request)
        login = str((answer.get("account") or {}).get("login") or "")
        return login.lower() == wanted.owner.lower()
