"""Delete: one object, or those of a collection that a selector matches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubeci.local.cluster import gojson
from kubeci.local.cluster.answers import answer
from kubeci.local.cluster.call import body_of
from kubeci.local.cluster.deletion import DeleteOptions, Propagation
from kubeci.local.cluster.reading import list_body
from kubeci.local.cluster.resources import CLAIMS, PODS
from kubeci.local.cluster.status import Cause, bad_request, details, invalid_options

if TYPE_CHECKING:
    from starlette.responses import Response

    from kubeci.local.cluster.call import Call
    from kubeci.local.cluster.objects import Objects
    from kubeci.model.json import JsonObject


async def delete(call: Call) -> Response:
    """Delete an object; what is gone at once is answered by a Status, but pods and claims by their last state."""
    call.authorize("delete")
    body = await _options_body(call)
    options, objects = _delete_options(call, body), _objects(call, body)
    last = objects.delete(call.resource, call.namespace or "", call.name, options)
    # A claim is let go at once when nobody uses it, but the answer is from before that.
    if call.resource in {PODS, CLAIMS} or "deletionTimestamp" in last["metadata"]:
        return answer(last)
    gone = {**details(call.resource, call.name), "uid": last["metadata"]["uid"]}
    return answer(
        {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": gone}
    )


async def delete_collection(call: Call) -> Response:
    """Delete what the selectors match, and answer with it as it was."""
    call.authorize("deletecollection")
    body = await _options_body(call)
    options, objects = _delete_options(call, body), _objects(call, body)
    wanted = call.selector()
    found = objects.stored(call.resource, call.namespace, wanted)
    for each in found:
        objects.delete(each.resource, *each.key, options)
    return answer(list_body(call, {"resourceVersion": str(objects.version)}, found))


async def _options_body(call: Call) -> JsonObject:
    raw = await body_of(call.request)
    try:
        body = gojson.parse(raw) if raw.strip() else {}
    except gojson.ParseError as error:
        raise bad_request(f"couldn't get version/kind; json parse error: {error}") from None
    return body if isinstance(body, dict) else {}


def _objects(call: Call, body: JsonObject) -> Objects:
    """Give the objects to delete from; that nothing shall come of it may be said in the body, too."""
    asked = body.get("dryRun") or []
    if asked not in ([], ["All"]):
        why = 'Unsupported value: supported values: "All"'
        raise invalid_options("DELETE", [Cause("dryRun", why, "FieldValueNotSupported")])
    return call.cluster.objects.rehearsal() if asked else call.objects


def _delete_options(call: Call, body: JsonObject) -> DeleteOptions:
    conditions = body.get("preconditions") or {}
    grace = body.get("gracePeriodSeconds", call.number("gracePeriodSeconds"))
    if not isinstance(conditions, dict) or not isinstance(grace, int | None):
        raise bad_request("json: cannot unmarshal into Go value of type v1.DeleteOptions")
    return DeleteOptions(
        _propagation(body.get("propagationPolicy") or call.query("propagationPolicy")),
        str(conditions.get("uid") or ""),
        str(conditions.get("resourceVersion") or ""),
        grace if grace is None else max(grace, 0),
    )


def _propagation(asked: Any) -> Propagation:
    match asked:
        case "Foreground" | "Orphan":
            return "Foreground" if asked == "Foreground" else "Orphan"
        case "" | None | "Background":
            return "Background"
    why = f'Unsupported value: "{asked}": supported values: "Foreground", "Background", "Orphan", "nil"'
    raise invalid_options("DELETE", [Cause("propagationPolicy", why, "FieldValueNotSupported")])
