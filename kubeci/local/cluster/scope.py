"""What stands above all namespaces: they themselves, and storage classes; both can only be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from kubeci.local.cluster.answers import answer
from kubeci.local.cluster.call import Call
from kubeci.local.cluster.resources import Resource
from kubeci.local.cluster.status import not_found

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from kubeci.local.cluster.cluster import LocalCluster
    from kubeci.model.json import JsonObject

NAMESPACES = Resource("", "v1", "namespaces", "Namespace")
STORAGE_CLASSES = Resource("storage.k8s.io", "v1", "storageclasses", "StorageClass")
DEFAULT = "storageclass.kubernetes.io/is-default-class"


def routes(cluster: LocalCluster) -> list[Route]:
    """Give the routes."""

    async def namespace(request: Request) -> Response:
        name = request.path_params["name"]
        call = Call(cluster, request, NAMESPACES, None, name)
        call.authorize("get")
        if name not in cluster.namespaces:
            raise not_found(NAMESPACES, name)
        return answer(_named(NAMESPACES, name) | {"status": {"phase": "Active"}})

    async def storage_class(request: Request) -> Response:
        name = request.path_params["name"]
        Call(cluster, request, STORAGE_CLASSES, None, name).authorize("get")
        if name not in cluster.storage_classes:
            raise not_found(STORAGE_CLASSES, name)
        return answer(_storage_class(name, default=cluster.storage_classes[name]))

    async def storage_classes(request: Request) -> Response:
        Call(cluster, request, STORAGE_CLASSES).authorize("list")
        items = [_storage_class(name, default=default) for name, default in cluster.storage_classes.items()]
        named = {"kind": "StorageClassList", "apiVersion": STORAGE_CLASSES.api_version}
        return answer({**named, "metadata": {"resourceVersion": "1"}, "items": items})

    path = f"{STORAGE_CLASSES.path}/{STORAGE_CLASSES.plural}"
    return [
        Route(f"{NAMESPACES.path}/{NAMESPACES.plural}/{{name}}", namespace),
        Route(path, storage_classes),
        Route(f"{path}/{{name}}", storage_class),
    ]


def _named(resource: Resource, name: str) -> JsonObject:
    return {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": {"name": name}}


def _storage_class(name: str, *, default: bool) -> JsonObject:
    found = _named(STORAGE_CLASSES, name) | {"provisioner": "local"}
    found["metadata"]["annotations"] = {DEFAULT: str(default).lower()}
    return found
