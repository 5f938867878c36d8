"""What the use cases need of the cluster, and of argo-server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Protocol

from kubeci.model.json import JsonObject
from kubeci.model.lease import Lease
from kubeci.model.watch import Change


class Workflows(Protocol):
    """Argo workflows of the cluster."""

    async def create(self, manifest: JsonObject) -> JsonObject:
        """Create a workflow and give it back as the API server holds it; `Conflict` when the name exists."""

    async def get(self, namespace: str, name: str) -> JsonObject:
        """Read one workflow."""

    async def template(self, namespace: str, name: str, *, cluster_scope: bool) -> JsonObject:
        """Read a WorkflowTemplate, or with `cluster_scope` a ClusterWorkflowTemplate, which has no namespace."""

    async def stop(self, namespace: str, name: str, *, terminate: bool = False) -> None:
        """Ask Argo to stop a workflow; its exit handlers run (`spec.shutdown: Stop`), unless it is to `terminate`."""

    async def annotate(self, namespace: str, name: str, annotations: Mapping[str, str]) -> None:
        """Merge annotations into a workflow's metadata."""


class Retries(Protocol):
    """What argo-server alone can do."""

    async def retry(self, namespace: str, name: str) -> None:
        """Run the failed nodes of an ended workflow again; `NotFound`, `Invalid` when that cannot be done."""


class Claims(Protocol):
    """Persistent volume claims of the cluster, and the pods that hold them."""

    async def get(self, namespace: str, name: str) -> JsonObject:
        """Read one claim."""

    async def create(self, manifest: JsonObject) -> JsonObject:
        """Create a claim; `Conflict` when the name exists, `Invalid` with the server's words on what is wrong."""

    async def labelled(self, namespace: str, labels: Mapping[str, str]) -> list[JsonObject]:
        """List the claims that carry all of these labels."""

    async def delete(self, namespace: str, name: str) -> None:
        """Delete a claim; it goes when no pod holds it any more. `NotFound` when it is not there."""

    async def delete_pods_of(self, namespace: str, claim: str) -> int:
        """Delete the pods that mount a claim; gives their number."""


class WorkflowFeed(Protocol):
    """The state of all our workflows, now and as it changes."""

    def follow(self) -> AsyncGenerator[Change, None]:
        """List, then watch, for ever; a lost watch is taken up again or begins with a new list."""


class LeaderLease(Protocol):
    """The lease by which replicas agree who leads."""

    async def get(self) -> Lease:
        """Read it; `NotFound` when there is none yet."""

    async def create(self, lease: Lease) -> Lease:
        """Create it; `Conflict` when somebody was quicker."""

    async def replace(self, lease: Lease) -> Lease:
        """Replace it; `Conflict` when it changed since `lease` was read."""


class PodLogs(Protocol):
    """Logs of a workflow's pods."""

    def read(
        self, namespace: str, pod: str, container: str, *, follow: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """Stream a container's log in chunks of any size, with `follow` until it ends; `NotFound` when the pod is gone."""


class LogArchive(Protocol):
    """Logs that Argo archived."""

    def archived_log(
        self, namespace: str, workflow: str, node_id: str, artifact: str
    ) -> AsyncGenerator[bytes, None]:
        """Stream a log that is an output artifact of a node, in chunks of any size; the port bounds size and time."""
