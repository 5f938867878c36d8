"""The routes of the pages."""

from __future__ import annotations

from starlette.routing import Route

from kubeci.web.pages.building import Building
from kubeci.web.pages.frame import Frame, PagePorts
from kubeci.web.pages.listing import Listing
from kubeci.web.pages.login import Login


def page_routes(ports: PagePorts) -> list[Route]:
    """Give the routes of the pages; they answer for nothing else."""
    frame = Frame(ports)
    listing, building, login = Listing(ports, frame), Building(ports, frame), Login(ports, frame)
    return [
        Route("/", frame.guarded(listing)),
        Route("/builds/{id}", frame.guarded(building.show)),
        Route("/builds/{id}/log/{step}", frame.guarded(building.text)),
        Route("/builds/{id}/log/{step}/lines", frame.guarded(building.lines)),
        Route("/login", login.form),
        Route("/login", login.enter, methods=["POST"]),
        Route("/logout", login.leave, methods=["POST"]),
        Route("/static/{name}", frame.file),
        # Browsers ask for it beside a log as plain text, which names no icon.
        Route("/favicon.ico", frame.icon),
    ]
