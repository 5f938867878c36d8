"""Cases: create, replace, patch and delete."""

from __future__ import annotations

from contract_bodies import SPEC, claim, lease, pod, template, workflow
from contract_requests import JSON_PATCH, MERGE, STRATEGIC, Ask, Case

_LABEL = {"metadata": {"labels": {"a": "1"}}}
_OBJECTS = {"workflows": workflow, "templates": template, "pods": pod, "claims": claim, "leases": lease}
_POD = ("metadata",)
_STALE = {"metadata": {"resourceVersion": "1", "labels": {"a": "1"}}}


def _life(kind: str) -> Case:
    """Create, get, change in every way, delete."""
    body = _OBJECTS[kind]()
    one = f"{kind}/@"
    add = [{"op": "add", "path": "/metadata/labels/b", "value": "2"}]
    asks = (
        Ask(201, "POST", kind, body),
        Ask(409, "POST", kind, body),
        Ask(200, "GET", one),
        Ask(200, "PATCH", one, _LABEL, media_type=MERGE),
        Ask(200, "PATCH", one, _LABEL, media_type=MERGE),
        Ask(409, "PATCH", one, _STALE, media_type=MERGE),
        Ask(200, "PATCH", one, add, media_type=JSON_PATCH),
        Ask(200, "PATCH", one, {"metadata": {"labels": None, "annotations": {"x/y": "z"}}}, media_type=MERGE),
        Ask(422, "PATCH", one, {"metadata": {"labels": {"a b": "1"}}}, media_type=MERGE),
        Ask(404, "PATCH", f"{kind}/none-@", _LABEL, media_type=MERGE),
        Ask(404, "GET", f"{kind}/none-@"),
        Ask(404, "DELETE", f"{kind}/none-@"),
        Ask(409, "DELETE", one, {"preconditions": {"uid": "other"}}),
        Ask(409, "DELETE", one, {"preconditions": {"resourceVersion": "1"}}),
        Ask(200, "DELETE", one, query="dryRun=All"),
        Ask(200, "DELETE", one, {"preconditions": {"uid": "$uid0"}, "gracePeriodSeconds": 0}),
    )
    return Case(f"life-of-{kind}", asks, shows=_POD if kind == "pods" else ())


def _replaced(kind: str, unversioned: int, absent: int = 404) -> Case:
    """Replace: without a version, with a stale one, under another name, with the present one."""
    make = _OBJECTS[kind]
    one = f"{kind}/@"
    asks = (
        Ask(201, "POST", kind, make()),
        Ask(409, "PUT", one, make(resourceVersion="1")),
        Ask(400, "PUT", one, make("other-@")),
        Ask(400, "PUT", one, make(namespace="elsewhere")),
        Ask(409, "PUT", one, make(uid="b0a1c9b4-0000-4000-8000-000000000000", resourceVersion="$rv0")),
        Ask(200, "PUT", one, make(resourceVersion="$rv0", labels={"new": "1"})),
        Ask(409, "PUT", one, make(resourceVersion="$rv0", labels={"new": "2"})),
        Ask(unversioned, "PUT", one, make(labels={"new": "3"})),
        Ask(absent, "PUT", f"{kind}/none-@", make("none-@")),
    )
    return Case(f"put-of-{kind}", asks)


def _generated(kind: str) -> Case:
    body = _OBJECTS[kind]("", generateName="@-")
    long = _OBJECTS[kind]("", generateName="@-" + "x" * 70 + "-")
    asks = (Ask(201, "POST", kind, body), Ask(200, "GET", f"{kind}/$name0"), Ask(201, "POST", kind, long))
    return Case(f"generated-name-of-{kind}", asks, shows=_POD if kind == "pods" else ())


def _dry(kind: str) -> Case:
    make = _OBJECTS[kind]
    one = f"{kind}/@"
    changed = make(resourceVersion="$rv2", labels={"a": "b"})
    asks = (
        Ask(201, "POST", kind, make(), query="dryRun=All"),
        Ask(404, "GET", one),
        Ask(201, "POST", kind, make()),
        Ask(409, "POST", kind, make(), query="dryRun=All"),
        Ask(200, "PATCH", one, _LABEL, query="dryRun=All", media_type=MERGE),
        Ask(200, "GET", one),
        Ask(422, "PATCH", one, _LABEL, query="dryRun=Some", media_type=MERGE),
        *(
            ()
            if kind == "pods"
            else (Ask(200, "PUT", one, changed, query="dryRun=All"), Ask(200, "GET", one))
        ),
    )
    return Case(f"dry-run-of-{kind}", asks, shows=_POD if kind == "pods" else ())


