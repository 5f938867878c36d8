"""What the API server says of itself: version, health, groups, kinds, and what a user may do."""

from __future__ import annotations

from email.utils import formatdate
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse

from kubeci.local.cluster import gojson
from kubeci.local.cluster.answers import HEADERS, answer
from kubeci.local.cluster.call import body_of
from kubeci.local.cluster.resources import PODS, RESOURCES
from kubeci.local.cluster.status import Cause, bad_request, invalid_kind

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from kubeci.local.cluster.resources import Resource
    from kubeci.local.cluster.users import User
    from kubeci.model.json import JsonObject

VERSION = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.2",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "",
}
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


async def version(_: Request) -> Response:
    """Answer with the version of Kubernetes that is imitated."""
    response = answer(VERSION)
    response.headers["Date"] = formatdate(usegmt=True)
    return response


async def healthy(_: Request) -> Response:
    """Answer that the server works."""
    return PlainTextResponse("ok", headers=HEADERS)


async def groups(_: Request) -> Response:
    """Answer with the groups of the API."""
    names = {(resource.group, resource.version) for resource in RESOURCES if resource.group}
    found = []
    for group, number in sorted({*names, ("authorization.k8s.io", "v1")}):
        served = {"groupVersion": f"{group}/{number}", "version": number}
        found.append({"name": group, "versions": [served], "preferredVersion": served})
    return answer({"kind": "APIGroupList", "apiVersion": "v1", "groups": found})


async def core_versions(_: Request) -> Response:
    """Answer with the versions of the core group."""
    return answer({"kind": "APIVersions", "versions": ["v1"]})


async def kinds(request: Request) -> Response:
    """Answer with the kinds of the group and version in the path."""
    found = [resource for resource in RESOURCES if resource.path == request.url.path]
    entries = [entry for resource in found for entry in _entries(resource)]
    named = found[0].api_version
    return answer(
        {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": named, "resources": entries}
    )


async def access_review(request: Request) -> Response:
    """Answer whether the user may do what the review asks about."""
    try:
        review = gojson.parse(await body_of(request))
        spec = review.get("spec") or {}
        kinds = [key for key in ("resourceAttributes", "nonResourceAttributes") if spec.get(key)]
        asked = {key: value for kind in kinds for key, value in spec[kind].items() if value}
    except (gojson.ParseError, TypeError, AttributeError):
        raise bad_request("json: cannot unmarshal into Go value of type v1.SelfSubjectAccessReview") from None
    if len(kinds) != 1:
        why = "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified"
        group = "authorization.k8s.io"
        raise invalid_kind(f".{group}", "", [Cause("spec.resourceAttributes", why)], group=group)
    body = {
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": {kinds[0]: asked},
        "status": {"allowed": _may(request.state.user, asked)},
    }
    return answer(body, 201)


def _may(user: User, asked: dict[str, str]) -> bool:
    resource = "/".join(filter(None, (asked.get("resource", ""), asked.get("subresource", ""))))
    return user.may(asked.get("verb", ""), asked.get("group", ""), resource)


def _entries(resource: Resource) -> list[JsonObject]:
    entry = {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": True,
        "kind": resource.kind,
        "verbs": _VERBS,
    }
    if resource is PODS:
        return [entry, {**entry, "name": "pods/log", "singularName": "", "verbs": ["get"]}]
    return [entry]
