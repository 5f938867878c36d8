"""Requests to the Kubernetes API in plain JSON, so that nothing an object holds is lost on the way."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import quote

import msgspec
from aiohttp import ClientError, ClientResponse, ClientTimeout
from kubernetes.aio.client.api_client import ApiClient

from kubeci.cluster.causes import explained
from kubeci.cluster.errors import of_answer, of_failure
from kubeci.errors import Invalid, UpstreamError
from kubeci.model.json import JsonObject

OnRequest: TypeAlias = Callable[[str, str, int, float], None]
"""Told of each HTTP request: method, route, status (0: no answer), seconds until the answer began."""

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0  # without a byte
MERGE_PATCH = "application/merge-patch+json"
MAX_ERROR_BYTES = 64_000


@dataclass(frozen=True, slots=True)
class Request:
    """One call of the Kubernetes API; `route` is a path with names in braces, filled in by `parameters`."""

    method: str
    route: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: JsonObject | None = None
    content_type: str = "application/json"
    read_seconds: float = READ_SECONDS
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Give the path with its parameters filled in, each escaped as one segment."""
        # A slash, be it escaped, is answered as a path that nobody serves, and so as an API that is missing.
        if any(value in {"", ".", ".."} or "/" in value for value in self.parameters.values()):
            raise Invalid(f"a name in {self.route} is empty or dots, or has a slash: {dict(self.parameters)}")
        return self.route.format_map({name: quote(value, safe="") for name, value in self.parameters.items()})


def _unheard(_method: str, _route: str, _status: int, _seconds: float) -> None:
    """Listen to nothing."""


class Client:
    """Sends requests through a configured `ApiClient`, which knows address, certificates and tokens."""

    def __init__(self, api: ApiClient, *, on_request: OnRequest = _unheard) -> None:
        self._api = api
        self._on_request = on_request

    @property
    def address(self) -> str:
        """Give the address of the API server."""
        return str(self._api.configuration.host)

    async def send(self, request: Request) -> JsonObject:
        """Send a request and give the object of the answer; raises the errors of `kubeci.errors`."""
        async with self.stream(request) as response:
            content = await response.read()
        try:
            return msgspec.json.decode(content, type=JsonObject)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            call = f"{request.method} {request.route}"
            raise UpstreamError(
                f"the cluster's answer to {call} is no JSON object", retryable=True
            ) from error

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[ClientResponse]:
        """Send a request and lend the successful answer, to be read inside the block.

        Errors while it is read, in the block, become ours too.
        """
        call = f"{request.method} {request.route}"
        namespace = request.parameters.get("namespace", "")
        response: ClientResponse | None = None
        try:
            response = await self._begin(request)
            if not response.ok:
                content = await response.content.read(MAX_ERROR_BYTES)
                refusal = of_answer(response.status, response.headers, content, call=call)
                raise explained(refusal, route=request.route, namespace=namespace, content=content)
            yield response
        except (ClientError, TimeoutError, OSError) as error:
            raise explained(of_failure(error, call=call), route=request.route, namespace=namespace) from error
        finally:
            if response is not None:
                response.close() if not response.content.at_eof() else response.release()

    async def _begin(self, request: Request) -> ClientResponse:
        method, url, headers, body, _ = await self._api.param_serialize(
            method=request.method,
            resource_path=request.path,
            query_params=list(request.query.items()),
            header_params={
                "Accept": "application/json",
                "Content-Type": request.content_type,
                **request.headers,
            },
            body=request.body,
            auth_settings=["BearerToken"],
        )
        timeout = ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=request.read_seconds)
        started = time.monotonic()
        status = 0
        try:
            answer: Any = await self._api.call_api(method, url, headers, body, _request_timeout=timeout)
            response: ClientResponse = answer.response
            status = response.status
            return response
        finally:
            self._on_request(request.method, request.route, status, time.monotonic() - started)
