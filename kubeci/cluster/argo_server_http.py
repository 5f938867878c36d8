"""Requests to argo-server: time limits, bounded answers, and our errors for what is no success."""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from kubeci.cluster.errors import MAX_MESSAGE, of_answer, of_failure
from kubeci.errors import ConfigurationError, Invalid, UpstreamError
from kubeci.tracing import called

MAX_ANSWER_BYTES = 64 * 1024 * 1024  # a workflow with its nodes unpacked; etcd holds 1.5 MB of it compressed
MAX_ERROR_BYTES = 64_000
UNCOMPRESSED = {"Accept-Encoding": "identity"}


class Session:
    """What hera sends its request through."""

    def __init__(self, http: httpx.AsyncClient, call: str) -> None:
        self._http = http
        self._call = call

    async def request(
        self, method: str, *, url: str, headers: Mapping[str, str], data: str, **_: object
    ) -> httpx.Response:
        """Send a request and give the successful answer, which is a JSON object."""
        request = {"headers": headers, "content": data}
        async with answered(self._http, method.upper(), url, self._call, **request) as response:
            return httpx.Response(200, content=await json_object(response, self._call))


class RefusedError(Exception):
    """An answer that is no success, as it came; the cause of the error that it becomes."""

    def __init__(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.headers = headers
        self.content = content


@asynccontextmanager
async def answered(
    http: httpx.AsyncClient, method: str, url: str, call: str, **request: Any
) -> AsyncIterator[httpx.Response]:
    """Send a request and lend the successful answer; what fails on the way, in the block too, becomes our error.

    The error of an answer that is no success has a `RefusedError` as its cause.
    """
    began = time.monotonic()
    status = 0
    try:
        async with http.stream(method, url, **request) as response:
            status = response.status_code
            await _refuse_failure(response)
            yield response
    except RefusedError as refused:
        error = of_answer(refused.status, refused.headers, refused.content, call=call)
        # "Not Implemented" is what an address that it does not know is answered with.
        error.retryable = error.retryable and refused.status != HTTPStatus.NOT_IMPLEMENTED
        raise error from refused
    except httpx.TimeoutException as error:
        raise of_failure(TimeoutError(), call=call) from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        text = str(error)[:MAX_MESSAGE] or type(error).__name__
        raise UpstreamError(
            f"the connection to argo-server failed at {call}: {text}",
            retryable=True,
            public=f"the connection to argo-server failed at {call}",
        ) from error
    finally:
        called(call, method, status, time.monotonic() - began)


async def json_object(response: httpx.Response, call: str) -> bytes:
    """Read an answer that is a workflow."""
    refuse_compressed(response, call)
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise UpstreamError(f"the answer to {call} is larger than {MAX_ANSWER_BYTES:,} bytes")
    # A page of a proxy that asks people to log in comes with the status 200 too.
    if not content.lstrip().startswith(b"{"):
        raise UpstreamError(f"the answer to {call} is no workflow; is the address argo-server's?")
    return bytes(content)


async def _refuse_failure(response: httpx.Response) -> None:
    """Raise `RefusedError` with as much of an answer that is no success as an error's words may take."""
    if response.is_success:
        return
    content = bytearray()
    if not _is_compressed(response):
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) > MAX_ERROR_BYTES:
                break
    raise RefusedError(response.status_code, response.headers, bytes(content[:MAX_ERROR_BYTES]))


def refuse_compressed(response: httpx.Response, call: str) -> None:
    """Raise `UpstreamError` for an answer that is not as it was asked for: unpacked, a chunk could become any size."""
    if _is_compressed(response):
        raise UpstreamError(f"the answer to {call} is compressed, which was not asked for")


def _is_compressed(response: httpx.Response) -> bool:
    return response.headers.get("Content-Encoding", "").strip().lower() not in {"", "identity"}


def is_address(url: str) -> bool:
    """Say whether requests can be sent to an address."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    # hera formats the address, which gives braces a meaning.
    strange = {*url} & {*"{}?#@"} or not url.isprintable()
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0 and not strange


def segment(name: str) -> str:
    """Escape a name as one segment of a path; hera does not."""
    if name in {"", ".", ".."}:
        raise Invalid("a name in the address of a request is empty or dots")
    return quote(name, safe="")


def trusting(certificates: str) -> ssl.SSLContext:
    """Give a context that holds argo-server to these certificates alone (PEM); `ConfigurationError` when they are none."""
    try:
        return ssl.create_default_context(cadata=certificates)
    except (ssl.SSLError, TypeError, ValueError) as error:  # TypeError: it is not ASCII
        raise ConfigurationError("--argo-cafile holds no certificates that can be read (PEM)") from error
