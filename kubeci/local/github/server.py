"""The local GitHub: built, served on loopback, and driven by tests and the demo."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import re
import secrets
from collections import deque
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kubeci.local.github import git, graphql, rest_app, rest_checks, rest_git
from kubeci.local.github.api import Api, RecordedRequest
from kubeci.local.github.auth import App
from kubeci.local.github.calls import Services
from kubeci.local.github.deliveries import Deliveries, Delivery
from kubeci.local.github.events import Events, RefUpdate
from kubeci.local.github.faults import Faults, Limits
from kubeci.local.github.http_backend import GitHosting
from kubeci.local.github.pulls import fetch_head
from kubeci.local.github.repositories import (
    Change,
    Files,
    create_bare,
    push_change,
    push_deletion,
    push_tag,
    write_hook_file,
)
from kubeci.local.github.state import Clock, Installation, OwnerType, PullRequest, Repository, State, utc_now
from kubeci.local.serving import serving
from kubeci.model.json import JsonObject

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
_HOOK_PATH = "/hooks/post-receive"


class LocalGitHub:
    """A GitHub on 127.0.0.1, an async context manager.

    `data` is the folder of the bare repositories, `app` the App that everything is sent to, `port` 0 a free port,
    `now` the clock. Inside, `base_url` is the address, and `webhook_url` may be set to the App's webhook.
    For tests there are `faults`, `limits`, `latency_seconds` and the recorded `requests`.
    """

    def __init__(
        self,
        data: Path,
        *,
        app: App,
        webhook_secret: str,
        port: int = 0,
        now: Clock = utc_now,
    ) -> None:
        self.state = State(app, now)
        self.deliveries = Deliveries(self.state, webhook_secret)
        self.events = Events(self.state, self.deliveries)
        self.limits = Limits()
        self.services = Services(self.state, self.deliveries, self.events, self.limits)
        self.api = Api(self.services)
        self.pusher = "octocat"  # who `push` says it is
        self._data = data.resolve()
        self._port = port
        self._hook_secret = secrets.token_hex(16)
        self._stack = AsyncExitStack()

    @property
    def webhook_url(self) -> str:
        """Give the address that deliveries go to; as long as it is empty, they fail as an unreachable one would."""
        return self.deliveries.url

    @webhook_url.setter
    def webhook_url(self, url: str) -> None:
        self.deliveries.url = url

    @property
    def faults(self) -> Faults:
        """Give the switches for failing answers."""
        return self.api.faults

    @property
    def requests(self) -> deque[RecordedRequest]:
        """Give the API requests that came, oldest first; the oldest of too many are forgotten."""
        return self.api.requests

    @property
    def latency_seconds(self) -> float:
        """Give the delay of every API answer."""
        return self.api.latency_seconds

    @latency_seconds.setter
    def latency_seconds(self, seconds: float) -> None:
        self.api.latency_seconds = seconds

    @property
    def app(self) -> App:
        """Give the App."""
        return self.state.app

    @property
    def base_url(self) -> str:
        """Give the address, `http://127.0.0.1:PORT`."""
        return self.state.base_url

    @property
    def api_url(self) -> str:
        """Give the REST address as an Enterprise Server has it, `…/api/v3`."""
        return f"{self.state.base_url}/api/v3"

    async def __aenter__(self) -> Self:
        """Start serving and delivering."""
        await asyncio.to_thread(self._data.mkdir, parents=True, exist_ok=True)
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(serving(self._starlette(), port=self._port))
            self.state.base_url = url
            port = int(url.rpartition(":")[2])
            await asyncio.to_thread(write_hook_file, self._hook_file, port, _HOOK_PATH, self._hook_secret)
            stack.callback(self._hook_file.unlink, missing_ok=True)
            sending = asyncio.create_task(self.deliveries.run())
            stack.push_async_callback(_cancelled, sending)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop delivering and serving."""
        await self._stack.aclose()

    @property
    def _hook_file(self) -> Path:
        return self._data / ".hook.json"

    def _starlette(self) -> Starlette:
        hosting = GitHosting(self.state, self._data)
        operations = [
            *rest_app.OPERATIONS,
            *rest_checks.OPERATIONS,
            *rest_git.OPERATIONS,
            *graphql.OPERATIONS,
        ]
        return Starlette(
            routes=[
                Route(_HOOK_PATH, self._post_receive, methods=["POST"]),
                Route("/{owner}/{repo}.git/{rest:path}", hosting.endpoint, methods=["GET", "POST"]),
                *self.api.routes(operations),
            ]
        )

    async def _post_receive(self, request: Request) -> Response:
        """Take the refs that a hook reports."""
        if not hmac.compare_digest(request.headers.get("x-secret", "").encode(), self._hook_secret.encode()):
            return Response(status_code=403)
        report = await request.json()
        repository = next(
            (r for r in self.state.repositories.values() if str(r.path) == report["path"]), None
        )
        if repository is None:
            return Response(status_code=404)
        updates = [RefUpdate(*row) for row in report["updates"]]
        await self.events.pushed(repository, updates, self.state.user(report["pusher"]))
        return Response(status_code=204)

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
        path = self._data / owner / f"{name}.git"
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
        change = Change(files, branch, message, parent, self.state.now(), self.pusher)
        return await push_change(repository.path, change)

    async def tag(self, full_name: str, name: str, commit: str, *, message: str | None = None) -> str:
        """Tag a commit the way a push does; with a message the tag is annotated. Gives the oid of the tag's ref."""
        repository = self._repository(full_name)
        return await push_tag(repository.path, name, commit, message, self.pusher)

    async def delete(self, full_name: str, ref: str) -> None:
        """Delete a ref (`refs/heads/topic`, `refs/tags/v1`) the way a push does."""
        await push_deletion(self._repository(full_name).path, ref, self.pusher)

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

    def installation(self, full_name: str) -> Installation:
        """Give the installation that holds a repository; change its `permissions` or `repositories` at will."""
        found = self.state.installation_of(self._repository(full_name).owner)
        assert found is not None
        return found

    def deliver(self, event: str, payload: JsonObject) -> Delivery:
        """Queue an event of the caller's making."""
        return self.deliveries.add(event, payload)

    async def settled(self) -> None:
        """Wait until all queued deliveries were sent."""
        await self.deliveries.settled()

    def _repository(self, full_name: str) -> Repository:
        found = self.state.repository(full_name)
        if found is None:
            raise ValueError(f"there is no repository {full_name}")
        return found


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
