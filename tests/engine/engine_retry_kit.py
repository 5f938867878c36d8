"""A retry of a workflow, and the wait for its end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from engine_stack import Stack

from kubeci.local.engine.retry import retry

NOW = datetime(2026, 11, 21, 0, 40, 46, tzinfo=UTC)


async def again(stack: Stack, name: str) -> dict[str, Any]:
    """Retry, and wait for the end of the second attempt."""
    version = int(retry(stack.objects, "ci", name, NOW)["metadata"]["resourceVersion"])
    return await stack.until(
        name,
        lambda found: (
            int(found["metadata"]["resourceVersion"]) > version and "finishedAt" in found.get("status", {})
        ),
    )
