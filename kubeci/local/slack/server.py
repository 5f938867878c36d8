"""The local Slack: built, served on loopback, and driven by tests and the demo."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from kubeci.local.github.faults import Faults
from kubeci.local.serving import serving
from kubeci.local.slack.commands import ANSWER_SECONDS, Commands
from kubeci.local.slack.page import Page
from kubeci.local.slack.web_api import WebApi
from kubeci.local.slack.workspace import Channel, Said, Workspace

TOKEN = "xoxb-of-a-bot-that-lives-on-this-machine"  # noqa: S105 - loopback only
SIGNING_SECRET = "it signs nothing but what stays on this machine"  # noqa: S105 - likewise


class LocalSlack:
    """A Slack on 127.0.0.1, an async context manager.

    `port` 0 takes a free one, `now` is the clock, `answer_seconds` how long a command waits for its answer. Inside, `api_url`
    is the Web API's address, and `request_url` is to be set to the address at which the app takes commands. `faults` are for
    tests.
    """

    def __init__(
        self,
        *,
        token: str = TOKEN,
        signing_secret: str = SIGNING_SECRET,
        port: int = 0,
        now: Callable[[], datetime] | None = None,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self.token = token
        self.signing_secret = signing_secret
        self.base_url = ""
        self.workspace = Workspace(now)
        self._api = WebApi(self.workspace, token)
        self._commands = Commands(self.workspace, signing_secret, answer_seconds=answer_seconds)
        self._port = port
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        app = Starlette(
            routes=[*self._api.routes(), *Page(self.workspace, self.command).routes()],
            # A page of elsewhere, led here by its host's name, is not let in.
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        )
        self.base_url = await self._stack.enter_async_context(serving(app, port=self._port))
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self._stack.aclose()

    @property
    def api_url(self) -> str:
        """Give the Web API's address, for the option `slack_url`."""
        return f"{self.base_url}/api/"

    @property
    def faults(self) -> Faults:
        """Give the switches that make answers fail."""
        return self._api.faults

    @property
    def request_url(self) -> str:
        """Give the address that commands are sent to."""
        return self._commands.request_url

    @request_url.setter
    def request_url(self, url: str) -> None:
        self._commands.request_url = url

    def add_channel(self, name: str, *, member: bool = True) -> Channel:
        """Add a channel, of which the app is a member or not."""
        return self.workspace.add_channel(name, member=member)

    async def command(self, channel: str, user: str, command: str, text: str = "") -> str:
        """Give a command as somebody does in a channel; gives what that user sees, or `operation_timeout`, `dispatch_failed`."""
        return await self._commands.give(
            self.base_url, self._channel(channel), user, f"{command} {text}".strip()
        )

    async def send(self, channel: str, user: str, body: bytes) -> str:
        """Sign and send a form that a test made itself."""
        return await self._commands.send(self._channel(channel), user, body)

    def messages(self, channel: str) -> list[Said]:
        """List the messages of a channel, those to single users too, in their order."""
        return list(self._channel(channel).said)

    def _channel(self, channel: str) -> Channel:
        found = self.workspace.find(channel)
        if found is None:
            raise LookupError(f"there is no channel {channel}")
        return found
