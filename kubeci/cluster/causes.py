"""Why the API server did not do what was asked, in a sentence that anybody may read: what, why, what to do.

The errors' own text, with the server's words, is for the operator; addresses and names of accounts stay there. What is told in
the server's words is known by its form, so that words of whoever stands behind the server, a kubelet or a proxy, are not.
"""

from __future__ import annotations

import re

import msgspec

from kubeci.cluster.errors import told_in_full
from kubeci.errors import Conflict, Forbidden, Invalid, NotFound, RateLimited, Unready, UpstreamError

ARGO = "/apis/argoproj.io/"
NO_DEFINITIONS = (
    "the cluster knows no Argo workflows: install Argo's definitions (CustomResourceDefinitions); "
    "`kubectl get crd workflows.argoproj.io` shows whether they are there"
)
# kubernetes.io/docs/reference/access-authn-authz/rbac: how the server words a right that is missing
_RIGHT = re.compile(
    r'cannot (?P<verb>[a-z]+) resource "(?P<resource>[a-z/]+)" in API group "(?P<group>[a-z0-9.-]*)"'
    r'(?: in the namespace "(?P<namespace>[a-z0-9-]+)")?'
)
_QUOTA = re.compile(r"exceeded quota: [^\n]{1,500}")
# The same of admission: by a webhook, a policy, and the limits of a LimitRange.
_ADMISSION = re.compile(
    r"""admission webhook "[^"]+" denied the request|ValidatingAdmissionPolicy '[^']+' with binding '[^']+' denied request"""
    r"|is forbidden: m(?:ax|in)imum storage usage per PersistentVolumeClaim is "
)
_OBJECT = re.compile(r'(?P<resource>[a-z]+)[a-z0-9.]* "[a-z0-9.-]+" (?:not found|already exists)')
_NO_LOG_YET = re.compile(
    r'container "?[a-z0-9-]+"? in pod "?[a-z0-9.-]+"? is (?:waiting to start: [\w ]+|terminated)'
)
_LOG = "/log"
_TERMINATING = "because it is being terminated"


def explained(error: UpstreamError, *, route: str, namespace: str, content: bytes = b"") -> UpstreamError:
    """Give an error of the API server with its cause told; `content` is the answer's body, empty: none came.

    A server that is away and an API or a namespace that is missing become `Unready`, so that nobody takes them for an
    object that is missing; what admission refuses is `Invalid`. Other errors stay of their kind.
    """
    text = str(error)
    match error:
        case NotFound(status=404) if route.startswith(ARGO) and not _names_an_object(content):
            return Unready(text, status=404, public=NO_DEFINITIONS)
        case NotFound(status=404) if f'namespaces "{namespace}" not found' in text:
            return Unready(text, status=404, public=_no_namespace(namespace))
        case NotFound() | Conflict() if _is_of(route, error):
            return told_in_full(error)
        case Invalid() if not route.endswith(_LOG) or _NO_LOG_YET.fullmatch(_words(error)):
            return told_in_full(error)
        case Forbidden():
            return _refused(error, route, namespace)
        case RateLimited():
            told = "the cluster's API server has too much to do (HTTP 429)"
            return RateLimited(text, status=error.status, retry_after=error.retry_after, public=told)
        case _ if type(error) is UpstreamError and error.retryable:
            return Unready(text, status=error.status, public=_away(error.status))
    return error


def _words(error: UpstreamError) -> str:
    """Give what the server said, without to what it said it."""
    return str(error).partition(": ")[2]


def _is_of(route: str, error: UpstreamError) -> bool:
    """Say whether an object that is missing, or in the way, is the one that was asked for; else it is another's, such as a node."""
    named = _OBJECT.fullmatch(_words(error))
    return named is not None and named["resource"] in route.split("/")


def _refused(error: Forbidden, route: str, namespace: str) -> UpstreamError:
    text, status = str(error), error.status
    if status == 401:
        told = "the cluster does not know the server: its token is wrong or has ended (HTTP 401)"
        return Forbidden(text, status=status, public=told, grantable=True)
    if right := _RIGHT.search(text):
        return Forbidden(text, status=status, public=missing_right(**right.groupdict("")), grantable=True)
    if _TERMINATING in text:
        told = f"the namespace {namespace} is being deleted"
        return Unready(text, status=status, public=told)
    if quota := _QUOTA.search(text):
        told = f"the namespace {namespace} has used up its quota: {quota[0]}"
        return Forbidden(text, status=status, public=told, grantable=True)
    if _ADMISSION.search(text) and not route.endswith(_LOG):
        return Invalid(text, status=status)
    return error


def missing_right(verb: str, resource: str, group: str, namespace: str) -> str:
    """Say which right of rbac/ is missing; without a namespace it is one of the cluster as a whole."""
    right = f"`{verb} {resource}{'.' + group if group else ''}`"
    if not namespace:
        command = "kubectl apply --filename rbac/cluster-wide.yaml"
        return f"the server may not {verb} {resource}: its cluster role lacks {right}; {command}"
    # The command depends on whose role it is, which people who look at a check-run need not know.
    remedy = "`kubeci doctor` prints the command that grants it"
    return (
        f"the server may not {verb} {resource} in the namespace {namespace}: its role lacks {right}; {remedy}"
    )


def _names_an_object(content: bytes) -> bool:
    """Say whether a 404 is about an object: a path that nobody serves is answered with text, or a Status without a name."""
    try:
        status = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    details = status.get("details") if isinstance(status, dict) else None
    return isinstance(details, dict) and bool(details.get("name"))


def _no_namespace(namespace: str) -> str:
    create = f"kubectl create namespace {namespace}"
    return f"there is no namespace {namespace}: {create}, or name another one (setting `namespace`)"


def _away(status: int) -> str:
    if status < 500:
        return "the cluster's API server cannot be reached"
    return f"the cluster's API server cannot answer at the moment (HTTP {status})"
