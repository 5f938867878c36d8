"""The stream of a workflow's logs: one JSON object a line, `{"result": {"content": …, "podName": …}}`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from kubeci.local.cluster.logs import LogBuffer
from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import PODS
from kubeci.local.cluster.selectors import selector

WORKFLOW_LABEL = "workflows.argoproj.io/workflow"


def pods_of(objects: Objects, namespace: str, workflow: str, pod: str) -> list[str]:
    """Give the names of a workflow's pods that are still there, or the one that is asked for."""
    found = objects.list(PODS, namespace, selector(f"{WORKFLOW_LABEL}={workflow}", ""))
    names = [one["metadata"]["name"] for one in found]
    return [name for name in names if pod in {"", name}]


async def lines(buffer: LogBuffer, pod: str, *, follow: bool) -> AsyncIterator[bytes]:
    """Give what a container wrote, a line each; with `follow`, until it ends."""
    position = 0
    while True:
        pieces, position = buffer.pieces(position)
        for piece in pieces:
            content = piece.data.decode(errors="replace").removesuffix("\n")
            yield msgspec.json.encode({"result": {"content": content, "podName": pod}}) + b"\n"
        if not follow or (buffer.closed and not pieces):
            return
        await buffer.wait(position)
