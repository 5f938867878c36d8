"""What only argo-server can do: retry a failed workflow.

The request is hera's (`AsyncWorkflowsService`), sent through a session of ours, since hera's own has no time limit, marks
neither 409 nor 5xx apart, and uses httpx in a way that warns. hera costs half a second and 46 MB to import, so it is
imported when the first retry is asked for, in a thread. hera's log call reads one JSON object where argo-server streams
one a line, so `log` reads the stream itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit

import anyio.to_thread
import httpx
import msgspec

from kubeci.cluster.errors import MAX_MESSAGE, of_answer, of_failure
from kubeci.cluster.lines import LineTooLongError, lines
from kubeci.cluster.no_proxy import is_direct
from kubeci.errors import ConfigurationError, Invalid, UpstreamError

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0  # without a byte
RETRY_SECONDS = 60.0  # argo-server deletes the failed pods first
MAX_ANSWER_BYTES = 64 * 1024 * 1024  # a workflow with its nodes unpacked; etcd holds 1.5 MB of it compressed
MAX_ERROR_BYTES = 64_000
_RETRY = "argo-server's retry"
_LOG = "argo-server's log"


class ArgoServer:
    """An argo-server at `url`, asked with a bearer token (with or without the word in front).

    A retry may take `retry_seconds`. With `trust_env`, proxies and certificates of the environment are honoured. Raises
    `ConfigurationError` for an address that is none and a token that no header can carry; the token is never part of a
    text.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        trust_env: bool = True,
        retry_seconds: float = RETRY_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if not _is_address(url):
            raise ConfigurationError("the address of argo-server must be http(s)://HOST[:PORT][/PATH]")
        bare = token.strip().removeprefix("Bearer").strip()
        if not re.fullmatch(r"[!-~]+", bare):
            raise ConfigurationError("the token of argo-server is empty or has characters that no token has")
        self._url = url.rstrip("/") + "/"
        self._token = f"Bearer {bare}"
        self._retry_seconds = retry_seconds
        no_proxy = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            verify=tls or httpx.create_ssl_context(trust_env=trust_env),
            trust_env=trust_env and not is_direct(url, no_proxy),
        )

    async def retry(self, namespace: str, name: str) -> None:
        """Let a failed workflow go on where it failed (`PUT /api/v1/workflows/{namespace}/{name}/retry`).

        Raises `NotFound`, `Invalid` for a workflow that has not failed, and the other errors of `kubeci.errors`. After
        a lost answer it may have been done: look at the workflow before it is asked for again.
        """
        service_type, request = await anyio.to_thread.run_sync(_hera)
        service = service_type(
            host=self._url, verify_ssl=True, token=self._token, session=_Session(self._http)
        )
        try:
            async with asyncio.timeout(self._retry_seconds):
                # A workflow that hera's models cannot hold was retried all the same.
                with suppress(ValueError):
                    await service.retry_workflow(_segment(name), request, namespace=_segment(namespace))
        except TimeoutError as error:
            raise of_failure(error, call=_RETRY) from error

    async def log(
        self, namespace: str, workflow: str, pod: str, container: str
    ) -> AsyncGenerator[bytes, None]:
        """Stream the log of a workflow's pod as argo-server has it now, line by line.

        Empty when argo-server knows no such pod any more. Raises the errors of `kubeci.errors`. The caller closes the
        iterator (`contextlib.aclosing`) when it stops early.
        """
        url = f"{self._url}api/v1/workflows/{_segment(namespace)}/{_segment(workflow)}/log"
        query = {"podName": pod, "logOptions.container": container}
        headers = {"Authorization": self._token}
        async with _answered(self._http, "GET", url, _LOG, params=query, headers=headers) as response:
            try:
                async for line in lines(response.aiter_bytes()):
                    if line.strip() and (entry := _entry(line)).pod_name in {"", pod}:
                        yield entry.content.encode() + b"\n"
            except LineTooLongError as error:
                raise UpstreamError(f"{_LOG} has {error}") from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


class _LogEntry(msgspec.Struct, rename="camel"):
    content: str = ""
    pod_name: str = ""


class _LogLine(msgspec.Struct):
    result: _LogEntry | None = None
    error: Mapping[str, Any] | None = None


def _entry(line: bytes) -> _LogEntry:
    try:
        read = msgspec.json.decode(line, type=_LogLine)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamError(f"{_LOG} is no stream of JSON objects", retryable=True) from error
    if read.error is not None:
        status = read.error.get("http_code")
        content = msgspec.json.encode({"message": str(read.error.get("message", ""))})
        raise of_answer(status if isinstance(status, int) else 500, {}, content, call=_LOG)
    return read.result or _LogEntry()


class _Session:
    """What hera sends its request through: our time limits, a bounded answer, and our errors for what is no success."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def request(
        self, method: str, *, url: str, headers: Mapping[str, str], data: str, **_: object
    ) -> httpx.Response:
        """Send a request and give the successful answer, which is a JSON object."""
        async with _answered(
            self._http, method.upper(), url, _RETRY, headers=headers, content=data
        ) as response:
            content = await _read(response, MAX_ANSWER_BYTES, _RETRY)
        # A page of a proxy that asks people to log in comes with the status 200 too.
        if not content.lstrip().startswith(b"{"):
            raise UpstreamError(f"the answer to {_RETRY} is no workflow; is the address argo-server's?")
        return httpx.Response(200, content=content)


@asynccontextmanager
async def _answered(
    http: httpx.AsyncClient, method: str, url: str, call: str, **request: Any
) -> AsyncIterator[httpx.Response]:
    """Send a request and lend the successful answer; what fails on the way, in the block too, becomes our error."""
    try:
        async with http.stream(method, url, **request) as response:
            if not response.is_success:
                content = await _beginning(response, MAX_ERROR_BYTES)
                raise of_answer(response.status_code, response.headers, content, call=call)
            yield response
    except httpx.TimeoutException as error:
        raise of_failure(TimeoutError(), call=call) from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        text = str(error)[:MAX_MESSAGE] or type(error).__name__
        raise UpstreamError(
            f"the connection to argo-server failed at {call}: {text}", retryable=True
        ) from error


async def _read(response: httpx.Response, limit: int, call: str) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > limit:
            raise UpstreamError(f"the answer to {call} is larger than {limit:,} bytes")
    return bytes(content)


async def _beginning(response: httpx.Response, limit: int) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > limit:
            break
    return bytes(content[:limit])


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    # hera formats the address, which gives braces a meaning.
    strange = {*url} & {*"{}?#@"} or not url.isprintable()
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0 and not strange


def _segment(name: str) -> str:
    """Escape a name as one segment of a path; hera does not."""
    if name in {"", ".", ".."}:
        raise Invalid("the name of a workflow or a namespace is empty or dots")
    return quote(name, safe="")


@cache
def _hera() -> tuple[Any, Any]:
    """Import hera, and give its client's type and the request of a plain retry."""
    from hera.workflows.async_service import AsyncWorkflowsService  # noqa: PLC0415 - see the module's docstring
    from hera.workflows.models import WorkflowRetryRequest  # noqa: PLC0415 - likewise

    class Request(WorkflowRetryRequest):
        def json(self, **_: Any) -> str:
            """Write the request; the method that hera inherits from pydantic warns that it will be gone."""
            return json.dumps(self.model_dump(by_alias=True, exclude_none=True))

    return AsyncWorkflowsService, Request()
