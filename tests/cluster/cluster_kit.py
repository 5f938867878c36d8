from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""No TLS here, and no time for reading certificates."""
Requests = list[tuple[str, str, int]]
"""What telemetry heard: method, route, status."""


def workflow(name: str = "build", **labels: str) -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name, "namespace": "ci", "labels": {"managedBy": "kube-ci", **labels}},
        "spec": {
            "entrypoint": "main",
            "templates": [{"name": "main", "container": {"image": "alpine", "command": ["true"]}}],
        },
    }


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(8):
        while not condition():
            await asyncio.sleep(0.01)
