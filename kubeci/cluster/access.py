"""What a user may do in the cluster (kubernetes.io/docs/reference/access-authn-authz/authorization)."""

from __future__ import annotations

from dataclasses import dataclass

from kubeci.cluster.client import Client, Request
from kubeci.errors import UpstreamError

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


@dataclass(frozen=True, slots=True)
class Right:
    """One verb on one resource of an API group ("" is the core group); `pods/log` names a subresource."""

    group: str
    resource: str
    verb: str

    def __str__(self) -> str:
        """Write the right as `kubectl auth can-i` takes it: `get workflows.argoproj.io`."""
        plural, slash, subresource = self.resource.partition("/")
        group = f".{self.group}" if self.group else ""
        return f"{self.verb} {plural}{group}{slash}{subresource}"


async def may(client: Client, right: Right, namespace: str, *, as_user: str = "") -> bool:
    """Ask whether a right is granted in a namespace, with "" in the whole cluster; `as_user` for another user.

    Everybody may ask that of themselves; to ask for others takes the right to impersonate them. Raises `Forbidden`
    without that, and the other errors of `kubeci.errors`.
    """
    plural, _, subresource = right.resource.partition("/")
    attributes = {
        "namespace": namespace,
        "verb": right.verb,
        "group": right.group,
        "resource": plural,
        "subresource": subresource,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }
    headers = {"Impersonate-User": as_user} if as_user else {}
    answer = await client.send(Request("POST", REVIEWS, body=review, headers=headers))
    status = answer.get("status")
    return isinstance(status, dict) and status.get("allowed") is True


async def own_name(client: Client) -> str:
    """Give the user's name that the cluster knows us by; empty where it does not tell (it does since Kubernetes 1.28)."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        answer = await client.send(Request("POST", WHOAMI, body=review))
        return str(answer["status"]["userInfo"]["username"])
    except (UpstreamError, KeyError, TypeError):
        return ""
