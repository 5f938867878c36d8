"""Logs of pods."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from kubeci.cluster.client import Client, Request

LOG = "/api/v1/namespaces/{namespace}/pods/{name}/log"
CHUNK_BYTES = 64 * 1024
FOLLOW_SECONDS = (
    900.0  # without a byte; a step may say nothing for long, but a dead connection must not be held for ever
)


class ClusterPodLogs:
    """Fulfils the port `PodLogs`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def read(
        self, namespace: str, pod: str, container: str, *, follow: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """Stream a container's log in chunks of at most 64 KiB, as it is now or, with `follow`, until the container ends.

        An unscheduled pod has an empty log. Raises `NotFound` when the pod is gone, `Invalid` for a container it does not
        have, and, retryable, for one that has not started. The caller closes the iterator (`contextlib.aclosing`) when it stops early.
        """
        names, query = {"namespace": namespace, "name": pod}, {"container": container}
        request = (
            Request("GET", LOG, names, query | {"follow": "true"}, read_seconds=FOLLOW_SECONDS)
            if follow
            else Request("GET", LOG, names, query)
        )
        async with self._client.stream(request) as response:
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                yield chunk
