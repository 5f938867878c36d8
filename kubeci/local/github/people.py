"""What people do on the local GitHub: create repositories, push, tag, press buttons, and all else they may do."""

from __future__ import annotations

import re

from kubeci.local.github import git
from kubeci.local.github.events import RefUpdate
from kubeci.local.github.person_deployments import Deploying
from kubeci.local.github.person_installations import Administration
from kubeci.local.github.person_issues import Conversing
from kubeci.local.github.person_members import Membership
from kubeci.local.github.person_queue import MergeQueue
from kubeci.local.github.repositories import (
    Change,
    Files,
    commit_change,
    create_bare,
    push_deletion,
    push_tag,
)
from kubeci.local.github.state import Member, OwnerType, Repository

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# An owner of one of these names would hide the API or the pages.
_RESERVED = {
    "api",
    "app",
    "repos",
    "installation",
    "graphql",
    "rate_limit",
    "deliveries",
    "static",
    "hooks",
    "apps",
    "acting-as",
    "orgs",
    "settings",
    "organizations",
    "app-manifests",
}


class People(Membership, MergeQueue, Conversing, Deploying, Administration):
    """All doings of people; `user` is the login of who does them, and may be changed at any time."""

    async def create_repository(
        self,
        full_name: str,
        *,
        default_branch: str = "main",
        owner_type: OwnerType = "Organization",
        private: bool = False,
    ) -> Repository:
        """Make a repository, or take up the one whose folder is there, and with an owner's first one install the App.

        Who makes it in an organisation is a member of that, and the repository's admin. `full_name` is `owner/name`; ValueError when GitHub would not take the name.
        """
        owner, _, name = full_name.partition("/")
        if (
            not (_NAME.fullmatch(owner) and _NAME.fullmatch(name))
            or owner.lower() in _RESERVED
            or name.endswith(".git")
        ):
            raise ValueError(f"{full_name!r} is no name for a repository")
        if found := self.state.repository(full_name):
            return found
        path = self._hook_file.parent / owner / f"{name}.git"
        await create_bare(path, default_branch, self._hook_file)
        account, now = self.state.account(owner, owner_type), self.state.now()
        first = all(each.owner != account for each in self.state.repositories.values())
        if first and self.state.installation_of(account) is None:  # who acted before owning anything
            self.state.install(account)
        repository = Repository(
            self.state.new_id(), account, name, path, default_branch, private, created_at=now, pushed_at=now
        )
        self.state.repositories[repository.id] = repository
        if account.type == "Organization":
            self.state.members.setdefault((account.id, self._me.id), Member())
            self.state.collaborators[repository.id, self._me.id] = "admin"
        return repository

    async def push(
        self,
        full_name: str,
        files: Files,
        *,
        branch: str | None = None,
        message: str = "A change",
        base: str | None = None,
    ) -> str:
        """Commit `files` over a tree and move the branch as a push does; gives the commit's sha.

        A value None deletes a file; `executable`, `symlink` and `submodule` of `repositories` make other entries.
        `base` is the parent (a branch or sha); without it the branch itself, else the default branch, else none.
        """
        repository = self._writable(full_name)
        branch = branch or repository.default_branch
        parent = None
        async with git.objects(repository.path) as objects:
            for name in (
                [base] if base else [f"refs/heads/{branch}", f"refs/heads/{repository.default_branch}"]
            ):
                found = await objects.peel(name)
                if found is not None:
                    parent = found.oid
                    break
        if base and parent is None:
            raise ValueError(f"{base!r} names no commit of {full_name}")
        change = Change(files, branch, message, parent, self.state.now(), self.user)
        async with self._pushing:
            before, sha = await commit_change(repository.path, change)
            update = RefUpdate(before or git.ZERO, sha, f"refs/heads/{branch}")
            await self.events.pushed(repository, [update], self._me)
        return sha

    async def tag(self, full_name: str, name: str, commit: str, *, message: str | None = None) -> str:
        """Tag a commit the way a push does; with a message the tag is annotated. Gives the oid of the tag's ref."""
        repository = self._writable(full_name)
        return await push_tag(repository.path, name, commit, message, self.user)

    async def delete(self, full_name: str, ref: str) -> None:
        """Delete a ref (`refs/heads/topic`, `refs/tags/v1`) the way a push does."""
        await push_deletion(self._writable(full_name).path, ref, self.user)

    async def delete_branch(self, repository: str, branch: str) -> None:
        """Delete a branch; ValueError for one that is not there, and for the default branch."""
        if branch == self._repository(repository).default_branch:
            raise ValueError(f"{branch} is the default branch of {repository}")
        await self._delete_ref(repository, f"refs/heads/{branch}")

    async def delete_tag(self, repository: str, tag: str) -> None:
        """Delete a tag; ValueError for one that is not there."""
        await self._delete_ref(repository, f"refs/tags/{tag}")

    async def _delete_ref(self, full_name: str, ref: str) -> None:
        if ref not in await git.refs(self._repository(full_name).path, ref):
            raise ValueError(f"{full_name} has no {ref}")
        await self.delete(full_name, ref)

    async def rerequest(self, check_run_id: int, *, by: str | None = None) -> None:
        """Press a check-run's "Re-run", as `user` or by another's login."""
        run = self.state.runs[check_run_id]
        self._writable(run.suite.repository.full_name)
        run.suite.reopened = True
        await self.events.run_action(run, "rerequested", self._by(by))

    async def rerequest_suite(self, check_suite_id: int, *, by: str | None = None) -> None:
        """Press "Re-run all checks"."""
        suite = self.state.suites[check_suite_id]
        self._writable(suite.repository.full_name)
        suite.reopened = True
        await self.events.suite_action(suite, "rerequested", self._by(by))

    async def press(self, check_run_id: int, identifier: str, *, by: str | None = None) -> None:
        """Press a button that the App put on a check-run; ValueError when the check-run has no such button."""
        run = self.state.runs[check_run_id]
        self._writable(run.suite.repository.full_name)
        if all(action["identifier"] != identifier for action in run.actions):
            raise ValueError(f"check-run {check_run_id} has no button {identifier!r}")
        await self.events.run_action(run, "requested_action", self._by(by), identifier)
