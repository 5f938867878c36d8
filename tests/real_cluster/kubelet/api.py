"""The API server as the kubelet asks it: plain JSON."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import ClientSession, ClientTimeout

MERGE_PATCH = "application/merge-patch+json"


class Api:
    """Sends requests; `session` knows the address and the token."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session

    async def call(self, method: str, path: str, body: Any = None, *, fine: tuple[int, ...] = ()) -> Any:
        """Send a request and give the answer's object; raises for a refusal, unless its status is `fine`."""
        kind = MERGE_PATCH if method == "PATCH" else "application/json"
        data = None if body is None else json.dumps(body)
        async with self._session.request(method, path, data=data, headers={"Content-Type": kind}) as response:
            if response.status not in fine:
                response.raise_for_status()
            return await response.json()

    async def watch(self, path: str, **query: str) -> AsyncIterator[Any]:
        """Give the events of a watch until the server ends it."""
        parameters = {**query, "watch": "1"}
        endless = ClientTimeout(total=None, sock_read=None)
        async with self._session.get(path, params=parameters, timeout=endless) as response:
            response.raise_for_status()
            async for line in response.content:
                yield json.loads(line)
