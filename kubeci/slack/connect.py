"""Open the connection to Slack, for servers that have one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubeci.slack.client import SlackClient


@asynccontextmanager
async def connect(token: str, url: str, *, trust_env: bool = True) -> AsyncIterator[SlackClient]:
    """Yield a client that writes with a bot's token, at the Web API at `url`; it is closed at the end."""
    from kubeci.slack.client import SlackClient  # noqa: PLC0415 - slack-sdk takes 0.3 s, and most servers have no Slack

    async with SlackClient(token, url, trust_env=trust_env) as client:
        yield client
