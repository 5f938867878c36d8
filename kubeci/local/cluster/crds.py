"""How Argo's CustomResourceDefinitions are installed: whole, minimal, of an older version, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from starlette.exceptions import HTTPException
from starlette.routing import Route

from kubeci.local.cluster.answers import answer
from kubeci.local.cluster.discovery import kinds
from kubeci.local.cluster.resources import WORKFLOWS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from kubeci.local.cluster.cluster import LocalCluster
    from kubeci.model.json import JsonObject

PATH = WORKFLOWS.path
DEPTH = 9  # fields in fields that the published schema goes into


@dataclass(frozen=True, slots=True)
class Crds:
    """What discovery and the OpenAPI document say of Argo; without definitions requests for its objects lead nowhere.

    `unknown` are names of fields that this version does not have.
    """

    kind: Literal["full", "minimal", "none"] = "full"
    unknown: frozenset[str] = frozenset()


def routes(cluster: LocalCluster) -> list[Route]:
    """Give the routes of discovery and of the OpenAPI document (kubernetes.io/docs/concepts/overview/kubernetes-api)."""

    async def discovery(request: Request) -> Response:
        refuse_absent(cluster)
        return await kinds(request)

    async def document(_: Request) -> Response:
        refuse_absent(cluster)
        return answer({"openapi": "3.0.0", "components": {"schemas": _schemas(cluster.crds)}})

    return [Route(PATH, discovery), Route(f"/openapi/v3{PATH}", document)]


def refuse_absent(cluster: LocalCluster) -> None:
    """Answer as where nobody serves the path, when Argo's definitions are not there; raises HTTPException 404."""
    if cluster.crds.kind == "none":
        raise HTTPException(404)


@cache
def _schemas(crds: Crds) -> JsonObject:
    opaque = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    fields = dict.fromkeys(("spec", "status"), opaque)
    if crds.kind == "full":
        text = resources.files("kubeci.workflow").joinpath("workflow.schema.json").read_bytes()
        whole = msgspec.json.decode(text)
        fields = {
            name: _inlined(whole, whole["$defs"]["Workflow"]["properties"][name], crds) for name in fields
        }
    named = {"type": "object", "properties": {"metadata": {"type": "object"}, **fields}}
    group_version_kind = {"group": WORKFLOWS.group, "version": WORKFLOWS.version, "kind": WORKFLOWS.kind}
    return {
        "io.argoproj.v1alpha1.Workflow": {**named, "x-kubernetes-group-version-kind": [group_version_kind]}
    }


def _inlined(whole: JsonObject, schema: Any, crds: Crds, depth: int = 0) -> JsonObject:
    """Write a schema without references, as a CustomResourceDefinition has to."""
    while "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].rpartition("/")[2]]
    found: JsonObject = {key: schema[key] for key in ("type",) if key in schema}
    if depth < DEPTH:
        for key in ("items", "additionalProperties"):
            if isinstance(schema.get(key), dict):
                found[key] = _inlined(whole, schema[key], crds, depth + 1)
        if "properties" in schema:
            found["properties"] = {
                name: _inlined(whole, inner, crds, depth + 1)
                for name, inner in schema["properties"].items()
                if name not in crds.unknown
            }
    return found
