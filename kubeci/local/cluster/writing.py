"""Create, put and patch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubeci.local.cluster import admission, fields, gojson, metadata, patches
from kubeci.local.cluster.answers import answer, refuse
from kubeci.local.cluster.call import body_of
from kubeci.local.cluster.resources import LEASES
from kubeci.local.cluster.status import (
    ApiError,
    Cause,
    bad_request,
    conflict,
    invalid_kind,
    invalid_options,
    modified_since,
    no_version,
)

if TYPE_CHECKING:
    from starlette.responses import Response

    from kubeci.local.cluster.call import Call
    from kubeci.local.cluster.history import Stored
    from kubeci.model.json import JsonObject

_MERGE_PATCH = "application/merge-patch+json"
_JSON_PATCH = "application/json-patch+json"
_OBJECT_TYPES = "application/json, application/yaml, application/vnd.kubernetes.protobuf"


async def create(call: Call) -> Response:
    """Create an object and answer 201 with it as stored."""
    call.authorize("create")
    _check_media_type(call, {"", "application/json"}, _OBJECT_TYPES)
    _level(call)
    obj = await call.object_body()
    if unfit := _type_mismatch(call, obj):
        return unfit
    meta = metadata.shaped(call.resource, obj)
    if meta.get("namespace") not in {None, "", call.namespace}:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    return _created(call, obj)


def _created(call: Call, obj: JsonObject) -> Response:
    obj = admission.without_nulls(obj)
    meta = obj["metadata"]
    metadata.name(meta)
    problems = call.cluster.problems(call.resource, obj)
    warnings = fields.prune(call.resource, obj, problems, _sent(call))
    admission.decode(call.resource, obj)
    if call.namespace not in call.cluster.namespaces:
        raise _no_namespace(call.namespace or "")
    _check_type(call, obj)
    fields.check(call.resource, meta.get("name", ""), obj, problems)
    admission.complete(call.resource, obj, None, call.cluster.storage_classes)
    admission.validate(call.resource, meta.get("name", ""), obj, None)
    created = call.objects.create(call.resource, call.namespace or "", obj)
    if call.dry_run:
        del created["metadata"]["resourceVersion"]
    return answer(created, 201, warnings=warnings)


async def put(call: Call) -> Response:
    """Replace an object by the one in the body."""
    call.authorize("update")
    _check_media_type(call, {"", "application/json"}, _OBJECT_TYPES)
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
    if call.resource is LEASES and not call.objects.has(call.resource, call.namespace or "", call.name):
        return _created(call, obj)  # which other kinds do not do
    return _replaced(call, obj, by_put=True)


async def patch(call: Call) -> Response:
    """Change an object by a merge patch or a JSON patch."""
    call.authorize("patch")
    accepted = f"{_JSON_PATCH}, {_MERGE_PATCH}, application/apply-patch+yaml"
    media_type = _check_media_type(call, {_MERGE_PATCH, _JSON_PATCH}, accepted)
    _level(call)
    change = await _patch_body(call)
    before = call.objects.get(call.resource, call.namespace or "", call.name)
    asked = None
    if media_type == _JSON_PATCH:
        obj = patches.apply_operations(before, change)
    else:
        obj = patches.merge(before, change)
        given = change.get("metadata") if isinstance(change, dict) else None
        asked = given.get("resourceVersion") if isinstance(given, dict) else None
    if not isinstance(obj, dict):
        raise bad_request(
            "Invalid JSON Patch"
            if obj is None
            else "error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}"
        )
    meta = metadata.shaped(call.resource, obj)
    if asked is None:
        meta.pop("resourceVersion", None)
    if meta.get("name") != call.name:
        raise bad_request(
            f"the name of the object ({meta.get('name', '')}) does not match the name on the URL ({call.name})"
        )
    return _replaced(call, obj, by_put=False)


async def _patch_body(call: Call) -> Any:
    try:
        return gojson.parse(await body_of(call.request))
    except gojson.ParseError as error:
        raise bad_request(f"error decoding patch: {error}") from None


def _replaced(call: Call, obj: JsonObject, *, by_put: bool) -> Response:
    before = call.objects.one(call.resource, call.namespace or "", call.name)
    obj = admission.without_nulls(obj)
    problems = call.cluster.problems(call.resource, obj)
    warnings = fields.prune(call.resource, obj, problems, _sent(call, patch=not by_put))
    admission.decode(call.resource, obj)
    _check_current(call, before, obj, by_put=by_put)
    old = before.object
    _check_type(call, obj)
    fields.check(call.resource, call.name, obj, problems)
    admission.complete(call.resource, obj, old)
    admission.validate(call.resource, call.name, obj, old)
    return answer(
        call.objects.replace(call.resource, call.namespace or "", call.name, obj), warnings=warnings
    )


def _check_current(call: Call, before: Stored, obj: JsonObject, *, by_put: bool) -> None:
    """Check that an update rests on the present object; raises ApiError 409, 422."""
    meta = obj["metadata"]
    unversioned = not meta.get("resourceVersion")
    if by_put and unversioned and (call.resource.custom or call.resource is LEASES):
        raise no_version(call.resource, call.name)
    if by_put and meta.get("uid") not in {None, "", before.uid}:
        plural = (
            call.resource.plural
            if not call.resource.custom
            else f"{call.resource.group}/{call.resource.plural}"
        )
        why = (
            f"StorageError: invalid object, Code: 4, Key: /registry/{plural}/{call.namespace}/{call.name}, "
            "ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: "
            f"{meta['uid']}, UID in object meta: {before.uid}"
        )
        raise conflict(call.resource, call.name, why)
    if not unversioned and meta["resourceVersion"] != str(before.version):
        raise modified_since(call.resource, call.name)


def _sent(call: Call, *, patch: bool = False) -> fields.Sent:
    return fields.Sent(_level(call), getattr(call.request.state, "twice", ()), patch)


def _level(call: Call) -> fields.Level:
    match call.query("fieldValidation"):
        case "Strict":
            return "Strict"
        case "Ignore":
            return "Ignore"
        case "" | "Warn":
            return "Warn"
        case other:
            why = f'Unsupported value: "{other}": supported values: "", "Ignore", "Strict", "Warn"'
            cause = Cause("fieldValidation", why, "FieldValueNotSupported")
            raise invalid_options(call.request.method, [cause])


def _check_media_type(call: Call, known: set[str], accepted: str) -> str:
    media_type: str = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in known:
        if call.request.method == "PATCH" and not call.resource.custom:
            # Turned away before its kind is asked.
            raise ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", details={})
        why = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
        raise ApiError(415, "UnsupportedMediaType", why)
    return media_type


def _type_mismatch(call: Call, obj: JsonObject) -> Response | None:
    """Refuse an object of another type; its fields, unknown to that type, are warned of as the server does."""
    resource = call.resource
    found, expected = (obj.get("apiVersion"), obj.get("kind")), (resource.api_version, resource.kind)
    if found == expected:
        return None
    version, kind = found[0] or "", found[1]
    if not kind:
        raise call.unrecognized("Object 'Kind' is missing")
    if version == expected[0] and resource.custom:
        return None  # its schema decides
    if kind != resource.kind:
        why = (
            f'no kind "{kind}" is registered for version "{version}" in this place: expected {resource.kind}'
        )
        raise bad_request(why)
    why = f"the API version in the data ({version}) does not match the expected API version ({expected[0]})"
    strange = [key for key in obj if key not in {"apiVersion", "kind", "metadata"}]
    warnings = (
        [f'unknown field "{key}"' for key in strange]
        if version.startswith(f"{resource.group}/") and _level(call) == "Warn"
        else []
    )
    return refuse(bad_request(why), warnings=warnings)


def _check_type(call: Call, obj: JsonObject) -> None:
    """Check the kind of a custom resource, as its schema does; the message names it as it names itself."""
    resource, kind = call.resource, obj.get("kind")
    if resource.custom and kind != resource.kind:
        cause = Cause("kind", f'Invalid value: "{kind}": must be {resource.kind}')
        name = str(obj["metadata"].get("name", ""))
        raise invalid_kind(f"{kind}.{resource.group}", name, [cause], group=resource.group)


def _no_namespace(name: str) -> ApiError:
    where: dict[str, Any] = {"name": name, "kind": "namespaces"}
    return ApiError(404, "NotFound", f'namespaces "{name}" not found', details=where)
