"""The feed of our workflows: those of one namespace that carry our label."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator

import structlog

from kubeci.cluster.client import Client
from kubeci.cluster.list_watch import Collection, Timing, list_watch
from kubeci.cluster.workflows import WORKFLOWS
from kubeci.errors import UpstreamError
from kubeci.model.watch import Change

log = structlog.get_logger(__name__)


class ClusterWorkflowFeed:
    """Fulfils the port `WorkflowFeed`."""

    def __init__(
        self, client: Client, *, namespace: str, label_selector: str, timing: Timing | None = None
    ) -> None:
        self._client = client
        self._collection = Collection(WORKFLOWS, {"namespace": namespace}, label_selector)
        self._timing = timing

    def follow(self) -> AsyncGenerator[Change, None]:
        """List, then watch, for ever; each failure is logged and tried again."""
        return list_watch(
            self._client, self._collection, random=random.random, timing=self._timing, on_problem=_tell
        )


def _tell(error: UpstreamError, seconds: float) -> None:
    log.warning("the watch of workflows failed", error=str(error), again_in_seconds=round(seconds, 1))
