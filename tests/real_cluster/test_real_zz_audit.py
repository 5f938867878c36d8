"""Least rights, from the API server's audit log: what the server asks for is granted, and what is granted it asks for.

The last of these files, so that the table counts the whole run; by itself it plays what is needed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from audited import ACCOUNT, Audited, Right, audit_size, requests_of
from github_scene import REPOSITORY
from given_cluster import RealCluster
from played import LONG, PASSING, cached, files, manifest, step
from postgres_server import PostgresServer
from real_scene import CLAIMS, RBAC, WORKFLOWS, RealScene, real_scene

from kubeci.cluster.client import Request

pytestmark = pytest.mark.cluster

TEMPLATES = "/apis/argoproj.io/v1alpha1/namespaces/{namespace}/workflowtemplates"
PODS_ACCOUNT = "default"
REVIEW = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview"}


def rights(rules: list[dict[str, Any]]) -> Iterator[Right]:
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                yield from (Right(group, resource, verb) for verb in rule["verbs"])


def granted(name: str) -> set[Right]:
    [role] = [each for each in yaml.safe_load_all((RBAC / name).read_text()) if each["kind"] == "Role"]
    return set(rights(role["rules"]))


def table(grants: set[Right], played: list[Audited], run: list[Audited]) -> str:
    here, all_ = (Counter(each.right for each in found) for found in (played, run))
    lines = [f"{'group':<12} {'resource':<24} {'verb':<7} granted  used here  in the whole run"]
    for each in sorted(grants | here.keys() | all_.keys()):
        mark = "yes" if each in grants else "NO"
        lines.append(
            f"{each.group or 'core':<12} {each.resource:<24} {each.verb:<7} {mark:<8} {here[each]:>9}  {all_[each]:>16}"
        )
    return "\n".join(lines)


async def play_everything(ci: RealScene) -> None:
    """Let the server do all that it does with a cluster."""
    # Build, read logs, annotate; stop what is superseded.
    older = await ci.push(LONG)
    await ci.in_progress(older)
    newer = await ci.push(PASSING)
    await ci.concluded(older)
    await ci.concluded(newer)
    # Make a cache, and clear it with the pods that hold it.
    await ci.concluded(await ci.push(cached(), branch="cached"))
    await ci.place.github.delete_branch(REPOSITORY, "cached")
    await ci.eventually(lambda: nothing_of(ci, CLAIMS))
    # Look at a template of the cluster.
    names = {"namespace": ci.place.cluster.namespace}
    shared = build_template(step("ci"), ci.place.config.managed_by)
    await ci.place.admin.send(Request("POST", TEMPLATES, names, body=shared))
    reference = manifest(step("ci"))
    reference["spec"] = {"entrypoint": "ci", "workflowTemplateRef": {"name": shared["metadata"]["name"]}}
    run = await ci.concluded(await ci.push(files(reference), branch="shared"))
    assert run.conclusion == "success"
    await ci.delete(TEMPLATES, shared["metadata"]["name"])
    # Ask for what is said to be gone.
    gone = await ci.push(LONG, branch="gone")
    running = await ci.in_progress(gone)
    await ci.delete(WORKFLOWS, running.details_url.rpartition("/")[2])
    await ci.concluded(gone)
    await ci.quiet()


def build_template(template: dict[str, Any], name: str) -> dict[str, Any]:
    kind = {"apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTemplate"}
    return {**kind, "metadata": {"name": name.replace("_", "-").lower()}, "spec": {"templates": [template]}}


async def nothing_of(ci: RealScene, route: str) -> bool:
    return not await ci.objects(route)


async def test_what_the_server_asks_for_is_granted_and_what_is_granted_it_asks_for(
    real_cluster: RealCluster, tmp_path: Path, postgres: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    if real_cluster.plane is None:
        pytest.skip("the cluster KUBECI_TEST_KUBECONFIG names shows no audit log")
    since = audit_size(real_cluster)
    async with real_scene(real_cluster, tmp_path) as ci:
        ci.store_in(postgres.new_database())  # only servers that may be several ask for leases
        async with ci.serving():
            await play_everything(ci)
    played, run = requests_of(real_cluster, since), requests_of(real_cluster)
    grants = granted("kubeci.yaml")
    with capsys.disabled():
        print(f"\n{table(grants, played, run)}")  # noqa: T201 - the comparison is what this test is for
    assert {each.right for each in played} == grants
    assert {each.right for each in run} <= grants
    # Not of the whole run: an API server that has just started refuses, until it knows the roles.
    assert [each for each in played if each.code in {401, 403}] == []


def rules_of(cluster: RealCluster, account: str) -> set[Right]:
    """Ask the API server what an account may do, beyond what any account of the namespace may."""

    def asked(name: str) -> set[Right]:
        review = json.dumps({**REVIEW, "spec": {"namespace": cluster.namespace}})
        whom = f"--as=system:serviceaccount:{cluster.namespace}:{name}"
        answer = cluster.kubectl(
            "create", whom, "--validate=false", "--filename=-", "--output=json", given=review
        )
        return set(rights(json.loads(answer)["status"]["resourceRules"]))

    return asked(account) - asked("nobody-in-particular")


@pytest.mark.parametrize(
    ("account", "role"), [(ACCOUNT, "kubeci.yaml"), (PODS_ACCOUNT, "workflow-pods.yaml")]
)
def test_the_api_server_grants_what_the_roles_say_and_no_more(
    real_cluster: RealCluster, account: str, role: str
) -> None:
    for each in ("kubeci.yaml", "workflow-pods.yaml"):
        real_cluster.kubectl("apply", "--filename", str(RBAC / each))
    assert rules_of(real_cluster, account) == granted(role)


@pytest.mark.parametrize(
    "right",
    [
        ("get", "secrets"),
        ("create", "pods"),
        ("get", "pods/exec"),
        ("create", "workflows.argoproj.io"),
        ("create", "rolebindings.rbac.authorization.k8s.io"),
        ("delete", "persistentvolumeclaims"),
        ("get", "nodes"),
    ],
    ids=" ".join,
)
def test_what_a_build_runs_cannot_reach_into_the_cluster(
    real_cluster: RealCluster, right: tuple[str, str]
) -> None:
    # No pod runs here, so that the audit log cannot show what Argo's executor uses of its rights.
    real_cluster.kubectl("apply", "--filename", str(RBAC / "workflow-pods.yaml"))
    whom = f"--as=system:serviceaccount:{real_cluster.namespace}:{PODS_ACCOUNT}"
    with pytest.raises(RuntimeError):
        real_cluster.kubectl("auth", "can-i", *right, whom, "--quiet")
    real_cluster.kubectl("auth", "can-i", "create", "workflowtaskresults.argoproj.io", whom, "--quiet")
