"""Give slash commands to the server, as Slack does (docs.slack.dev, "Implementing slash commands")."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import ssl
from urllib.parse import urlencode

import httpx

from kubeci.local.slack.workspace import BOT, Channel, Workspace

ANSWER_SECONDS = 3.0
TIMED_OUT, FAILED = "operation_timeout", "dispatch_failed"


def form_of(workspace: Workspace, base_url: str, channel: Channel, user: str, typed: str) -> dict[str, str]:
    """Give the form that a command arrives as; `typed` is the whole line."""
    command, _, text = typed.partition(" ")
    return {
        "token": "old-style-token",
        "team_id": workspace.team,
        "team_domain": "local",
        "channel_id": channel.id,
        "channel_name": channel.name,
        "user_id": user,
        "user_name": user.lower(),
        "command": command,
        "text": text.strip().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
        "api_app_id": "A0LOCAL",
        "is_enterprise_install": "false",
        "response_url": f"{base_url}/commands/{workspace.open_door(channel, user)}",
        "trigger_id": f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}",
    }


def signed(body: bytes, secret: str, timestamp: int) -> dict[str, str]:
    """Give the headers of a request that Slack makes."""
    digest = hmac.new(secret.encode(), b"v0:%d:%s" % (timestamp, body), hashlib.sha256).hexdigest()
    return {
        "content-type": "application/x-www-form-urlencoded",
        "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "x-slack-request-timestamp": str(timestamp),
        "x-slack-signature": f"v0={digest}",
    }


class Commands:
    """Sends commands to the app's request URL, and shows people what it answers."""

    def __init__(
        self, workspace: Workspace, signing_secret: str, *, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._workspace = workspace
        self._secret = signing_secret
        self._answer_seconds = answer_seconds
        self.request_url = ""

    async def give(self, base_url: str, channel: Channel, user: str, typed: str) -> str:
        """Send a command and show its answer in the channel; gives what its author sees, or Slack's word for a failure.

        Nobody waits for an answer that takes longer than three seconds.
        """
        body = urlencode(form_of(self._workspace, base_url, channel, user, typed)).encode()
        return await self.send(channel, user, body)

    async def send(self, channel: Channel, user: str, body: bytes) -> str:
        """Sign and send a form."""
        headers = signed(body, self._secret, int(self._workspace.now().timestamp()))
        # The receiver is on loopback, without TLS: an empty context spares the reading of the machine's certificates.
        plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            async with (
                asyncio.timeout(self._answer_seconds),
                httpx.AsyncClient(trust_env=False, verify=plain, timeout=self._answer_seconds) as client,
            ):
                answer = await client.post(self.request_url, content=body, headers=headers)
        except (httpx.TimeoutException, TimeoutError):
            return self._fail(channel, user, TIMED_OUT)
        except (httpx.HTTPError, httpx.InvalidURL):
            return self._fail(channel, user, FAILED)
        if answer.status_code != 200:
            return self._fail(channel, user, FAILED)
        return self._show(channel, user, answer)

    def _show(self, channel: Channel, user: str, answer: httpx.Response) -> str:
        text, public = answer.text, False
        if answer.headers.get("content-type", "").startswith("application/json"):
            told = answer.json()
            text, public = str(told.get("text", "")), told.get("response_type") == "in_channel"
        if text:
            self._workspace.say(channel, BOT, text, only_to="" if public else user)
        return text

    def _fail(self, channel: Channel, user: str, error: str) -> str:
        self._workspace.say(channel, "slackbot", f"the command failed with the error “{error}”", only_to=user)
        return error
