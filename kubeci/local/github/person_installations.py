"""Words for the App's installations, and for what happens to whole repositories."""

from __future__ import annotations

import asyncio
import shutil

from kubeci.local.github.payloads import repository_short
from kubeci.local.github.person import Person
from kubeci.local.github.state import Installation, Repository
from kubeci.model.json import JsonObject


class Administration(Person):
    """What owners do."""

    def installation(self, full_name: str) -> Installation:
        """Give the installation of a repository's owner; its `permissions` or `repositories` may be changed unheard."""
        return self._installation(self._repository(full_name).owner.login)

    def install(self, owner: str, *, repositories: list[str] | None = None) -> Installation:
        """Install the App on an account, on all repositories or on those named (`name`)."""
        account = self.state.account(owner)
        if self.state.installation_of(account) is not None:
            raise ValueError(f"the App is installed on {owner}")
        chosen = None
        if repositories is not None:
            chosen = {self._repository(f"{owner}/{name}").id for name in repositories}
        installation = self.state.install(account, chosen)
        self._tell_installation(installation, "created")
        return installation

    def uninstall(self, owner: str) -> None:
        """Take the App off an account; its tokens end."""
        installation = self._installation(owner)
        listed = self._held(installation)
        del self.state.installations[installation.id]
        self._tell_installation(installation, "deleted", listed)

    def suspend(self, owner: str) -> None:
        """Suspend an installation: nothing is delivered, and its tokens are refused, until `unsuspend`."""
        installation = self._installation(owner)
        installation.suspended_at, installation.suspended_by = self.state.now(), self._me
        self._tell_installation(installation, "suspend")

    def unsuspend(self, owner: str) -> None:
        """End a suspension."""
        installation = self._installation(owner)
        installation.suspended_at = installation.suspended_by = None
        self._tell_installation(installation, "unsuspend")

    def grant(self, owner: str, **permissions: str) -> None:
        """Accept new permissions of the App (`checks="write"`), an empty text taking one away."""
        installation = self._installation(owner)
        changed = {**installation.permissions, **permissions}
        installation.permissions = {name: level for name, level in changed.items() if level}
        self._tell_installation(installation, "new_permissions_accepted")

    def add_to_installation(self, full_name: str) -> None:
        """Give the App one more repository."""
        self._select(full_name, added=True)

    def remove_from_installation(self, full_name: str) -> None:
        """Take a repository from the App; the installation holds selected ones from then on."""
        self._select(full_name, added=False)

    def archive(self, full_name: str) -> None:
        """Make a repository read-only."""
        repository = self._repository(full_name)
        repository.archived = True
        self.outbox.send("repository", repository, self._me, {"action": "archived"})

    def unarchive(self, full_name: str) -> None:
        """Make an archived repository writable."""
        repository = self._repository(full_name)
        repository.archived = False
        self.outbox.send("repository", repository, self._me, {"action": "unarchived"})

    async def delete_repository(self, full_name: str) -> None:
        """Delete a repository with its folder; pull requests from it stay, with a head of no repository."""
        repository = self._repository(full_name)
        repository.deleted = True
        self.state.forget(repository)
        await asyncio.to_thread(shutil.rmtree, repository.path)
        self.outbox.send("repository", repository, self._me, {"action": "deleted"})

    def _installation(self, owner: str) -> Installation:
        found = self.state.installation_of(self.state.user(owner))
        if found is None:
            raise ValueError(f"the App is not installed on {owner}")
        return found

    def _held(self, installation: Installation) -> list[JsonObject]:
        held: list[Repository] = [r for r in self.state.repositories.values() if installation.holds(r)]
        return [repository_short(repository) for repository in held]

    def _tell_installation(
        self, installation: Installation, action: str, held: list[JsonObject] | None = None
    ) -> None:
        payload: JsonObject = {"action": action}
        if action not in {"suspend", "unsuspend"}:
            payload["repositories"] = self._held(installation) if held is None else held
            payload["requester"] = None
        self.outbox.send_of_installation("installation", installation, self._me, payload)

    def _select(self, full_name: str, *, added: bool) -> None:
        repository = self._repository(full_name)
        installation = self._installation(repository.owner.login)
        held = {r.id for r in self.state.repositories.values() if installation.holds(r)}
        installation.repositories = held | {repository.id} if added else held - {repository.id}
        here = [repository_short(repository)]
        payload: JsonObject = {
            "action": "added" if added else "removed",
            "repository_selection": "selected",
            "repositories_added": here if added else [],
            "repositories_removed": [] if added else here,
            "requester": None,
        }
        self.outbox.send_of_installation("installation_repositories", installation, self._me, payload)
