"""What only argo-server can do: retry a failed workflow, judge one by the cluster's templates, give archived logs.

A retry's request is hera's (`AsyncWorkflowsService`), sent through a session of ours, since hera's own has no time
limit, marks neither 409 nor 5xx apart, and uses httpx in a way that warns. hera costs half a second and 46 MB to import,
so it is imported when the first retry is asked for, in a thread. The other two go without it: its models drop fields that
they do not know, so a manifest must not pass through them, and its `get_output_artifact` gives `str()` of all bytes.

Archived logs are read as the artifacts that they are (`GET /artifacts/{namespace}/{workflow}/{node}/{artifact}`). The
workflow's log endpoint is no substitute: in Argo 4.1 it lists the pods and reads their logs from the API server (Argo's
`util/logs`), as we do ourselves, and answers 200 with nothing when the pod is gone, and when its log may not be read. Of the two addresses of an artifact
the other one, `/artifact-files/`, answers 500 for a workflow that is not there, and is described with a word
(`workflow`) that the server does not take (`workflows`). Both answer 500 for an artifact that is not there, with no
reason: it is in the server's own log.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import ssl
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import anyio.to_thread
import httpx
import msgspec

from kubeci.cluster.argo_server_http import (
    UNCOMPRESSED,
    Session,
    answered,
    is_address,
    json_object,
    refuse_compressed,
    segment,
)
from kubeci.cluster.argo_server_lint import complaint
from kubeci.cluster.errors import of_failure, told_in_full
from kubeci.cluster.no_proxy import is_direct
from kubeci.errors import ConfigurationError, Invalid, UpstreamError
from kubeci.model.json import JsonObject

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0  # without a byte
CHUNK_BYTES = 64 * 1024
_RETRY = "argo-server's retry"
_LINT = "argo-server's lint"
_ARTIFACT = "argo-server's archived log"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a retry may take, for which argo-server deletes pods first, a lint, and how long and large an archived log may be.

    Times are those of the whole exchange, whatever is answered, in seconds.

    `pause_seconds`: how long none is asked for after one that was not answered.
    """

    retry_seconds: float = 60.0
    lint_seconds: float = 60.0
    log_seconds: float = 60.0
    log_bytes: int = 100_000_000
    pause_seconds: float = 5.0


class ArgoServer:
    """An argo-server at `url`, asked with a bearer token (with or without the word in front).

    With `trust_env`, proxies and certificates of the environment are honoured. Raises
    `ConfigurationError` for an address that is none and a token that no header can carry; the token is never part of a
    text.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        trust_env: bool = True,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if not is_address(url):
            raise ConfigurationError("the address of argo-server must be http(s)://HOST[:PORT][/PATH]")
        bare = token.strip().removeprefix("Bearer").strip()
        if not re.fullmatch(r"[!-~]+", bare):
            raise ConfigurationError("the token of argo-server is empty or has characters that no token has")
        self._url = url.rstrip("/") + "/"
        self._token = f"Bearer {bare}"
        self._limits = limits or Limits()
        self._silent_until = 0.0
        no_proxy = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
        self._http = httpx.AsyncClient(
            headers=UNCOMPRESSED,
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
            host=self._url, verify_ssl=True, token=self._token, session=Session(self._http, _RETRY)
        )
        try:
            async with asyncio.timeout(self._limits.retry_seconds):
                # A workflow that hera's models cannot hold was retried all the same.
                with suppress(ValueError):
                    await service.retry_workflow(segment(name), request, namespace=segment(namespace))
        except TimeoutError as error:
            raise of_failure(error, call=_RETRY) from error
        except Invalid as error:
            raise told_in_full(error) from error

    async def lint(self, namespace: str, manifest: JsonObject) -> str:
        """Judge a workflow by Argo's own rules and the cluster's templates (`POST /api/v1/workflows/{namespace}/lint`).

        Gives what is wrong in Argo's words, empty when nothing is. The manifest names the namespace too, since templates
        are looked for there. Raises the errors of `kubeci.errors` when argo-server cannot tell.
        """
        url = f"{self._url}api/v1/workflows/{segment(namespace)}/lint"
        request = {
            "headers": {"Authorization": self._token, "Content-Type": "application/json"},
            "content": msgspec.json.encode({"namespace": namespace, "workflow": manifest}),
        }
        try:
            async with (
                asyncio.timeout(self._limits.lint_seconds),
                answered(self._http, "POST", url, _LINT, **request) as response,
            ):
                await json_object(response, _LINT)
        except TimeoutError as error:
            raise of_failure(error, call=_LINT) from error
        except UpstreamError as error:
            if words := complaint(error):
                return words
            raise
        return ""

    async def archived_log(
        self, namespace: str, workflow: str, node_id: str, artifact: str
    ) -> AsyncGenerator[bytes, None]:
        """Stream a log that Argo archived, an output artifact of a node, in chunks of at most 64 KiB.

        What is larger or slower than `Limits` ends in `UpstreamError`; raises the other errors of `kubeci.errors` too. Where
        no answer comes, the next are not asked for at all for a moment: there may be many. The caller closes the iterator
        (`contextlib.aclosing`) when it stops early.
        """
        path = "/".join(segment(name) for name in (namespace, workflow, node_id, artifact))
        now = asyncio.get_running_loop().time
        if now() < self._silent_until:
            raise UpstreamError(f"{_ARTIFACT} was not asked for: no answer came a moment ago", retryable=True)
        try:
            async with aclosing(self._artifact(path)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except UpstreamError as error:
            if error.retryable and not error.status:
                self._silent_until = now() + self._limits.pause_seconds
            raise

    async def _artifact(self, path: str) -> AsyncGenerator[bytes, None]:
        headers = {"Authorization": self._token}
        url, limits = f"{self._url}artifacts/{path}", self._limits
        deadline = asyncio.get_running_loop().time() + limits.log_seconds
        size = 0
        try:
            async with AsyncExitStack() as stack:
                # What waits for argo-server is limited, and not what the caller does between two chunks.
                async with asyncio.timeout_at(deadline):
                    response = await stack.enter_async_context(
                        answered(self._http, "GET", url, _ARTIFACT, headers=headers)
                    )
                refuse_compressed(response, _ARTIFACT)
                if response.headers.get("Content-Type", "").startswith("text/html"):
                    raise UpstreamError(
                        f"the answer to {_ARTIFACT} is a web page; is the address argo-server's?"
                    )
                chunks = response.aiter_raw(CHUNK_BYTES)
                while True:
                    async with asyncio.timeout_at(deadline):
                        chunk = await anext(chunks, b"")
                    if not chunk:
                        break
                    size += len(chunk)
                    if size > limits.log_bytes:
                        raise UpstreamError(f"{_ARTIFACT} is larger than {limits.log_bytes:,} bytes")
                    yield chunk
        except TimeoutError as error:
            raise of_failure(error, call=_ARTIFACT) from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


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
