"""Cases: what a watch tells, from where it begins to where it ends. Each watch takes the second that it is given."""

from __future__ import annotations

from contract_bodies import POD_SPEC, claim, lease, pod, workflow
from contract_requests import MERGE, Ask, Case

_MINE = "watch=1&timeoutSeconds=1&labelSelector=set%3D@"
_INITIAL = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"


def _labels(**labels: str | None) -> object:
    return {"metadata": {"labels": labels}}


WATCHES = [
    Case(
        "watch-changes",
        [
            Ask(201, "POST", "workflows", workflow(labels={"set": "@"})),
            Ask(200, "PATCH", "workflows/@", {"metadata": {"annotations": {"a": "b"}}}, media_type=MERGE),
            Ask(200, "PATCH", "workflows/@", {"metadata": {"annotations": {"a": "b"}}}, media_type=MERGE),
            Ask(200, "PATCH", "workflows/@", _labels(set="other"), media_type=MERGE),
            Ask(200, "PATCH", "workflows/@", _labels(a="1"), media_type=MERGE),
            Ask(200, "PATCH", "workflows/@", _labels(set="@"), media_type=MERGE),
            Ask(200, "DELETE", "workflows/@"),
            Ask(200, "GET", "workflows", query=f"{_MINE}&resourceVersion=$rv0"),
            Ask(200, "GET", "workflows", query=f"{_MINE}&resourceVersion=$rv3"),
            Ask(
                200,
                "GET",
                "workflows",
                query="watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3D@&resourceVersion=$rv0",
            ),
            Ask(200, "GET", "/apis/argoproj.io/v1alpha1/workflows", query=f"{_MINE}&resourceVersion=$rv4"),
        ],
    ),
    Case(
        "watch-from-now",
        [
            Ask(201, "POST", "workflows", workflow("@-1", labels={"set": "@"})),
            Ask(201, "POST", "workflows", workflow("@-2", labels={"set": "@"})),
            Ask(201, "POST", "workflows", workflow("@-3", labels={"set": "other-@"})),
            Ask(200, "GET", "workflows", query=_MINE),
            Ask(200, "GET", "workflows", query=f"{_MINE}&resourceVersion=0"),
            Ask(200, "GET", "workflows", query=f"{_MINE}&{_INITIAL}"),
            Ask(200, "GET", "workflows", query=f"{_MINE}&resourceVersion=$rv2"),
            Ask(422, "GET", "workflows", query=f"{_MINE}&sendInitialEvents=true"),
            Ask(
                422,
                "GET",
                "workflows",
                query=f"{_MINE}&resourceVersionMatch=NotOlderThan&resourceVersion=$rv2",
            ),
        ],
        shows=("kind",),
    ),
    Case(
        "watch-too-old",
        [
            Ask(200, "GET", "workflows", query="watch=1&timeoutSeconds=1&resourceVersion=1"),
            Ask(400, "GET", "workflows", query="watch=1&labelSelector=%3D"),
            Ask(400, "GET", "workflows", query="watch=1&fieldSelector=odd%3Dx"),
            Ask(
                200,
                "GET",
                "/apis/argoproj.io/v1alpha1/namespaces/nowhere/workflows",
                query="watch=1&timeoutSeconds=1",
            ),
            Ask(400, "GET", "workflows", query="watch=1&timeoutSeconds=x"),
        ],
    ),
    Case(
        "watch-pods-and-claims",
        [
            Ask(201, "POST", "pods", pod(labels={"set": "@"})),
            Ask(201, "POST", "claims", claim(labels={"set": "@"})),
            Ask(201, "POST", "leases", lease(labels={"set": "@"})),
            Ask(200, "PATCH", "leases/@", {"spec": {"holderIdentity": "two"}}, media_type=MERGE),
            Ask(200, "DELETE", "pods/@"),
            Ask(200, "DELETE", "claims/@"),
            Ask(200, "DELETE", "leases/@"),
            Ask(200, "GET", "pods", query=f"{_MINE}&resourceVersion=$rv0"),
            Ask(200, "GET", "claims", query=f"{_MINE}&resourceVersion=$rv1"),
            Ask(200, "GET", "leases", query=f"{_MINE}&resourceVersion=$rv2"),
        ],
        shows=("metadata",),
    ),
]
_SOMEWHERE = pod("@-none", spec=POD_SPEC)
NO_LOGS = [
    Case(
        "no-logs",
        [
            Ask(201, "POST", "pods", _SOMEWHERE),
            Ask(204, "GET", "pods/@-none/log"),
            Ask(204, "GET", "pods/@-none/log", query="container=main"),
            Ask(400, "GET", "pods/@-none/log", query="container=odd"),
            Ask(404, "GET", "pods/other-@/log"),
            Ask(422, "GET", "pods/@-none/log", query="tailLines=-1"),
            Ask(422, "GET", "pods/@-none/log", query="limitBytes=0"),
            Ask(422, "GET", "pods/@-none/log", query="sinceSeconds=0"),
            Ask(400, "GET", "pods/@-none/log", query="tailLines=x"),
            Ask(422, "GET", "pods/@-none/log", query="sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z"),
            Ask(405, "POST", "pods/@-none/log", {}),
        ],
        shows=("metadata",),
    )
]
