"""What the local Slack answers to apps: `chat.postMessage`, and answers to commands."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from kubeci.local.github.faults import Faults
from kubeci.local.serving import drop_connection
from kubeci.local.slack.workspace import BOT, TEXT_LIMIT, Workspace
from kubeci.model.json import JsonObject

Endpoint = Callable[[Request], Awaitable[Response]]


class WebApi:
    """The doors for apps; `faults` make answers fail, come late or be lost."""

    def __init__(self, workspace: Workspace, token: str) -> None:
        self._workspace = workspace
        self._token = token
        self.faults = Faults()

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/api/chat.postMessage", self._door(self._post_message), methods=["POST"]),
            Route("/api/auth.test", self._door(self._who), methods=["POST"]),
            Route("/api/{method}", self._door(self._unknown), methods=["GET", "POST"]),
            Route("/commands/{path:path}", self._door(self._answer_command), methods=["POST"]),
        ]

    def _door(self, endpoint: Endpoint) -> Endpoint:
        async def faulty(request: Request) -> Response:
            fault = self.faults.take(request.method, request.url.path)
            if fault is None:
                return await endpoint(request)
            await asyncio.sleep(fault.delay_seconds)
            answer = await endpoint(request) if fault.after or fault.only_delays else Response()
            if fault.only_delays:
                return answer
            if fault.status is None:
                drop_connection(request.scope)
                return Response()
            return Response(fault.body, fault.status, dict(fault.headers), media_type="application/json")

        return faulty

    async def _who(self, request: Request) -> Response:
        """Say whose token it is (docs.slack.dev/reference/methods/auth.test)."""
        if wrong := self._stranger(request):
            return _refused(wrong)
        return JSONResponse({"ok": True, "team": "local", "team_id": "T0", "user": BOT, "user_id": BOT})

    def _stranger(self, request: Request) -> str:
        """Give Slack's word for why a request has no token of ours; empty: it has."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not token:
            return "not_authed"
        ours = scheme == "Bearer" and hmac.compare_digest(token.encode(), self._token.encode())
        return "" if ours else "invalid_auth"

    async def _unknown(self, _request: Request) -> Response:
        return _refused("unknown_method")

    async def _post_message(self, request: Request) -> Response:
        """Write a message (docs.slack.dev/reference/methods/chat.postMessage); refusals come with status 200."""
        if wrong := self._stranger(request):
            return _refused(wrong)
        arguments = await _arguments(request)
        if arguments is None:
            return _refused("invalid_json")
        channel = self._workspace.find(str(arguments.get("channel", "")))
        text = arguments.get("text")
        if channel is None:
            return _refused("channel_not_found")
        if channel.archived:
            return _refused("is_archived")
        if not channel.member:
            return _refused("not_in_channel")
        if not isinstance(text, str) or not text:
            return _refused("no_text")
        if len(text) > TEXT_LIMIT:
            return _refused("msg_too_long")
        said = self._workspace.say(channel, BOT, text)
        message = {"type": "message", "user": BOT, "text": text, "ts": said.ts}
        return JSONResponse({"ok": True, "channel": channel.id, "ts": said.ts, "message": message})

    async def _answer_command(self, request: Request) -> Response:
        arguments = await _arguments(request)
        text = arguments.get("text") if arguments else None
        if arguments is None or not isinstance(text, str):
            return PlainTextResponse("invalid_payload", 400)
        if not text:
            return PlainTextResponse("no_text", 500)
        public = arguments.get("response_type") == "in_channel"
        wrong = self._workspace.answer(request.path_params["path"], text, public=public)
        return JSONResponse({"ok": False, "error": wrong}, 404) if wrong else PlainTextResponse("ok")


async def _arguments(request: Request) -> JsonObject | None:
    """Read arguments in JSON; None: it is no object."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return None
    try:
        body = json.loads(await request.body())
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _refused(error: str) -> Response:
    return JSONResponse({"ok": False, "error": error})
