"""The feed of our workflows: those of one namespace that carry our label."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator

from kubeci.cluster.client import Client
from kubeci.cluster.list_watch import Collection, Listeners, Timing, list_watch
from kubeci.cluster.workflows import WORKFLOWS
from kubeci.model.watch import Change


class ClusterWorkflowFeed:
    """Fulfils the port `WorkflowFeed`."""

    def __init__(
        self,
        client: Client,
        *,
        namespace: str,
        label_selector: str,
        timing: Timing | None = None,
        told: Listeners | None = None,
    ) -> None:
        self._client = client
        self._collection = Collection(WORKFLOWS, {"namespace": namespace}, label_selector)
        self._timing = timing
        self._told = told

    def follow(self) -> AsyncGenerator[Change, None]:
        """List, then watch, for ever; each failure is told and tried again."""
        return list_watch(
            self._client,
            self._collection,
            random=random.random,
            timing=self._timing,
            told=self._told,
        )
