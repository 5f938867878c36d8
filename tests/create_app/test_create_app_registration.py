"""Answers of GitHub to the code: an App, or why it is none."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import pytest
from create_app_kit import AWAY
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kubeci.create_app.registered import Registered
from kubeci.create_app.registration import register
from kubeci.errors import NotFound, UpstreamError
from kubeci.local.github.auth import App
from kubeci.local.serving import serving


def answering(status: int, content: object) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> Response:
        return JSONResponse(content, status)

    return answer


GOOD = {"id": 7, "slug": "s", "html_url": "https://github.com/apps/s", "webhook_secret": "hush"}


@pytest.mark.parametrize(
    ("status", "changes", "words"),
    [
        (404, {}, "does not know the code"),
        (422, {"message": "No"}, "GitHub answered 422 to POST /app-manifests/{code}/conversions: No"),
        (500, {}, "GitHub answered 500"),
        (201, {"pem": "none"}, "holds no App with a private key"),
        (201, {"pem": 1}, "holds no App with a private key"),
        (201, {"id": "x"}, "holds no App with a private key"),
        (201, {"webhook_secret": None}, "without a webhook secret"),
        (201, {"html_url": "javascript:alert(1)"}, "holds no address"),
        (201, {"html_url": "https://github.com/apps/\x1b[31ms"}, "holds no address"),
        (201, {"slug": "\x1b]0;owned\x07s"}, "holds no name"),
        (201, {"slug": "", "html_url": "https://github.com/apps/$(id)"}, "holds no name"),
        (201, {}, ""),
    ],
)
async def test_answers_of_github(app: App, status: int, changes: dict[str, object], words: str) -> None:
    content = {**GOOD, "pem": app.private_key, "client_secret": "hidden", **changes}
    routes = [Route("/app-manifests/{code}/conversions", answering(status, content), methods=["POST"])]
    async with serving(Starlette(routes=routes)) as url:
        if not words:
            found = await register(url, "code")
            assert found == Registered(7, "s", "https://github.com/apps/s", app.private_key or "", "hush")
            assert "hush" not in repr(found)
            assert "KEY" not in repr(found)
            return
        with pytest.raises(NotFound if status == 404 else UpstreamError) as caught:
            await register(url, "code")
    assert words in str(caught.value)
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None or "hush" not in json.dumps(str(caught.value.__cause__))


async def test_a_connection_that_does_not_open_is_tried_again() -> None:
    with pytest.raises(UpstreamError, match="the connection to GitHub failed"):
        await register(AWAY, "code", pauses=(0.0, 0.0))