def _media_types(kind: str) -> Case:
    one = f"{kind}/@"
    custom = kind in {"workflows", "templates"}
    asks = (
        Ask(415, "POST", kind, _OBJECTS[kind](), media_type="text/plain"),
        Ask(201, "POST", kind, _OBJECTS[kind](), media_type="application/json; charset=utf-8"),
        Ask(415, "PATCH", one, _LABEL, media_type="application/json"),
        *([Ask(415, "PATCH", one, _LABEL, media_type=STRATEGIC)] if custom else []),
        Ask(415, "PUT", one, _OBJECTS[kind](), media_type="text/plain"),
        Ask(409 if custom else 405, "POST", one, _OBJECTS[kind]()),
        Ask(400 if custom else 405, "PUT", kind, _OBJECTS[kind]()),
        Ask(400 if custom else 405, "PATCH", kind, _LABEL, media_type=MERGE),
    )
    return Case(f"media-types-of-{kind}", asks, shows=_POD if kind == "pods" else ())


def _deleted_together(kind: str) -> Case:
    """Delete a collection by label."""
    asks = (
        Ask(201, "POST", kind, _OBJECTS[kind]("@-1", labels={"set": "@"})),
        Ask(201, "POST", kind, _OBJECTS[kind]("@-2", labels={"set": "@"})),
        Ask(201, "POST", kind, _OBJECTS[kind]("@-3", labels={"set": "other-@"})),
        Ask(200, "DELETE", kind, {"gracePeriodSeconds": 0}, query="labelSelector=set%3D@"),
        Ask(200, "GET", f"{kind}/@-3"),
    )
    return Case(f"delete-all-of-{kind}", asks, shows=("kind", "metadata"))


_PATCHES = [
    Ask(201, "POST", "workflows", workflow(labels={"a": "1", "b": "2"}, annotations={"x": "y"})),
    Ask(200, "PATCH", "workflows/@", [], media_type=JSON_PATCH),
    Ask(400, "PATCH", "workflows/@", {}, media_type=JSON_PATCH),
    Ask(200, "PATCH", "workflows/@", {}, media_type=MERGE),
    Ask(400, "PATCH", "workflows/@", [], media_type=MERGE),
    Ask(400, "PATCH", "workflows/@", "not json", media_type=MERGE),
    Ask(400, "PATCH", "workflows/@", "null", media_type=MERGE),
    Ask(400, "PATCH", "workflows/@", {"metadata": {"name": "other"}}, media_type=MERGE),
    Ask(422, "PATCH", "workflows/@", {"spec": None}, media_type=MERGE),
    Ask(422, "PATCH", "workflows/@", {"kind": "Pod"}, media_type=MERGE),
    Ask(200, "PATCH", "workflows/@", {"status": {"phase": "Running"}}, media_type=MERGE),
    Ask(
        200, "PATCH", "workflows/@", {"metadata": {"uid": None, "creationTimestamp": None}}, media_type=MERGE
    ),
    Ask(422, "PATCH", "workflows/@", {"metadata": {"uid": "other"}}, media_type=MERGE),
    Ask(200, "PATCH", "workflows/@", {"metadata": {"generation": 77, "selfLink": "x"}}, media_type=MERGE),
    *(
        Ask(gives, "PATCH", "workflows/@", [operation], media_type=JSON_PATCH)
        for gives, operation in (
            (200, {"op": "test", "path": "/metadata/labels/a", "value": "1"}),
            (422, {"op": "test", "path": "/metadata/labels/a", "value": "2"}),
            (422, {"op": "test", "path": "/metadata/labels/none", "value": "2"}),
            (200, {"op": "replace", "path": "/metadata/labels/a", "value": "3"}),
            (200, {"op": "replace", "path": "/metadata/labels/none", "value": "3"}),
            (200, {"op": "remove", "path": "/metadata/labels/none"}),
            (200, {"op": "remove", "path": "/metadata/labels/b"}),
            (200, {"op": "copy", "from": "/metadata/labels/a", "path": "/metadata/labels/c"}),
            (200, {"op": "move", "from": "/metadata/labels/c", "path": "/metadata/labels/d"}),
            (200, {"op": "add", "path": "/metadata/annotations/x~1y", "value": "z"}),
            (200, {"op": "add", "path": "/spec/templates/-", "value": {"name": "more", "suspend": {}}}),
            (422, {"op": "add", "path": "/spec/templates/9", "value": {"name": "more", "suspend": {}}}),
            (422, {"op": "add", "path": "/none/deep", "value": 1}),
            (422, {"op": "unheard", "path": "/metadata/labels/a"}),
        )
    ),
]
_NAMES = [
    (422, workflow("Upper-@")),
    (422, workflow("under_score-@")),
    (422, workflow("@-")),
    (422, workflow("@" + "x" * 254)),
    (422, workflow("")),
    (201, workflow("@.dots.are.fine")),
    (422, workflow(labels={"a b": "c"})),
    (422, workflow(labels={"a": "b c"})),
    (422, workflow(labels={"a": "x" * 64})),
    (422, workflow(labels={"Upper.Example/a": "x"})),
    (422, workflow(labels={"/a": "x"})),
    (422, workflow(labels={"x" * 64: "x"})),
    (422, workflow(labels={"a/b/c": "x"})),
    (422, workflow(labels={"": "x"})),
    (422, workflow(annotations={"a b": "c"})),
    (422, workflow(annotations={"a": "x" * 262_144})),
    (400, workflow(labels={"a": 1})),
    (400, workflow(labels=["a"])),
    (400, workflow(annotations={"a": {"b": "c"}})),
    (422, workflow(ownerReferences=[{"uid": "u"}])),
    (422, workflow(finalizers=["no slash"])),
    (400, workflow(namespace="elsewhere")),
]
_BODIES: list[tuple[int, object]] = [
    (400, ""),
    (400, "{"),
    (400, "[]"),
    (400, "null"),
    (400, '"text"'),
    (400, {"kind": "Workflow", "metadata": {"name": "@"}}),
    (400, {"apiVersion": "argoproj.io/v1alpha1", "metadata": {"name": "@"}}),
    (422, {**workflow(), "kind": "WorkflowTemplate"}),
    (400, {**workflow(), "apiVersion": "argoproj.io/v1"}),
    (400, {**workflow(), "apiVersion": "v1"}),
    (400, {**workflow(), "metadata": []}),
    (422, {**workflow(), "metadata": None}),
]

