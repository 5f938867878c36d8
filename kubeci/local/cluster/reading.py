"""GET of one object, and lists with selectors and pages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from kubeci.local.cluster import pages
from kubeci.local.cluster.answers import answer
from kubeci.local.cluster.selectors import Selector
from kubeci.local.cluster.status import ApiError, Cause, Expired, bad_request, invalid_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from kubeci.local.cluster.call import Call
    from kubeci.local.cluster.history import Stored
    from kubeci.model.json import JsonObject

_UINT64_DIGITS = 20
_EXPIRED_PAGE = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


async def get(call: Call) -> Response:
    """Answer with one object."""
    call.authorize("get")
    found = call.objects.one(call.resource, call.namespace or "", call.name)
    return answer(found.body)


async def list_objects(call: Call) -> Response:
    """Answer with a list, or with a page of it when there is a limit."""
    call.authorize("list")
    wanted = call.selector()
    _check_match(call)
    if call.query("continue"):
        if call.query("resourceVersion") not in {"", "0"}:
            raise bad_request("specifying resource version is not allowed when using continue")
        page = pages.read(call.query("continue"), call.namespace)
    else:
        page = pages.Page(await _version(call), ("", ""))
    try:
        keys = call.objects.stored(
            call.resource, call.namespace, at=None if page.version == pages.TODAY else page.version
        )
    except Expired:
        raise _expired(call, page) from None
    rest = [found for found in keys if found.key > page.after]
    return answer(_list(call, page, rest, wanted))


def _check_match(call: Call) -> None:
    """Check `resourceVersionMatch` of a list; raises ApiError 422."""
    match = call.query("resourceVersionMatch")
    known = ("Exact", "NotOlderThan", "")
    if match and not call.query("resourceVersion"):
        why = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise invalid_options("LIST", [Cause("resourceVersionMatch", why, "FieldValueForbidden")])
    if match not in known:
        quoted = ", ".join(f'"{one}"' for one in known)
        why = f'Unsupported value: "{match}": supported values: {quoted}'
        raise invalid_options("LIST", [Cause("resourceVersionMatch", why, "FieldValueNotSupported")])


def version_number(text: str) -> int:
    """Read a resourceVersion of a query, "" as 0; raises ApiError 500 as the server does."""
    if not text.strip():
        return 0
    number = text.isascii() and text.isdigit()
    if not number or len(text) > _UINT64_DIGITS:
        why = "value out of range" if number else "invalid syntax"
        parsing = f'strconv.ParseUint: parsing "{text}": {why}'
        raise ApiError(500, "", f'resourceVersion: Invalid value: "{text}": {parsing}')
    return int(text)


async def _version(call: Call) -> int:
    """Give the version to list at; waits a while for one that is yet to come."""
    try:
        asked, objects = version_number(call.query("resourceVersion")), call.cluster.objects
    except ApiError as unreadable:
        raise bad_request(f"invalid resource version: {unreadable.message}") from None
    if asked > objects.version:
        await asyncio.sleep(call.cluster.future_wait_seconds)
    if asked > objects.version:
        why = f"Timeout: Too large resource version: {asked}, current: {objects.version}"
        cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
        error = ApiError(504, "Timeout", why, details={"causes": [cause], "retryAfterSeconds": 1})
        error.headers = {"Retry-After": "1"}
        raise error
    if call.query("resourceVersionMatch") == "Exact" and asked:
        return asked
    return objects.version


def _expired(call: Call, page: pages.Page) -> Expired:
    if not call.query("continue"):
        return Expired("The resourceVersion for the provided list is too old.")
    error = Expired(_EXPIRED_PAGE)
    error.metadata = {"continue": pages.token(pages.Page(pages.TODAY, page.after), call.namespace)}
    return error


def _list(call: Call, page: pages.Page, rest: Sequence[Stored], wanted: Selector) -> bytes:
    limit = max(call.number("limit") or 0, 0)
    items: list[Stored] = []
    seen = 0
    for found in rest:
        if limit and len(items) == limit:
            break
        seen += 1
        if wanted.matches(*found.key, found.labels):
            items.append(found)
    version = call.cluster.objects.version if page.version == pages.TODAY else page.version
    metadata: JsonObject = {"resourceVersion": str(version)}
    if seen < len(rest):
        metadata["continue"] = pages.token(pages.Page(page.version, items[-1].key), call.namespace)
        if wanted == Selector():
            metadata["remainingItemCount"] = len(rest) - seen
    return list_body(call, metadata, items)


def list_body(call: Call, metadata: JsonObject, items: Sequence[Stored]) -> bytes:
    """Write a list of objects as JSON."""
    resource = call.resource
    head: JsonObject = {"apiVersion": resource.api_version, "kind": f"{resource.kind}List"}
    if resource.custom:
        # Only lists of custom resources have their empty token written, and type and kind at every item.
        head["metadata"] = {"continue": "", **metadata}
        bodies = [item.body for item in items]
    else:
        head["metadata"] = metadata
        bodies = [msgspec.json.encode(_untyped(item.object)) for item in items]
    return msgspec.json.encode(head)[:-1] + b',"items":[' + b",".join(bodies) + b"]}"


def _untyped(obj: JsonObject) -> JsonObject:
    return {key: value for key, value in obj.items() if key not in {"apiVersion", "kind"}}
