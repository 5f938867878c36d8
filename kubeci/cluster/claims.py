"""Persistent volume claims as plain dicts, and the pods that hold them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from kubeci.cluster.client import Client, Request
from kubeci.errors import Invalid, NotFound, UpstreamError
from kubeci.model.json import JsonObject

CLAIMS = "/api/v1/namespaces/{namespace}/persistentvolumeclaims"
CLAIM = CLAIMS + "/{name}"
PODS = "/api/v1/namespaces/{namespace}/pods"
POD = PODS + "/{name}"
PAGE = 500
# The label that Argo gives to the pods of workflows; others are not ours to delete.
OF_A_WORKFLOW = "workflows.argoproj.io/workflow"


class ClusterClaims:
    """Fulfils the port `Claims`."""

    def __init__(self, client: Client, *, page: int = PAGE) -> None:
        self._client = client
        self._page = page

    async def get(self, namespace: str, name: str) -> JsonObject:
        """Read one claim."""
        return await self._client.send(Request("GET", CLAIM, {"namespace": namespace, "name": name}))

    async def create(self, manifest: JsonObject) -> JsonObject:
        """Create a claim; `Conflict` when the name exists, `Invalid` with the server's words on what is wrong."""
        namespace = (manifest.get("metadata") or {}).get("namespace")
        if not namespace:
            raise Invalid("the manifest names no namespace")
        query = {"fieldValidation": "Strict"}
        return await self._client.send(Request("POST", CLAIMS, {"namespace": namespace}, query, manifest))

    async def labelled(self, namespace: str, labels: Mapping[str, str]) -> list[JsonObject]:
        """List the claims that carry all of these labels."""
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        return [claim async for claim in self._list(CLAIMS, namespace, selector)]

    async def delete(self, namespace: str, name: str) -> None:
        """Delete a claim; it goes when no pod holds it any more. `NotFound` when it is not there."""
        await self._client.send(Request("DELETE", CLAIM, {"namespace": namespace, "name": name}))

    async def delete_pods_of(self, namespace: str, claim: str) -> int:
        """Delete the workflows' pods that mount a claim, ended ones too, which hold it as well; gives their number.

        Deleted after the claim, these are all: no pod is started with a claim that is being deleted
        (kubernetes.io/docs/concepts/storage/persistent-volumes, storage object in use protection).
        """
        pods = self._list(PODS, namespace, OF_A_WORKFLOW)
        holders = [pod["metadata"]["name"] async for pod in pods if claim in set(_claims_of(pod))]
        deleted = 0
        for name in holders:
            try:
                await self._client.send(Request("DELETE", POD, {"namespace": namespace, "name": name}))
            except NotFound:
                continue
            deleted += 1
        return deleted

    async def _list(self, route: str, namespace: str, selector: str) -> AsyncIterator[JsonObject]:
        token = ""
        while True:
            query = {"labelSelector": selector, "limit": str(self._page)}
            query |= {"continue": token} if token else {}
            try:
                answer = await self._client.send(Request("GET", route, {"namespace": namespace}, query))
            except NotFound as error:
                # A list that took so long that the server forgot where it began (410) begins anew when it is repeated.
                raise UpstreamError(str(error), status=error.status, retryable=True) from error
            for item in answer.get("items") or ():
                yield item
            token = (answer.get("metadata") or {}).get("continue") or ""
            if not token:
                return


def _claims_of(pod: JsonObject) -> list[Any]:
    volumes = (pod.get("spec") or {}).get("volumes") or ()
    return [(volume.get("persistentVolumeClaim") or {}).get("claimName") for volume in volumes]
