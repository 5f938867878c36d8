from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubeci.cluster.causes import explained
from kubeci.cluster.errors import of_answer, of_failure
from kubeci.errors import Conflict, Forbidden, Invalid, NotFound, RateLimited, Unready, UpstreamError

RECORDINGS = Path(__file__).parent.parent / "data" / "argo-api"
WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/{namespace}/workflows"
PODS = "/api/v1/namespaces/{namespace}/pods"
LOG = f"{PODS}/{{name}}/log"
CLAIMS = "/api/v1/namespaces/{namespace}/persistentvolumeclaims"
ACCOUNT = "system:serviceaccount:kubeci:kubeci"
NODE = "ip-10-0-3-7.internal"
KUBELET = "Forbidden (user=kube-apiserver-kubelet-client, verb=get, resource=nodes, subresource=proxy)"
ADMISSION = 'admission webhook "images.example" denied the request'
POLICY = "ValidatingAdmissionPolicy 'sizes' with binding 'all' denied request"
LIMIT = "maximum storage usage per PersistentVolumeClaim is"
NO_LOG = 'container "main" in pod "x" is waiting to start:'


def why(status: int, message: str | bytes, *, route: str = WORKFLOWS, **details: Any) -> UpstreamError:
    """The cause of an answer with a Status, or with other content."""
    told = {"kind": "Status", "message": message, "code": status, "details": details}
    content = message if isinstance(message, bytes) else json.dumps(told).encode()
    refusal = of_answer(status, {}, content, call=f"POST {route}")
    return explained(refusal, route=route, namespace="argo", content=content)


def forbidden(what: str) -> str:
    return f'workflows.argoproj.io "x" is forbidden: {what}'


def cannot(verb: str, resource: str, group: str, where: str = ' in the namespace "argo"') -> str:
    return forbidden(f'User "{ACCOUNT}" cannot {verb} resource "{resource}" in API group "{group}"{where}')


