"""Create, put, patch and delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubeci.local.cluster import admission, fields, metadata, patches
from kubeci.local.cluster.answers import answer, refuse
from kubeci.local.cluster.deletion import DeleteOptions, Propagation
from kubeci.local.cluster.resources import CLAIMS, LEASES, PODS
from kubeci.local.cluster.status import ApiError, Cause, bad_request, details, invalid

if TYPE_CHECKING:
    from starlette.responses import Response

    from kubeci.local.cluster.call import Call
    from kubeci.model.json import JsonObject

_MERGE_PATCH = "application/merge-patch+json"
_JSON_PATCH = "application/json-patch+json"


async def create(call: Call) -> Response:
    """Create an object and answer 201 with it as stored."""
    call.authorize("create")
    _check_media_type(call, {"", "application/json"}, "application/json, application/yaml")
    obj = await call.object_body()
    if unfit := _type_mismatch(call, obj):
        return unfit
    meta = metadata.shaped(call.resource, obj)
    if meta.get("namespace") not in {None, "", call.namespace}:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    metadata.name(meta)
    problems = call.cluster.problems(call.resource, obj)
    warnings = fields.prune(call.resource, obj, problems, _level(call))
    admission.decode(call.resource, obj)
    if call.namespace not in call.cluster.namespaces:
        raise _no_namespace(call.namespace or "")
    fields.check(call.resource, meta.get("name", ""), problems)
    admission.validate(call.resource, meta.get("name", ""), obj, None)
    created = call.objects.create(call.resource, call.namespace or "", obj)
    if call.dry_run:
        del created["metadata"]["resourceVersion"]
    return answer(created, 201, warnings=warnings)


async def put(call: Call) -> Response:
    """Replace an object by the one in the body."""
    call.authorize("update")
    obj = await call.object_body()
    if unfit := _type_mismatch(call, obj):
        return unfit
    meta = metadata.shaped(call.resource, obj)
    if meta.get("name") != call.name:
        raise bad_request(
            f"the name of the object ({meta.get('name', '')}) does not match the name on the URL ({call.name})"
        )
    if meta.get("namespace") not in {None, "", call.namespace}:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    call.objects.one(call.resource, call.namespace or "", call.name)
    if not meta.get("resourceVersion") and (call.resource.custom or call.resource is LEASES):
        cause = Cause("metadata.resourceVersion", "Invalid value: 0: must be specified for an update")
        raise invalid(call.resource, call.name, [cause])
    return _replaced(call, obj)


async def patch(call: Call) -> Response:
    """Change an object by a merge patch or a JSON patch."""
    call.authorize("patch")
    accepted = f"{_JSON_PATCH}, {_MERGE_PATCH}, application/apply-patch+yaml"
    media_type = _check_media_type(call, {_MERGE_PATCH, _JSON_PATCH}, accepted)
    change = await call.body()
    before = call.objects.get(call.resource, call.namespace or "", call.name)
    asked = None
    if media_type == _JSON_PATCH:
        obj = patches.apply_operations(before, change)
    else:
        obj = patches.merge(before, change)
        given = change.get("metadata") if isinstance(change, dict) else None
        asked = given.get("resourceVersion") if isinstance(given, dict) else None
    if not isinstance(obj, dict):
        raise fields.undecodable(
            call.resource, "json: cannot unmarshal into Go value of type map[string]interface {}"
        )
    meta = metadata.shaped(call.resource, obj)
    if asked is None:
        meta.pop("resourceVersion", None)
    if meta.get("name") != call.name:
        raise bad_request(
            f"the name of the object ({meta.get('name', '')}) does not match the name on the URL ({call.name})"
        )
    return _replaced(call, obj)


async def delete(call: Call) -> Response:
    """Delete an object; what is gone at once is answered by a Status, but pods and claims by their last state."""
    call.authorize("delete")
    body = await call.body() or {}
    options = _delete_options(call, body if isinstance(body, dict) else {})
    objects = call.objects
    last = objects.delete(call.resource, call.namespace or "", call.name, options)
    # A claim is let go at once when nobody uses it, but the answer is from before that.
    if call.resource in {PODS, CLAIMS} or "deletionTimestamp" in last["metadata"]:
        return answer(last)
    gone = {**details(call.resource, call.name), "uid": last["metadata"]["uid"]}
    return answer(
        {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": gone}
    )


def _replaced(call: Call, obj: JsonObject) -> Response:
    problems = call.cluster.problems(call.resource, obj)
    warnings = fields.prune(call.resource, obj, problems, _level(call))
    fields.check(call.resource, call.name, problems)
    admission.decode(call.resource, obj)
    before = call.objects.get(call.resource, call.namespace or "", call.name)
    admission.validate(call.resource, call.name, obj, before)
    return answer(
        call.objects.replace(call.resource, call.namespace or "", call.name, obj), warnings=warnings
    )


def _delete_options(call: Call, body: JsonObject) -> DeleteOptions:
    if body.get("dryRun") not in (None, [], ["All"]):
        raise bad_request("invalid dryRun")
    conditions = body.get("preconditions") or {}
    grace = body.get("gracePeriodSeconds", call.number("gracePeriodSeconds"))
    if not isinstance(conditions, dict) or not isinstance(grace, int | None):
        raise bad_request("json: cannot unmarshal into Go value of type v1.DeleteOptions")
    return DeleteOptions(
        _propagation(call, body.get("propagationPolicy") or call.query("propagationPolicy")),
        str(conditions.get("uid") or ""),
        str(conditions.get("resourceVersion") or ""),
        grace if grace is None else max(grace, 0),
    )


def _propagation(call: Call, asked: Any) -> Propagation:
    match asked:
        case "Foreground" | "Orphan":
            return "Foreground" if asked == "Foreground" else "Orphan"
        case "" | None | "Background":
            return "Background"
    why = f'Unsupported value: "{asked}": supported values: "Foreground", "Background", "Orphan", "nil"'
    raise invalid(call.resource, call.name, [Cause("propagationPolicy", why, "FieldValueNotSupported")])


def _level(call: Call) -> fields.Level:
    match call.query("fieldValidation"):
        case "Strict":
            return "Strict"
        case "Ignore":
            return "Ignore"
        case "" | "Warn":
            return "Warn"
        case other:
            why = f'Unsupported value: "{other}": supported values: "Ignore", "Strict", "Warn"'
            raise bad_request(f"invalid fieldValidation: {why}")


def _check_media_type(call: Call, known: set[str], accepted: str) -> str:
    media_type: str = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in known:
        why = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
        raise ApiError(415, "UnsupportedMediaType", why)
    return media_type


def _type_mismatch(call: Call, obj: JsonObject) -> Response | None:
    """Refuse an object of another type; its fields, unknown to that type, are warned of as the server does."""
    resource = call.resource
    found, expected = (obj.get("apiVersion"), obj.get("kind")), (resource.api_version, resource.kind)
    if found == expected:
        return None
    if not found[1]:
        raise bad_request(f"Object 'Kind' is missing in the {resource.kind} sent")
    version, kind = found
    if kind != resource.kind:
        why = (
            f'no kind "{kind}" is registered for version "{version}" in this place: expected {resource.kind}'
        )
        raise bad_request(why)
    why = f"the API version in the data ({version}) does not match the expected API version ({expected[0]})"
    strange = [key for key in obj if key not in {"apiVersion", "kind", "metadata"}]
    warnings = (
        [f'unknown field "{key}"' for key in strange] if resource.custom and _level(call) == "Warn" else []
    )
    return refuse(bad_request(why), warnings=warnings)


def _no_namespace(name: str) -> ApiError:
    where: dict[str, Any] = {"name": name, "kind": "namespaces"}
    return ApiError(404, "NotFound", f'namespaces "{name}" not found', details=where)
