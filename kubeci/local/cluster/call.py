"""One request about one kind of object: what was asked, by whom, and whether they may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from kubeci.local.cluster import gojson
from kubeci.local.cluster.fields import undecodable
from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.selectors import Selector, selector
from kubeci.local.cluster.status import ApiError, Cause, bad_request, details, invalid_options

if TYPE_CHECKING:
    from typing import Any

    from starlette.requests import Request

    from kubeci.local.cluster.cluster import LocalCluster
    from kubeci.local.cluster.resources import Resource
    from kubeci.local.cluster.users import User
    from kubeci.model.json import JsonObject

BODY_LIMIT = 3 * 1024 * 1024  # the API server's own limit


@dataclass(frozen=True, slots=True)
class Call:
    """A request to the cluster about `resource`; `namespace` is None for all of them, `name` "" for a collection."""

    cluster: LocalCluster
    request: Request
    resource: Resource
    namespace: str | None = None
    name: str = ""

    @property
    def user(self) -> User:
        """Give who asks."""
        user: User = self.request.state.user
        return user

    @property
    def objects(self) -> Objects:
        """Give the objects to work on: the cluster's, or copies when nothing shall come of it (`dryRun=All`)."""
        return self.cluster.objects.rehearsal() if self.dry_run else self.cluster.objects

    @property
    def dry_run(self) -> bool:
        """Say whether the client wants no effect."""
        asked = self.request.query_params.getlist("dryRun")
        if any(value != "All" for value in asked):
            given = msgspec.json.encode(asked).decode()
            why = f'Unsupported value: {given}: supported values: "All"'
            raise invalid_options(self.request.method, [Cause("dryRun", why, "FieldValueNotSupported")])
        return bool(asked)

    def query(self, key: str) -> str:
        """Give a parameter of the query, "" when it is not there."""
        return self.request.query_params.get(key, "")

    def selector(self) -> Selector:
        """Give what a list, a watch or a deletion of many asks for; raises ApiError 400."""
        labels, names = self.query("labelSelector"), self.query("fieldSelector")
        return selector(labels, names, custom=self.resource.custom)

    def flag(self, key: str) -> bool:
        """Give a parameter of the query as a truth value, as Go reads them."""
        return self.query(key).lower() in {"1", "t", "true"}

    def number(self, key: str) -> int | None:
        """Give a parameter of the query as a whole number, None when it is not there; raises ApiError 400."""
        text = self.query(key)
        try:
            return int(text) if text else None
        except ValueError:
            raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None

    def authorize(self, verb: str, subresource: str = "") -> None:
        """Check that the user may do this; raises ApiError 403 as RBAC words it."""
        resource = self.resource
        plural = f"{resource.plural}/{subresource}" if subresource else resource.plural
        if self.user.may(verb, resource.group, plural):
            return
        named = f'{resource.qualified} "{self.name}"' if self.name else resource.qualified
        where = f'in the namespace "{self.namespace}"' if self.namespace else "at the cluster scope"
        error = ApiError(
            403,
            "Forbidden",
            f'{named} is forbidden: User "{self.user.name}" cannot {verb} resource "{plural}" '
            f'in API group "{resource.group}" {where}',
            details=details(resource, self.name),
        )
        error.headers = {"X-Content-Type-Options": "nosniff"}
        raise error

    async def body(self) -> Any:
        """Read the body as JSON, None when it is empty; raises ApiError 413, 400."""
        raw = await body_of(self.request)
        if not raw.strip():
            return None
        try:
            self.request.state.twice = gojson.repeated(raw)
            return gojson.parse(raw)
        except gojson.ParseError as error:
            shown = raw[:1024].decode(errors="replace")
            why = f"couldn't get version/kind; json parse error: {error} ({shown})"
            raise self.unrecognized(why) from None

    async def object_body(self) -> JsonObject:
        """Read the body as a JSON object; raises ApiError 400 for anything else."""
        body = await self.body()
        if not isinstance(body, dict):
            why = "couldn't get version/kind; json parse error: json: cannot unmarshal into Go value of type struct"
            raise self.unrecognized(why)
        return body

    def unrecognized(self, why: str) -> ApiError:
        """Refuse a body of which not even the kind can be read."""
        if self.resource.custom:
            return bad_request(
                f"the object provided is unrecognized (must be of type {self.resource.kind}): {why}"
            )
        return undecodable(self.resource, why)


async def body_of(request: Request) -> bytes:
    """Read a body of at most BODY_LIMIT bytes; raises ApiError 413."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > BODY_LIMIT:
            raise ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {BODY_LIMIT}")
    return bytes(raw)
