"""What a cluster says of a namespace and of us, where the local cluster does not."""

from __future__ import annotations

from typing import Any

import pytest
from installation_scene import Scene
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kubeci.cluster.access import own_name
from kubeci.cluster.connect import connect
from kubeci.cluster.discovery import Namespace, find_namespace
from kubeci.doctor.finding import State
from kubeci.local.serving import serving

ENDING = {"metadata": {"name": "argo", "deletionTimestamp": "2026-01-01T00:00:00Z"}}
NO_RIGHT = {
    "kind": "Status",
    "reason": "Forbidden",
    "message": 'namespaces "argo" is forbidden: User "x" cannot',
}
TERMINATED = {
    "kind": "Status",
    "reason": "Forbidden",
    "message": "workflows.argoproj.io is forbidden: unable to create new content in namespace argo because it is being terminated",
}


def cluster(**answers: tuple[int, object]) -> Starlette:
    """Answer a GET of the namespace, a POST of a workflow, a review of who we are; the rest is not there."""

    async def answer(request: Request) -> Response:
        status, body = answers.get(request.url.path.rpartition("/")[2], (404, {}))
        return JSONResponse(body, status)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"argo": (200, {"metadata": {"name": "argo"}})}, Namespace.THERE),
        ({"argo": (200, ENDING)}, Namespace.ENDING),
        ({}, Namespace.MISSING),
        ({"argo": (403, NO_RIGHT), "workflows": (201, {})}, Namespace.THERE),
        ({"argo": (403, NO_RIGHT), "workflows": (403, TERMINATED)}, Namespace.ENDING),
        ({"argo": (403, NO_RIGHT), "workflows": (403, NO_RIGHT)}, Namespace.UNKNOWN),
    ],
)
async def test_how_a_namespace_stands(answers: dict[str, Any], expected: Namespace) -> None:
    async with serving(cluster(**answers)) as url, connect(master=url, trust_env=False) as client:
        assert await find_namespace(client, "argo") is expected


async def test_a_namespace_that_is_being_deleted_is_wrong(scene: Scene) -> None:
    answers = {
        "version": (200, {"gitVersion": "v1.36.2"}),
        "v1alpha1": (200, {}),
        "argo": (200, ENDING),
        "selfsubjectaccessreviews": (201, {"status": {"allowed": False}}),
    }
    async with serving(cluster(**answers)) as url:
        scene.options(kubernetes_url=url, kubeconfig=None)
        found = {each.name: each for each in await scene.findings()}
    assert (found["namespace"].state, found["namespace"].found) == (State.WRONG, "argo is being deleted")
    assert found["namespace"].command == "kubectl get namespace argo --output yaml"
    assert "see cluster" in found["rights"].remedy
    assert found["rights"].command == ""


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (
            (201, {"status": {"userInfo": {"username": "system:serviceaccount:a:b"}}}),
            "system:serviceaccount:a:b",
        ),
        ((201, {"status": None}), ""),
        ((404, {}), ""),
        ((403, NO_RIGHT), ""),
    ],
)
async def test_who_we_are(answer: tuple[int, object], name: str) -> None:
    answers = {"selfsubjectreviews": answer}
    async with serving(cluster(**answers)) as url, connect(master=url, trust_env=False) as client:
        assert await own_name(client) == name