APPLY = "`kubeci doctor` prints the command that grants it"
CAUSES: list[tuple[UpstreamError, type[UpstreamError], bool, str]] = [
    # the error, its kind, whether a right or a quota would help, words for anybody
    (why(404, b"404 page not found\n"), Unready, False, "the cluster knows no Argo workflows"),
    (why(404, "the server could not find the requested resource"), Unready, False, "knows no Argo workflows"),
    (why(404, b""), Unready, False, "knows no Argo workflows"),
    (why(404, 'namespaces "argo" not found', name="argo"), Unready, False, "there is no namespace argo: "),
    (why(404, 'workflows.argoproj.io "x" not found', name="x"), NotFound, False, '"x" not found'),
    (why(404, b"404 page not found\n", route=PODS), NotFound, False, "the cluster answered 404 to "),
    (
        why(404, f'nodes "{NODE}" not found', route=LOG, name=NODE),
        NotFound,
        False,
        "the cluster answered 404 to ",
    ),
    (why(404, f'pods "x" not found ({NODE})', route=LOG), NotFound, False, "the cluster answered 404 to "),
    (why(404, 'pods "x" not found', route=LOG, name="x"), NotFound, False, 'pods "x" not found'),
    (why(403, KUBELET, route=LOG), Forbidden, False, "the cluster answered 403 to "),
    (why(403, f'node "{NODE}" User "{ACCOUNT}" cannot get path "/x"', route=LOG), Forbidden, False, "403"),
    (why(403, f"{ADMISSION} ({KUBELET})", route=LOG), Forbidden, False, "the cluster answered 403 to "),
    (why(400, f"{NODE}: bad", route=LOG), Invalid, False, "the cluster answered 400 to "),
    (why(400, f"{NO_LOG} ContainerCreating", route=LOG), Invalid, False, f"{NO_LOG} ContainerCreating"),
    (why(400, f"{NO_LOG} at https://10.0.0.1", route=LOG), Invalid, False, "the cluster answered 400 to "),
    (why(405, "not at https://10.0.0.1"), UpstreamError, False, "the cluster answered 405 to "),
    (why(403, forbidden(f'User "{ACCOUNT}" may not')), Forbidden, False, "the cluster answered 403 to "),
    (why(403, forbidden(f"{POLICY}: no"), route=CLAIMS), Invalid, False, f"{POLICY}: no"),
    (why(403, forbidden(f"{LIMIT} 1Gi"), route=CLAIMS), Invalid, False, f"{LIMIT} 1Gi"),
    (
        why(403, cannot("create", "workflows", "argoproj.io")),
        Forbidden,
        True,
        (
            "the server may not create workflows in the namespace argo: "
            f"its role lacks `create workflows.argoproj.io`; {APPLY}"
        ),
    ),
    (
        why(403, cannot("get", "pods/log", "") + ": RBAC: clusterrole not found", route=PODS),
        Forbidden,
        True,
        f"the server may not get pods/log in the namespace argo: its role lacks `get pods/log`; {APPLY}",
    ),
    (
        why(403, cannot("get", "clusterworkflowtemplates", "argoproj.io", " at the cluster scope")),
        Forbidden,
        True,
        (
            "its cluster role lacks `get clusterworkflowtemplates.argoproj.io`; "
            "kubectl apply --filename rbac/cluster-wide.yaml"
        ),
    ),
    (why(401, "Unauthorized"), Forbidden, True, "does not know the server"),
    (
        why(403, forbidden("exceeded quota: builds, requested: count/workflows.argoproj.io=1, used: 9")),
        Forbidden,
        True,
        "the namespace argo has used up its quota: exceeded quota: builds, requested: ",
    ),
    (
        why(403, forbidden("unable to create new content in namespace argo because it is being terminated")),
        Unready,
        False,
        "the namespace argo is being deleted",
    ),
    (
        why(403, f"{ADMISSION}: no"),
        Invalid,
        False,
        f"{ADMISSION}: no",
    ),
    (why(422, "spec.templates: Required value"), Invalid, False, "spec.templates: Required value"),
    (why(409, 'workflows.argoproj.io "x" already exists'), Conflict, False, '"x" already exists'),
    (why(409, f'nodes "{NODE}" already exists'), Conflict, False, "the cluster answered 409 to "),
    (why(429, "slow down"), RateLimited, False, "has too much to do (HTTP 429)"),
    (why(500, "dial tcp 10.0.0.1:443: refused"), Unready, False, "cannot answer at the moment (HTTP 500)"),
    (why(408, "too slow"), Unready, False, "cannot be reached"),
    (
        explained(of_failure(OSError("10.0.0.1:443"), call="GET /x"), route=PODS, namespace="argo"),
        Unready,
        False,
        "the cluster's API server cannot be reached",
    ),
]


@pytest.mark.parametrize(("error", "kind", "grantable", "told"), CAUSES)
def test_a_cause_is_told_to_anybody(
    error: UpstreamError, kind: type[UpstreamError], told: str, *, grantable: bool
) -> None:
    assert type(error) is kind
    assert (isinstance(error, Forbidden) and error.grantable) is grantable
    assert told in error.public
    assert not [each for each in (ACCOUNT, NODE, KUBELET, "10.0.0.1") if each in error.public]


def test_the_operator_sees_the_words_of_the_server() -> None:
    assert ACCOUNT in str(why(403, cannot("create", "workflows", "argoproj.io")))
    assert "10.0.0.1" in str(why(500, "dial tcp 10.0.0.1:443: refused"))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("workflow-create-forbidden-403", "its role lacks `create workflows.argoproj.io`"),
        ("pod-log-forbidden-403", "its role lacks `get pods/log`"),
        ("workflow-create-missing-namespace-404", "there is no namespace nosuch: "),
        ("workflow-get-404", 'workflows.argoproj.io "nosuch" not found'),
        ("pod-log-unknown-pod-404", 'pods "nosuch" not found'),
    ],
)
def test_recorded_answers(name: str, told: str) -> None:
    response = json.loads((RECORDINGS / f"{name}.json").read_text())["response"]
    content = json.dumps(response["body"]).encode()
    refusal = of_answer(response["status"], {}, content, call="GET /x")
    route = LOG if name.startswith("pod-log") else WORKFLOWS
    error = explained(refusal, route=route, namespace="nosuch", content=content)
    assert told in error.public
