"""Logs of pods."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from kubeci.cluster.client import Client, Request

LOG = "/api/v1/namespaces/{namespace}/pods/{name}/log"
CHUNK_BYTES = 64 * 1024


class ClusterPodLogs:
    """Fulfils the port `PodLogs`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def read(self, namespace: str, pod: str, container: str) -> AsyncGenerator[bytes, None]:
        """Stream a container's log as it is now, in chunks of at most 64 KiB; an unscheduled pod has an empty one.

        Raises `NotFound` when the pod is gone, `Invalid` for a container it does not have, and, retryable, for one
        that has not started. The caller closes the iterator (`contextlib.aclosing`) when it stops early.
        """
        request = Request("GET", LOG, {"namespace": namespace, "name": pod}, query={"container": container})
        async with self._client.stream(request) as response:
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                yield chunk
