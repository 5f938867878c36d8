"""Is the cluster there, and the namespace for workflows in it?"""

from __future__ import annotations

from collections.abc import Sequence

from kubeci.cluster.discovery import Namespace, find_namespace
from kubeci.doctor.finding import Finding, Group, State
from kubeci.doctor.subject import NO_CLUSTER, Looked, Subject
from kubeci.errors import ConfigurationError, Forbidden, UpstreamError

_WHY = "builds are workflows in this cluster: without it nothing runs and nothing is reported"


async def reachable(looked: Looked) -> Sequence[Finding]:
    """Ask the API server for its version, and for something that only who is known may see."""
    subject = looked.subject
    try:
        seen = await looked.cluster.get()
    except ConfigurationError as error:
        remedy = "name a kubeconfig (--kubeconfig ~/.kube/config), or run in a pod of the cluster"
        return [_wrong(str(error), remedy, "")]
    except Forbidden as error:
        remedy = "the cluster does not know who we are: renew the token or certificate of the kubeconfig"
        return [_wrong(str(error), remedy, f"kubectl{_by(subject)} auth whoami")]
    except UpstreamError as error:
        remedy = "is the address right (--kubeconfig, --master), and may this machine reach it?"
        return [_wrong(str(error), remedy, f"kubectl{_by(subject)} version")]
    address = (await looked.client.get()).address
    return [Finding(Group.CLUSTER, "API server", State.OK, f"Kubernetes {seen.version.name} at {address}")]


async def namespace(looked: Looked) -> Sequence[Finding]:
    """Look for the namespace, as far as our rights let us."""
    name = looked.subject.namespace
    await looked.cluster.needed(NO_CLUSTER)
    match await find_namespace(await looked.client.get(), name):
        case Namespace.THERE:
            return [Finding(Group.CLUSTER, "namespace", State.OK, f"{name} is there")]
        case Namespace.UNKNOWN:
            told = f"skipped: our rights do not show whether {name} is there (kubectl get namespace {name})"
            return [Finding(Group.CLUSTER, "namespace", State.UNKNOWN, told)]
        case Namespace.MISSING:
            remedy = "create it, or correct the setting"
            return [_no_namespace(f"{name} is not there", remedy, f"kubectl create namespace {name}")]
        case Namespace.ENDING:
            remedy = (
                "wait until it is gone (its status tells what holds it up), then create it and apply what was in it;"
                " or correct the setting"
            )
            return [
                _no_namespace(
                    f"{name} is being deleted", remedy, f"kubectl get namespace {name} --output yaml"
                )
            ]


def _no_namespace(found: str, remedy: str, command: str) -> Finding:
    why = "workflows, their pods and cache volumes are created there (setting `namespace`)"
    return Finding(Group.CLUSTER, "namespace", State.WRONG, found, why, remedy, command)


def _wrong(found: str, remedy: str, command: str) -> Finding:
    return Finding(Group.CLUSTER, "API server", State.WRONG, found, _WHY, remedy, command)


def _by(subject: Subject) -> str:
    return f" --kubeconfig {subject.options.kubeconfig}" if subject.options.kubeconfig else ""
