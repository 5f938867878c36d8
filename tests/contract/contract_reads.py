"""Cases: lists, selectors, pages, and what the server says of itself and of rights."""

from __future__ import annotations

from typing import Any

from contract_bodies import claim, lease, pod, workflow
from contract_requests import Ask, Case

_SHOWN = ("kind",)
_SELECTORS: list[tuple[int, str]] = [
    (200, "x%3D1"),
    (200, "x%3D%3D1"),
    (200, "x!%3D1"),
    (200, "x"),
    (200, "!x"),
    (200, "x%20in%20(1,2)"),
    (200, "x%20in%20(1)"),
    (200, "x%20notin%20(1)"),
    (200, "x%20in%20(1,)"),
    (200, "x%20in%20()"),
    (200, "y%3D"),
    (200, "y%3D,x"),
    (200, "%20x%20%3D%201%20,%20set"),
    (200, "n%3E5"),
    (200, "n%3C5"),
    (400, "n%3Ea"),
    (200, "x%3D1,x%3D2"),
    (200, "example.com/k%3Dv"),
    (400, "%3D"),
    (400, "x%20in"),
    (400, "x%20in%20(1"),
    (400, "x%20in%201"),
    (400, "x%201"),
    (400, "x,"),
    (400, ",x"),
    (400, "x%3D1%202"),
    (400, "!"),
    (400, "!x%3D1"),
    (400, "x%3D-"),
    (400, "x%20in%20(-)"),
    (400, "a%20b"),
    (400, "/x"),
    (400, "x%3D" + "v" * 64),
    (400, "X!Y"),
]
_FIELD_SELECTORS: list[tuple[int, str, str]] = [
    (200, "workflows", "metadata.name%3D@-1"),
    (200, "workflows", "metadata.name!%3D@-1"),
    (200, "workflows", "metadata.name%3D%3D@-1,metadata.namespace%3D{namespace}"),
    (200, "workflows", "metadata.namespace%3Delsewhere"),
    (400, "workflows", "status.phase%3DRunning"),
    (400, "workflows", "metadata.uid%3Dx"),
    (400, "workflows", "x"),
    (400, "claims", "status.phase%3DBound"),
    (400, "leases", "spec.holderIdentity%3Dx"),
]


def _labelled(name: str, **labels: str) -> Any:
    return workflow(f"@-{name}", labels={"set": "@", **labels})


def _review(body: Any, gives: int = 201) -> Ask:
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", **body}
    return Ask(gives, "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)


_SELECTED = [
    Ask(201, "POST", "workflows", _labelled("1", x="1", n="3")),
    Ask(201, "POST", "workflows", _labelled("2", x="2", y="", n="9")),
    Ask(201, "POST", "workflows", workflow("@-3", labels={"set": "@", "example.com/k": "v", "n": "word"})),
]
_PAGED = [Ask(201, "POST", "leases", lease(f"@-{number}", labels={"set": "@"})) for number in range(5)]

READS = [
    Case(
        "label-selectors",
        [
            *_SELECTED,
            *(
                Ask(
                    gives,
                    "GET",
                    "workflows",
                    query=f"labelSelector=set%3D@,{text}" if gives == 200 else f"labelSelector={text}",
                )
                for gives, text in _SELECTORS
            ),
        ],
        shows=_SHOWN,
    ),
    Case(
        "field-selectors",
        [
            Ask(201, "POST", "workflows", workflow("@-1", labels={"set": "@"})),
            Ask(201, "POST", "workflows", workflow("@-2", labels={"set": "@"})),
            *(
                Ask(gives, "GET", kind, query=f"labelSelector=set%3D@&fieldSelector={text}")
                for gives, kind, text in _FIELD_SELECTORS
            ),
        ],
        shows=_SHOWN,
    ),
    Case(
        "pages",
        [
            *_PAGED,
            Ask(200, "GET", "leases", query="labelSelector=set%3D@&limit=2"),
            Ask(200, "GET", "leases", query="labelSelector=set%3D@&limit=2&continue=$continue5"),
            Ask(200, "GET", "leases", query="labelSelector=set%3D@&limit=2&continue=$continue6"),
            Ask(200, "GET", "leases", query="labelSelector=set%3D@&limit=0"),
            Ask(200, "GET", "leases", query="labelSelector=set%3D@&limit=-1"),
            Ask(400, "GET", "leases", query="limit=x"),
            Ask(400, "GET", "leases", query="limit=2&continue=odd"),
            Ask(400, "GET", "leases", query="limit=2&continue=$continue5&resourceVersion=1"),
            Ask(422, "GET", "leases", query="labelSelector=set%3D@&resourceVersionMatch=Exact"),
            Ask(
                422, "GET", "leases", query="labelSelector=set%3D@&resourceVersionMatch=Odd&resourceVersion=1"
            ),
            Ask(200, "GET", "leases", query="labelSelector=set%3D@&resourceVersion=0"),
            Ask(200, "GET", "leases", query="labelSelector=set%3D@&resourceVersion=$rv4"),
            Ask(
                200,
                "GET",
                "leases",
                query="labelSelector=set%3D@&resourceVersion=$rv2&resourceVersionMatch=Exact",
            ),
            Ask(400, "GET", "leases", query="labelSelector=set%3D@&resourceVersion=odd"),
            Ask(400, "GET", "workflows", query="labelSelector=set%3D@&resourceVersion=odd"),
            Ask(500, "GET", "workflows", query="watch=1&resourceVersion=odd"),
            Ask(504, "GET", "workflows", query="resourceVersion=99999999"),
        ],
        shows=_SHOWN,
    ),
    Case(
        "lists-of-kinds",
        [
            Ask(201, "POST", "claims", claim(labels={"set": "@"})),
            Ask(201, "POST", "pods", pod(labels={"set": "@"})),
            Ask(200, "GET", "claims", query="labelSelector=set%3D@"),
            Ask(200, "GET", "pods", query="labelSelector=set%3D@"),
            Ask(200, "GET", "templates", query="labelSelector=set%3D@"),
            Ask(200, "GET", "/apis/argoproj.io/v1alpha1/workflows", query="labelSelector=set%3D@"),
            Ask(200, "GET", "/api/v1/pods", query="labelSelector=set%3D@"),
        ],
        shows=("metadata",),
    ),
    Case(
        "access-reviews",
        [
            _review({"spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "x"}}}),
            _review(
                {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "subresource": "log"}}}
            ),
            _review(
                {
                    "spec": {
                        "resourceAttributes": {
                            "verb": "create",
                            "group": "argoproj.io",
                            "resource": "workflows",
                        }
                    }
                }
            ),
            _review({"spec": {"nonResourceAttributes": {"verb": "get", "path": "/version"}}}),
            _review({"spec": {}}, 422),
            _review({}, 422),
        ],
        shows=("kind", "spec"),
    ),
    Case(
        "unauthorized",
        [
            Ask(401, "GET", "workflows", headers={"Authorization": "Bearer nobody"}),
            Ask(401, "GET", "/api", headers={"Authorization": "Bearer nobody"}),
            Ask(401, "GET", "/version", headers={"Authorization": "Bearer nobody"}),
        ],
    ),
    Case(
        "healthy",
        [Ask(200, "GET", path) for path in ("/healthz", "/livez", "/readyz")],
    ),
]
