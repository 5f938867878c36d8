"""The paths of the API server and what answers at each."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from kubeci.local.cluster import crds, deleting, discovery, reading, scope, writing
from kubeci.local.cluster.answers import HEADERS, refuse
from kubeci.local.cluster.call import Call
from kubeci.local.cluster.door import Door
from kubeci.local.cluster.pod_logs import read_log
from kubeci.local.cluster.resources import PODS, RESOURCES, WORKFLOWS
from kubeci.local.cluster.status import ApiError, bad_request, not_found
from kubeci.local.cluster.watching import watch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from kubeci.local.cluster.cluster import LocalCluster
    from kubeci.local.cluster.resources import Resource

    Handler: TypeAlias = Callable[[Call], Awaitable[ASGIApp]]


def api_server(cluster: LocalCluster) -> ASGIApp:
    """Make the ASGI application that serves a cluster's API."""
    routes = [route for resource in RESOURCES for route in _routes(cluster, resource)]
    paths = {resource.path for resource in RESOURCES} - {crds.PATH}
    routes += [Route(path, discovery.kinds) for path in paths]
    routes += [Route(path, discovery.healthy) for path in ("/healthz", "/livez", "/readyz")]
    routes += [
        Route("/version", discovery.version),
        Route("/api", discovery.core_versions),
        Route("/apis", discovery.groups),
        Route(discovery.REVIEWS, discovery.access_review, methods=["POST"]),
        *crds.routes(cluster),
        *scope.routes(cluster),
    ]
    handlers = {ApiError: _refused, HTTPException: _no_such_path}
    return Door(cluster, Starlette(routes=routes, exception_handlers=handlers))


def _routes(cluster: LocalCluster, resource: Resource) -> Iterator[Route]:
    everywhere = f"{resource.path}/{resource.plural}"
    collection = f"{resource.path}/namespaces/{{namespace}}/{resource.plural}"
    one = f"{collection}/{{name}}"
    table: list[tuple[str, str, Handler]] = [
        ("GET", everywhere, _list_or_watch),
        ("GET", collection, _list_or_watch),
        ("POST", collection, writing.create),
        ("GET", one, reading.get),
        ("PUT", one, writing.put),
        ("PATCH", one, writing.patch),
        ("DELETE", one, deleting.delete),
        ("DELETE", collection, deleting.delete_collection),
    ]
    if resource is PODS:
        table.append(("GET", f"{one}/log", read_log))
    table.append(("GET", f"{one}/{{subresource:path}}", _no_subresource))
    if resource.custom:
        table += [
            ("POST", one, writing.create),
            ("PUT", collection, _unnamed),
            ("PATCH", collection, _unnamed),
        ]
    for method, path, handler in table:
        yield Route(path, _endpoint(cluster, resource, handler), methods=[method])


def _endpoint(
    cluster: LocalCluster, resource: Resource, handler: Handler
) -> Callable[[Request], Awaitable[ASGIApp]]:
    async def endpoint(request: Request) -> ASGIApp:
        if resource.custom:
            crds.refuse_absent(cluster)
        path = request.path_params
        return await handler(Call(cluster, request, resource, path.get("namespace"), path.get("name", "")))

    return endpoint


async def _list_or_watch(call: Call) -> ASGIApp:
    return await (watch(call) if call.flag("watch") else reading.list_objects(call))


async def _unnamed(_: Call) -> ASGIApp:
    raise bad_request("name must be provided")


async def _no_subresource(call: Call) -> ASGIApp:
    call.authorize("get", call.request.path_params["subresource"])
    raise not_found(call.resource, call.name)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return refuse(error)


async def _no_such_path(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    custom = request.url.path.startswith(WORKFLOWS.path)
    if error.status_code == 405 and not custom:
        why = "the server does not allow this method on the requested resource"
        return refuse(ApiError(405, "MethodNotAllowed", why, details={}))
    if error.status_code == 405 and "/namespaces/" not in request.url.path:
        error = HTTPException(404)  # there is no such path for a custom resource
    text = "404 page not found" if error.status_code == 404 else error.detail
    return PlainTextResponse(f"{text}\n", error.status_code, HEADERS)
