"""What people do on the local GitHub: create repositories, push, tag, open pull requests, press buttons."""

from __future__ import annotations

import re
from pathlib import Path

from kubeci.local.github import git
from kubeci.local.github.events import Events
from kubeci.local.github.pulls import fetch_head
from kubeci.local.github.repositories import Change, Files, create_bare, push_change, push_deletion, push_tag
from kubeci.local.github.state import Installation, OwnerType, PullRequest, Repository, State

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
}


class People:
    """The doings of people; `user` is the login of who does them, and may be changed at any time."""

    def __init__(self, state: State, events: Events, hook_file: Path) -> None:
        self.state = state
        self.events = events
        self.user = "octocat"
        self._hook_file = hook_file  # the repositories' folders stand beside it

    async def create_repository(
        self,
        full_name: str,
        *,
        default_branch: str = "main",
        owner_type: OwnerType = "Organization",
        private: bool = False,
    ) -> Repository:
        """Make a repository, or take up the one whose folder is there, and install the App on its owner.

        `full_name` is `owner/name`; ValueError when GitHub would not take the name.
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
        repository = Repository(
            self.state.new_id(), account, name, path, default_branch, private, created_at=now, pushed_at=now
        )
        self.state.repositories[repository.id] = repository
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
        """Commit `files` over a tree and push the branch, the way of any push; gives the commit's sha.

        A value None deletes a file; `executable`, `symlink` and `submodule` of `repositories` make other entries.
        `base` is the parent (a branch or sha); without it the branch itself, else the default branch, else none.
        """
        repository = self._repository(full_name)
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
        return await push_change(repository.path, change)

    async def tag(self, full_name: str, name: str, commit: str, *, message: str | None = None) -> str:
        """Tag a commit the way a push does; with a message the tag is annotated. Gives the oid of the tag's ref."""
        repository = self._repository(full_name)
        return await push_tag(repository.path, name, commit, message, self.user)

    async def delete(self, full_name: str, ref: str) -> None:
        """Delete a ref (`refs/heads/topic`, `refs/tags/v1`) the way a push does."""
        await push_deletion(self._repository(full_name).path, ref, self.user)

    async def open_pull_request(
        self,
        full_name: str,
        *,
        head: str,
        base: str | None = None,
        title: str = "A change",
        draft: bool = False,
    ) -> PullRequest:
        """Open a pull request; nothing is delivered. `head` is a branch, or `owner/name:branch` of a fork."""
        target = self._repository(full_name)
        fork, _, head = head.rpartition(":")
        source = self._repository(fork or full_name)
        number = 1 + sum(1 for pull in self.state.pull_requests if pull.base is target)
        pull = PullRequest(
            self.state.new_id(), number, target, base or target.default_branch, source, head, title, draft
        )
        await fetch_head(pull)
        self.state.pull_requests.append(pull)
        return pull

    async def rerequest(self, check_run_id: int) -> None:
        """Press a check-run's "Re-run"."""
        run = self.state.runs[check_run_id]
        run.suite.reopened = True
        await self.events.run_action(run, "rerequested", self.state.user(self.user))

    async def rerequest_suite(self, check_suite_id: int) -> None:
        """Press "Re-run all checks"."""
        suite = self.state.suites[check_suite_id]
        suite.reopened = True
        await self.events.suite_action(suite, "rerequested", self.state.user(self.user))

    async def press(self, check_run_id: int, identifier: str) -> None:
        """Press a button that the App put on a check-run; ValueError when the check-run has no such button."""
        run = self.state.runs[check_run_id]
        if all(action["identifier"] != identifier for action in run.actions):
            raise ValueError(f"check-run {check_run_id} has no button {identifier!r}")
        await self.events.run_action(run, "requested_action", self.state.user(self.user), identifier)

    def installation(self, full_name: str) -> Installation:
        """Give the installation that holds a repository; change its `permissions` or `repositories` at will."""
        found = self.state.installation_of(self._repository(full_name).owner)
        assert found is not None
        return found

    def _repository(self, full_name: str) -> Repository:
        found = self.state.repository(full_name)
        if found is None:
            raise ValueError(f"there is no repository {full_name}")
        return found
