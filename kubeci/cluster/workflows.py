"""Argo workflows as plain dicts."""

from __future__ import annotations

from collections.abc import Mapping

from kubeci.cluster.client import MERGE_PATCH, Client, Request
from kubeci.errors import Conflict, Invalid, UpstreamError
from kubeci.model.json import JsonObject

WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/{namespace}/workflows"
WORKFLOW = WORKFLOWS + "/{name}"
WORKFLOW_TEMPLATE = "/apis/argoproj.io/v1alpha1/namespaces/{namespace}/workflowtemplates/{name}"
CLUSTER_WORKFLOW_TEMPLATE = "/apis/argoproj.io/v1alpha1/clusterworkflowtemplates/{name}"


class ArgoWorkflows:
    """Fulfils the port `Workflows`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def create(self, manifest: JsonObject) -> JsonObject:
        """Create a workflow and give it back as the API server holds it.

        Fields that the cluster's own schema does not know are refused (`Strict`): under `Warn` the server would drop
        them, and run something else than what was written. Raises `Conflict` when the name exists, `Invalid` with
        the server's words on what is wrong.
        """
        namespace = (manifest.get("metadata") or {}).get("namespace")
        if not namespace:
            raise Invalid("the manifest names no namespace")
        request = Request(
            "POST",
            WORKFLOWS,
            parameters={"namespace": namespace},
            query={"fieldValidation": "Strict"},
            body=manifest,
        )
        return await self._client.send(request)

    async def get(self, namespace: str, name: str) -> JsonObject:
        """Read one workflow."""
        return await self._client.send(Request("GET", WORKFLOW, {"namespace": namespace, "name": name}))

    async def template(self, namespace: str, name: str, *, cluster_scope: bool) -> JsonObject:
        """Read a WorkflowTemplate, or with `cluster_scope` a ClusterWorkflowTemplate, which has no namespace."""
        if cluster_scope:
            return await self._client.send(Request("GET", CLUSTER_WORKFLOW_TEMPLATE, {"name": name}))
        names = {"namespace": namespace, "name": name}
        return await self._client.send(Request("GET", WORKFLOW_TEMPLATE, names))

    async def stop(self, namespace: str, name: str, *, terminate: bool = False) -> None:
        """Ask Argo to stop a workflow; its exit handlers run, unless it is to `terminate`. One that has ended stays as it is."""
        await self._merge(namespace, name, {"spec": {"shutdown": "Terminate" if terminate else "Stop"}})

    async def annotate(self, namespace: str, name: str, annotations: Mapping[str, str]) -> None:
        """Merge annotations into a workflow's metadata."""
        await self._merge(namespace, name, {"metadata": {"annotations": dict(annotations)}})

    async def _merge(self, namespace: str, name: str, patch: JsonObject) -> None:
        names = {"namespace": namespace, "name": name}
        try:
            await self._client.send(Request("PATCH", WORKFLOW, names, body=patch, content_type=MERGE_PATCH))
        except Conflict as error:
            # The patch names no version: others wrote at the same moment, more often than the API server tried again.
            raise UpstreamError(
                str(error), status=error.status, retryable=True, public=error.public
            ) from error