WRITES = [
    *(_life(kind) for kind in _OBJECTS),
    # Of pods there is none: nobody sends the whole of what the API server adds to them.
    _replaced("workflows", 422),
    _replaced("templates", 422),
    _replaced("claims", 200),
    _replaced("leases", 422, absent=201),
    *(_generated(kind) for kind in _OBJECTS),
    *(_dry(kind) for kind in _OBJECTS),
    *(_media_types(kind) for kind in _OBJECTS),
    *(_deleted_together(kind) for kind in _OBJECTS),
    Case("patches", _PATCHES),
    Case("names", [Ask(gives, "POST", "workflows", body) for gives, body in _NAMES]),
    Case("bodies", [Ask(gives, "POST", "workflows", body) for gives, body in _BODIES]),
    Case(
        "too-large",
        [
            Ask(413, "POST", "workflows", workflow(annotations={"a": "x" * 3_200_000})),
            Ask(500, "POST", "workflows", workflow(spec={**SPEC, "serviceAccountName": "x" * 1_600_000})),
        ],
    ),
    Case(
        "namespaces",
        [
            Ask(404, "POST", "/apis/argoproj.io/v1alpha1/namespaces/nowhere/workflows", workflow()),
            Ask(404, "POST", "/api/v1/namespaces/nowhere/persistentvolumeclaims", claim()),
            Ask(404, "POST", "/apis/coordination.k8s.io/v1/namespaces/nowhere/leases", lease()),
            Ask(404, "GET", "/apis/argoproj.io/v1alpha1/namespaces/nowhere/workflows/@"),
            Ask(200, "GET", "/apis/argoproj.io/v1alpha1/namespaces/nowhere/workflows"),
            Ask(404, "POST", "/apis/argoproj.io/v1alpha1/workflows", workflow()),
            Ask(404, "GET", "/apis/argoproj.io/v1alpha1/nothings"),
            Ask(404, "GET", "/apis/argoproj.io/v2/namespaces/{namespace}/workflows"),
            Ask(404, "GET", "workflows/@/status"),
            Ask(404, "GET", "workflows/@/log"),
            Ask(404, "GET", "workflows/@/one/two"),
        ],
    ),
    Case(
        "delete-options",
        [
            Ask(201, "POST", "workflows", workflow()),
            Ask(422, "DELETE", "workflows/@", query="propagationPolicy=Sideways"),
            Ask(400, "DELETE", "workflows/@", "{", media_type="application/json"),
            Ask(409, "DELETE", "workflows/@", {"preconditions": {"resourceVersion": "1"}}),
            Ask(200, "DELETE", "workflows/@", {"dryRun": ["All"]}),
            Ask(200, "GET", "workflows/@"),
            Ask(200, "DELETE", "workflows/@", {"preconditions": {"resourceVersion": "$rv0"}}),
            Ask(404, "DELETE", "workflows/@"),
        ],
    ),
    Case(
        "finalizers",
        [
            Ask(201, "POST", "workflows", workflow(finalizers=["kubeci.test/held"])),
            Ask(200, "DELETE", "workflows/@"),
            Ask(200, "GET", "workflows/@"),
            Ask(200, "PATCH", "workflows/@", _LABEL, media_type=MERGE),
            Ask(422, "PATCH", "workflows/@", {"metadata": {"finalizers": ["a.test/b"]}}, media_type=MERGE),
            Ask(200, "PATCH", "workflows/@", {"metadata": {"finalizers": None}}, media_type=MERGE),
            Ask(404, "GET", "workflows/@"),
        ],
    ),
]
