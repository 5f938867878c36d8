"""What the cluster says of itself: version and clock, namespaces, Argo's kinds and schema, storage classes.

Discovery and the OpenAPI documents are there for everybody who has an account (the role `system:discovery`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto

import msgspec

from kubeci.cluster.client import Client, Request
from kubeci.cluster.workflows import WORKFLOWS
from kubeci.errors import Invalid, NotFound, Unready, UpstreamError
from kubeci.model.json import JsonObject

ARGO = "/apis/argoproj.io/v1alpha1"
OPENAPI = f"/openapi/v3{ARGO}"
NAMESPACE = "/api/v1/namespaces/{namespace}"
STORAGE_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
STORAGE_CLASS = STORAGE_CLASSES + "/{name}"
MAX_DOCUMENT_BYTES = 64_000_000
PHASE = "workflows.argoproj.io/phase"
SEEN = 20
"""Workflows that are looked at, to find out whether a controller works."""
_DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


@dataclass(frozen=True, slots=True)
class Version:
    """The API server's version, and its clock where its answer told it."""

    name: str
    date: datetime | None


async def version(client: Client) -> Version:
    """Read the API server's version, which takes no rights."""
    async with client.stream(Request("GET", "/version")) as response:
        content = await response.read()
        date = response.headers.get("Date", "")
    try:
        told = msgspec.json.decode(content, type=JsonObject)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UpstreamError("the answer to GET /version is no JSON: is the address a cluster's?") from error
    try:
        return Version(str(told.get("gitVersion", "?")), parsedate_to_datetime(date))
    except ValueError:
        return Version(str(told.get("gitVersion", "?")), None)


class Namespace(Enum):
    """How a namespace stands."""

    THERE = auto()
    MISSING = auto()
    ENDING = auto()
    """It is being deleted: nothing can be created in it any more."""
    UNKNOWN = auto()
    """Our rights do not let us find out."""


async def find_namespace(client: Client, name: str) -> Namespace:
    """Say how a namespace stands.

    A server's own account may not read namespaces. Who may create workflows there is told by one that is only
    rehearsed (`dryRun`): the API server looks for the namespace after the rights.
    """
    try:
        found = await client.send(Request("GET", NAMESPACE, {"namespace": name}))
    except UpstreamError as error:
        if error.status == 404:
            return Namespace.MISSING
        if error.status != 403:
            raise
        return await _rehearsed(client, name)
    ending = (found.get("metadata") or {}).get("deletionTimestamp")
    return Namespace.ENDING if ending else Namespace.THERE


async def _rehearsed(client: Client, name: str) -> Namespace:
    workflow = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "kubeci-doctor-", "namespace": name},
        "spec": {},
    }
    request = Request("POST", WORKFLOWS, {"namespace": name}, {"dryRun": "All"}, workflow)
    try:
        await client.send(request)
    except Invalid:
        return Namespace.THERE  # what it holds is judged when the namespace was found
    except UpstreamError as error:
        if error.status == 404:
            return Namespace.MISSING if f'namespaces "{name}"' in str(error) else Namespace.UNKNOWN
        if error.status != 403:
            raise
        # Of what is refused with 403, only a namespace that is being deleted is no matter of rights.
        return Namespace.ENDING if isinstance(error, Unready) else Namespace.UNKNOWN
    return Namespace.THERE


async def argo_kinds(client: Client) -> frozenset[str]:
    """Name the resources of `argoproj.io/v1alpha1`; none when the cluster does not know the group."""
    try:
        found = await client.send(Request("GET", ARGO))
    except UpstreamError as error:
        if error.status != 404:
            raise
        return frozenset()
    resources = found.get("resources")
    named = (each.get("name") for each in resources or () if isinstance(each, dict))
    return frozenset(name for name in named if isinstance(name, str))


class _Components(msgspec.Struct):
    schemas: dict[str, msgspec.Raw] = {}


class _Document(msgspec.Struct):
    components: _Components


async def workflow_schema(client: Client) -> JsonObject:
    """Read the OpenAPI schema of a Workflow as the cluster publishes it.

    With Argo's full CRDs the document has some ten megabytes; only one kind of it is decoded. Raises an error of
    status 404 where there is none.
    """
    async with client.stream(Request("GET", OPENAPI)) as response:
        content = bytearray()
        async for chunk in response.content.iter_any():
            content += chunk
            if len(content) > MAX_DOCUMENT_BYTES:
                raise UpstreamError(f"the OpenAPI document has more than {MAX_DOCUMENT_BYTES:,} bytes")
    try:
        schemas = msgspec.json.decode(content, type=_Document).components.schemas
        for name, schema in schemas.items():
            if name.endswith(".Workflow"):
                return msgspec.json.decode(schema, type=JsonObject)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamError("the cluster's OpenAPI document of argoproj.io cannot be read") from error
    raise NotFound("the cluster publishes no schema of a Workflow", status=404)


async def workflows(client: Client, namespace: str, *, taken_up: bool) -> tuple[JsonObject, ...]:
    """List some workflows of a namespace: those that a controller has given a phase, or those that none has."""
    query = {"labelSelector": PHASE if taken_up else f"!{PHASE}", "limit": str(SEEN)}
    found = await client.send(Request("GET", WORKFLOWS, {"namespace": namespace}, query))
    return tuple(found.get("items") or ())


async def storage_class(client: Client, name: str) -> None:
    """Look for a storage class; the error has the status 404 where there is none, 403 where we may not look."""
    await client.send(Request("GET", STORAGE_CLASS, {"name": name}))


async def storage_classes(client: Client) -> dict[str, bool]:
    """Name the storage classes, each with whether it is a default; at most 500."""
    found = await client.send(Request("GET", STORAGE_CLASSES, query={"limit": "500"}))
    return {
        each["metadata"]["name"]: any(
            (each["metadata"].get("annotations") or {}).get(key) == "true" for key in _DEFAULT_CLASS
        )
        for each in found.get("items") or ()
    }
