"""The API's routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kubeci.service.dispatch import Admission
from kubeci.service.look import Look
from kubeci.service.rooms import Rooms
from kubeci.service.run_logs import LogRooms
from kubeci.service.runs import Runs
from kubeci.service.submit import Submitter
from kubeci.web.access import Access
from kubeci.web.api.answers import answer
from kubeci.web.api.log_stream import LogStreams
from kubeci.web.api.openapi import document
from kubeci.web.api.resource import Handler, Nowhere, Resource
from kubeci.web.api.runs import RunEndpoints
from kubeci.web.api.shown import Shown
from kubeci.web.pages.addresses import Links, html_address


@dataclass(frozen=True, slots=True)
class ApiPorts:
    """What the API works with."""

    access: Access
    rooms: Rooms
    submitter: Submitter
    admission: Admission
    look: Look
    github_url: str
    """Address of GitHub's API."""


def api_routes(ports: ApiPorts) -> list[Route]:
    """Give the routes of the API, to stand before any other below `/api/`."""
    rooms = ports.rooms
    logs = LogStreams(LogRooms(rooms.builds, rooms.cluster.logs, ports.look))
    shown = Shown(Links(html_address(ports.github_url), rooms.argo_ui))
    runs = Runs(rooms, ports.submitter, ports.admission)
    endpoints = RunEndpoints(runs, rooms.builds, ports.look, logs, shown)
    paths: Mapping[str, Mapping[str, Handler]] = {
        "/api/v1/run": {"POST": endpoints.start},
        "/api/v1/runs": {"GET": endpoints.list},
        "/api/v1/runs/{id}": {"GET": endpoints.show},
        "/api/v1/runs/{id}/cancel": {"POST": endpoints.cancel},
        "/api/v1/runs/{id}/retry": {"POST": endpoints.retry},
        "/api/v1/runs/{id}/logs": {"GET": endpoints.logs},
    }

    async def describe(_request: Request) -> Response:
        return answer(document())

    return [
        *(Route(path, Resource(ports.access, handlers)) for path, handlers in paths.items()),
        Route("/api/openapi.json", describe),
        Route("/api/{rest:path}", Nowhere()),
    ]
