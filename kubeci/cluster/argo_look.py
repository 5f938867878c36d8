"""What argo-server says of itself; that it says it at all shows that it is there and takes our token."""

from __future__ import annotations

import asyncio
import ssl

import httpx
import msgspec

from kubeci.cluster.argo_server_http import UNCOMPRESSED, refuse_compressed
from kubeci.errors import Forbidden, UpstreamError
from kubeci.model.json import JsonObject

VERSION = "api/v1/version"
INFO = "api/v1/info"
MAX_ANSWER_BYTES = 1_000_000


async def argo_version(
    url: str, token: str, *, trust_env: bool, tls: ssl.SSLContext, answer_seconds: float
) -> str:
    """Read argo-server's version; `token` with or without the word Bearer in front.

    Raises `Forbidden` for a token that is refused, and the other errors of `kubeci.errors`. No text holds the token.
    """
    headers = UNCOMPRESSED | {"Authorization": f"Bearer {token.strip().removeprefix('Bearer').strip()}"}
    timeout = httpx.Timeout(answer_seconds)
    async with httpx.AsyncClient(timeout=timeout, trust_env=trust_env, verify=tls, headers=headers) as http:
        await _read(http, url, INFO)
        return str((await _read(http, url, VERSION)).get("version", "?"))


async def _read(http: httpx.AsyncClient, url: str, path: str) -> JsonObject:
    content = bytearray()
    try:
        async with (
            asyncio.timeout(http.timeout.read),
            http.stream("GET", f"{url.rstrip('/')}/{path}") as response,
        ):
            refuse_compressed(response, f"GET /{path}")
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    raise UpstreamError(f"the answer to GET /{path} has more than {MAX_ANSWER_BYTES:,} bytes")
    except (TimeoutError, httpx.TimeoutException) as error:
        raise UpstreamError(f"argo-server did not answer GET /{path} in time", retryable=True) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UpstreamError(f"the connection to argo-server failed at GET /{path}: {error}"[:500]) from error
    if not response.is_success:
        status = response.status_code
        text = f"argo-server answered {status} to GET /{path}"
        raise Forbidden(text, status=status) if status in {401, 403} else UpstreamError(text, status=status)
    try:
        return msgspec.json.decode(bytes(content), type=JsonObject)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # A page of a proxy that asks people to log in comes with the status 200 too.
        raise UpstreamError(f"the answer to GET /{path} is no JSON; is the address argo-server's?") from error
