"""Say something in Slack, by slack-sdk's clients over one session."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Self

import aiohttp
import msgspec
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from kubeci import __version__
from kubeci.errors import Forbidden, UpstreamError
from kubeci.slack.errors import of_answer, of_failure
from kubeci.slack.response_urls import answerable

CONNECT_SECONDS = 5.0

# The SDK's logger would write response URLs and messages at level DEBUG.
_quiet = logging.getLogger("kubeci.slack.sdk")
_quiet.setLevel(logging.WARNING)


class SlackClient:
    """A connection to one workspace, an async context manager; trying again is the caller's work."""

    def __init__(self, token: str, url: str, *, trust_env: bool, answer_seconds: float = 10.0) -> None:
        """Use a bot's token at the Web API at `url`; with `trust_env`, `HTTPS_PROXY` and `NO_PROXY` are honoured."""
        self._token = token
        self._url = url
        self._trust_env = trust_env
        self._timeout = aiohttp.ClientTimeout(total=answer_seconds, connect=CONNECT_SECONDS)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        follow_none = aiohttp.TraceConfig()
        follow_none.on_request_redirect.append(_refuse_redirect)
        self._session = aiohttp.ClientSession(
            timeout=self._timeout, trust_env=self._trust_env, trace_configs=[follow_none]
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        if self._session:
            await self._session.close()

    async def post(self, channel: str, text: str) -> None:
        """Write mrkdwn to a channel, by its id or name; `NotFound`, `Forbidden` when we may not."""
        call = f"chat.postMessage to {channel}"
        try:
            await self._api().chat_postMessage(
                channel=channel, text=text, unfurl_links=False, unfurl_media=False, link_names=False
            )
        except SlackApiError as error:
            raise _refusal(error, call) from None  # it holds the request, and the token in that
        except (aiohttp.ClientError, TimeoutError) as error:
            raise of_failure(error, call=call) from None

    async def who(self) -> str:
        """Say whose the token is, `BOT of WORKSPACE` (docs.slack.dev/reference/methods/auth.test); `Forbidden` when it is none."""
        try:
            answer = await self._api().auth_test()
        except SlackApiError as error:
            raise _refusal(error, "auth.test") from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise of_failure(error, call="auth.test") from None
        return f"{answer.get('user')} of {answer.get('team')}"

    async def respond(self, response_url: str, text: str, *, public: bool) -> None:
        """Answer a slash command; `public`: to everybody in the channel. `Forbidden` when it does not lead to Slack."""
        call = "the response URL"
        if not answerable(response_url, self._url):
            raise Forbidden("a command's response URL does not lead to Slack; nothing was sent there")
        client = AsyncWebhookClient(
            response_url,
            session=self._open_session(),
            retry_handlers=[],
            logger=_quiet,
            user_agent_suffix=_agent(),
        )
        client.proxy = None
        try:
            answer = await client.send(
                text=text,
                response_type="in_channel" if public else "ephemeral",
                replace_original=False,
                unfurl_links=False,
                unfurl_media=False,
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise of_failure(error, call=call) from None
        if answer.status_code != 200:
            raise of_answer(answer.status_code, answer.headers, _code(answer.body), call=call)

    def _api(self) -> AsyncWebClient:
        client = AsyncWebClient(
            self._token,
            base_url=self._url,
            session=self._open_session(),
            retry_handlers=[],
            logger=_quiet,
            user_agent_suffix=_agent(),
        )
        client.proxy = None  # it would ignore NO_PROXY; the session knows both
        return client

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the connection to Slack is not open")
        return self._session


async def _refuse_redirect(
    _session: aiohttp.ClientSession, _context: object, _request: aiohttp.TraceRequestRedirectParams
) -> None:
    """Go nowhere that somebody else names."""
    raise UpstreamError("Slack answered with a redirect, which is not followed")


def _refusal(error: SlackApiError, call: str) -> UpstreamError:
    answer = error.response
    if isinstance(answer, aiohttp.ClientResponse):  # what came was no JSON
        return of_answer(answer.status, answer.headers, None, call=call)
    code = answer.data.get("error") if isinstance(answer.data, dict) else None
    return of_answer(answer.status_code, answer.headers, code, call=call)


def _code(body: str) -> object:
    """Read Slack's word out of a webhook's answer: bare text, or JSON."""
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return body.strip()
    return told.get("error") if isinstance(told, dict) else None


def _agent() -> str:
    return f"kubeci/{__version__}"
