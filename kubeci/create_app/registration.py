"""A code in, the App's credentials out (docs.github.com/rest/apps/apps, "Create a GitHub App from a manifest")."""

from __future__ import annotations

import asyncio
import re
import time

import httpx
import msgspec

from kubeci import __version__
from kubeci.create_app.registered import Registered
from kubeci.errors import ConfigurationError, KubeCIError, NotFound, UpstreamError
from kubeci.github.connection import API_VERSION
from kubeci.github.errors import of_answer, translate
from kubeci.github.private_key import read_private_key

CODE = re.compile(r"[A-Za-z0-9._~-]{1,255}")
_SLUG = re.compile(r"[A-Za-z0-9_-]{1,100}")
_ADDRESS = re.compile(r"https?://[\x21-\x7e]{1,1000}")
CALL = "POST /app-manifests/{code}/conversions"
ANSWER_SECONDS = 20.0
HEADERS = {
    "accept": "application/vnd.github+json",
    "user-agent": f"kubeci/{__version__}",
    "x-github-api-version": API_VERSION,
}
PAUSES = (0.5, 2.0)
"""Before the second and the third try, in seconds."""


class _Answer(msgspec.Struct):
    id: int
    html_url: str
    pem: str
    slug: str = ""
    webhook_secret: str | None = None

    def __repr__(self) -> str:
        return f"_Answer(id={self.id})"


async def reach(github_url: str) -> None:
    """Find out whether GitHub's API answers at all, before an App is made whose key nobody could fetch.

    Raises `ConfigurationError`.
    """
    try:
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS) as client:
            await client.get(f"{github_url}/", headers=HEADERS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = str(error) or type(error).__name__
        raise ConfigurationError(
            f"--github-url {github_url}: cannot be reached ({why}); HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE are honoured"
        ) from error


async def register(github_url: str, code: str, *, pauses: tuple[float, ...] = PAUSES) -> Registered:
    """Exchange a code, which GitHub takes once and for an hour, for the App's credentials.

    Only a connection that could not be opened is tried again: of any other failure nobody knows whether the code is
    spent. Raises `UpstreamError`.
    """
    async with httpx.AsyncClient(timeout=ANSWER_SECONDS) as client:
        for pause in (*pauses, None):
            try:
                return _read(await _send(client, f"{github_url}/app-manifests/{code}/conversions"))
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                if pause is None:
                    raise translate(error, call=CALL, now=time.time()) from error
                await asyncio.sleep(pause)
            except httpx.HTTPError as error:
                raise translate(error, call=CALL, now=time.time()) from error
    raise AssertionError("unreachable")


async def _send(client: httpx.AsyncClient, url: str) -> httpx.Response:
    return await client.post(url, headers=HEADERS)


def _read(response: httpx.Response) -> Registered:
    if response.status_code == 404:
        raise NotFound("GitHub does not know the code: it serves once, and for an hour", status=404)
    if response.status_code != 201:
        raise of_answer(response.status_code, response.headers, response.content, call=CALL, now=time.time())
    try:
        answer = msgspec.json.decode(response.content, type=_Answer)
        read_private_key(answer.pem)
    except (msgspec.DecodeError, UnicodeDecodeError, KubeCIError):
        # The cause stays behind: it may quote what it could not read.
        raise UpstreamError(
            f"GitHub's answer to {CALL} holds no App with a private key", status=201
        ) from None
    if not answer.webhook_secret:
        raise UpstreamError(f"GitHub made the App {answer.id} without a webhook secret", status=201)
    if not _ADDRESS.fullmatch(answer.html_url):
        raise UpstreamError(f"GitHub's answer to {CALL} holds no address of the App", status=201)
    slug = answer.slug or answer.html_url.rstrip("/").rpartition("/")[2]
    if not _SLUG.fullmatch(slug):
        raise UpstreamError(f"GitHub's answer to {CALL} holds no name of the App", status=201)
    return Registered(answer.id, slug, answer.html_url.rstrip("/"), answer.pem, answer.webhook_secret)
