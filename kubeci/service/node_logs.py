"""The log of a node's container: from its pod, or from Argo's archive when the pod is gone."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from kubeci.errors import Forbidden, NotFound, UpstreamError
from kubeci.ports import LogArchive, PodLogs
from kubeci.workflow.pod_names import pod_name
from kubeci.workflow.status import Node, WorkflowState


@dataclass(frozen=True, slots=True)
class NodeLogs:
    """Logs of pods, and those that Argo archived (`spec.archiveLogs`)."""

    pods: PodLogs
    archive: LogArchive | None = None
    """argo-server; None: there is none."""

    def of_pod(
        self, state: WorkflowState, node: Node, container: str, *, follow: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """Stream a container's log from its pod; `NotFound` when the pod is gone."""
        pod = pod_name(state.name, node, format_version=state.pod_name_format)
        return self.pods.read(state.namespace, pod, container, follow=follow)

    def of_archive(
        self, state: WorkflowState, node: Node, container: str
    ) -> AsyncGenerator[bytes, None] | None:
        """Stream a container's archived log; None: Argo archived none, or there is nobody to ask for it.

        Argo's executor calls it `{container}-logs` among the node's output artifacts, and uploads it before the node ends.
        """
        artifact = f"{container}-logs"
        if self.archive is None or artifact not in node.artifacts:
            return None
        return self.archive.archived_log(state.namespace, state.name, node.id, artifact)

    async def read(self, state: WorkflowState, node: Node, container: str) -> AsyncGenerator[bytes, None]:
        """Stream a container's log from wherever it is.

        Raises `NotFound` with the reason when it is nowhere, retryable where argo-server may give it later, and the other
        errors of the pod's log.
        """
        gone = f"the pod {pod_name(state.name, node, format_version=state.pod_name_format)} is gone"
        try:
            async with aclosing(self.of_pod(state, node, container)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except NotFound as error:
            archived = self.of_archive(state, node, container)
            if archived is None:
                raise NotFound(gone, status=error.status) from error
        else:
            return
        try:
            async with aclosing(archived) as chunks:
                async for chunk in chunks:
                    yield chunk
        except UpstreamError as error:
            # argo-server answers 500 to an artifact that is not there, and to a store that refuses it.
            # An API server that has just started refuses until it has read the roles.
            later = isinstance(error, Forbidden) or (error.retryable and error.status != 500)
            told = f"{gone}, and its archived log cannot be read: "
            raise NotFound(f"{told}{error}", retryable=later, public=f"{told}{error.public}") from error
