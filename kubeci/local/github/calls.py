"""One call of the API: who asks, for what; and the table row that says how it is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kubeci.local.github.app_manifest_apps import MadeApps
from kubeci.local.github.auth import InstallationToken, grants
from kubeci.local.github.deliveries import Deliveries
from kubeci.local.github.errors import ApiError, not_found
from kubeci.local.github.events import Events
from kubeci.local.github.faults import Limits
from kubeci.local.github.state import Account, Repository, State
from kubeci.model.json import JsonObject

PAGE_DEFAULT, PAGE_LIMIT = 30, 100
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Services:
    """What the operations work on."""

    state: State
    deliveries: Deliveries
    events: Events
    limits: Limits
    made_apps: MadeApps


@dataclass(slots=True)
class Call:
    """A request that was let in; `token` is None when the App itself asks."""

    services: Services
    request: Request
    body: JsonObject
    token: InstallationToken | None = None
    found: Repository | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """Give the memory of the server."""
        return self.services.state

    @property
    def caller(self) -> str:
        """Name who asks, for the rate limits."""
        if self.token is not None:
            return f"installation ID {self.token.installation_id}"
        return f"App ID {self.state.app.id}"

    @property
    def repository(self) -> Repository:
        """Give the repository of the path; only operations under /repos have one."""
        assert self.found is not None
        return self.found

    @property
    def sender(self) -> Account:
        """Give the App's bot user, who does what the App asks for."""
        return self.state.user(f"{self.state.app.slug}[bot]")

    def may(self, needed: str) -> bool:
        """Say whether the token holds `permission:level`, or one of several that are parted by `|`."""
        held = {} if self.token is None else self.token.permissions
        return any(grants(held, each) for each in needed.split("|"))

    def text(self, name: str) -> str:
        """Give a path parameter as text."""
        return str(self.request.path_params[name])

    def number(self, name: str) -> int:
        """Give a path parameter as a number; 404 when it is none."""
        text = self.text(name)
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise not_found()
        return int(text)

    def query(self, name: str, default: str = "") -> str:
        """Give a query parameter."""
        return self.request.query_params.get(name, default)

    @property
    def per_page(self) -> int:
        """Give the length of a page that was asked for, 30 when nothing was, at most 100."""
        return min(max(integer(self.query("per_page"), PAGE_DEFAULT), 1), PAGE_LIMIT)

    def page(self, items: Sequence[T]) -> list[T]:
        """Cut out the page that was asked for, and set the Link header."""
        per_page = self.per_page
        page = max(integer(self.query("page"), 1), 1)
        last = max(1, -(-len(items) // per_page))
        links = []
        for relation, number, wanted in (
            ("prev", page - 1, page > 1),
            ("next", page + 1, page < last),
            ("last", last, page < last),
            ("first", 1, page > 1),
        ):
            if wanted:
                links.append(f'<{self.request.url.include_query_params(page=number)}>; rel="{relation}"')
        if links:
            self.headers["link"] = ", ".join(links)
        return list(items[(page - 1) * per_page : page * per_page])

    def answer(self, content: Any, status: int = 200) -> JSONResponse:
        """Answer with JSON."""
        return JSONResponse(content, status, headers=self.headers)


Handler: TypeAlias = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A row of the API's table: who may call (`needs` is `permission:level`, or several by `|`), and what answers."""

    method: str
    path: str
    handler: Handler
    needs: str = "metadata:read"
    caller: Literal["app", "installation", "either", "anybody"] = "installation"
    creates: bool = False

    @property
    def resource(self) -> str:
        """Give the name of the rate limit that is charged."""
        return "graphql" if self.path == "/graphql" else "core"


def no_integration() -> ApiError:
    """Say that the token lacks a permission."""
    return ApiError(403, "Resource not accessible by integration")


def integer(text: str, default: int) -> int:
    """Read a number from a query; the default when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else default
