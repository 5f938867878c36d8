from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from postgres_server import PostgresServer

from kubeci.local.cluster.door import Asked
from kubeci.local.cluster.resources import CLAIMS, RESOURCES, WORKFLOW_TEMPLATES, WORKFLOWS
from kubeci.local.stack import LocalStack, StackSettings, local_stack, surroundings, with_server
from kubeci.workflow import metadata

FOLDER = Path(__file__).parents[2] / "rbac"
REPOSITORY = "acme/widgets"
NAMED_VERBS = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}

CLUSTER_TEMPLATES = "/apis/argoproj.io/v1alpha1/clusterworkflowtemplates/"

Right = tuple[str, str, str]
"""API group, resource with its subresource, verb."""


def documents(name: str) -> dict[str, dict[str, Any]]:
    return {each["kind"]: each for each in yaml.safe_load_all((FOLDER / name).read_text())}


def cluster_wide(kind: str, name: str) -> dict[str, Any]:
    found = yaml.safe_load_all((FOLDER / "cluster-wide.yaml").read_text())
    [one] = [each for each in found if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return dict(one)


def granted(role: dict[str, Any]) -> Iterator[Right]:
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                yield from ((group, resource, verb) for verb in rule["verbs"])


def right_of(asked: Asked) -> Right:
    """The right that a request needs, as the API server derives it from method and path."""
    if asked.path.startswith(CLUSTER_TEMPLATES):
        return "argoproj.io", "clusterworkflowtemplates", NAMED_VERBS[asked.method]
    [kind] = [each for each in RESOURCES if f"/{each.plural}" in asked.path.removeprefix(each.path)]
    _, _, rest = asked.path.partition(f"/{kind.plural}")
    name, _, subresource = rest.strip("/").partition("/")
    resource = f"{kind.plural}/{subresource}" if subresource else kind.plural
    if name:
        return kind.group, resource, NAMED_VERBS[asked.method]
    if asked.method == "POST":
        return kind.group, resource, "create"
    return kind.group, resource, "watch" if "watch=" in asked.query else "list"


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


def definition(script: str, **spec: Any) -> dict[str, str]:
    container = {"image": "alpine", "command": ["sh", "-c", script]}
    cached = {"volumeMounts": [{"name": "cache", "mountPath": "/cache"}]} if "volumes" in spec else {}
    scope = {metadata.CACHE_SCOPE: "branch" if cached else "none", metadata.CACHE_SIZE: "1Gi"}
    return {
        ".kube-ci/ci.yaml": yaml.safe_dump(
            {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "Workflow",
                "metadata": {"annotations": scope},
                "spec": {
                    "entrypoint": "ci",
                    "templates": [{"name": "ci", "container": container | cached}],
                    **spec,
                },
            }
        )
    }


def reference(name: str, **more: Any) -> dict[str, str]:
    spec = {"entrypoint": "ci", "workflowTemplateRef": {"name": name, **more}}
    manifest = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": spec}
    return {".kube-ci/ci.yaml": yaml.safe_dump(manifest)}


def shared_template() -> dict[str, Any]:
    templates = [{"name": "ci", "container": {"image": "alpine", "command": ["true"]}}]
    return {"metadata": {"name": "shared"}, "spec": {"templates": templates}}


async def play_everything(stack: LocalStack) -> None:
    """Let the server do all that it does with a cluster: build, supersede, annotate, cache, read templates, look for what is gone."""
    github, objects = stack.github, stack.cluster.objects
    await github.create_repository(REPOSITORY)

    def runs(sha: str, status: str) -> bool:
        found = [run for run in github.state.runs.values() if run.suite.head_sha == sha]
        return bool(found) and all(run.status == status for run in found)

    older = await github.push(REPOSITORY, definition("sleep 60"), branch="main", message="one")
    await until(lambda: runs(older, "in_progress"))
    newer = await github.push(REPOSITORY, definition("echo a.py:1: look"), branch="main", message="two")
    await until(lambda: runs(older, "completed") and runs(newer, "completed"))
    claim = {"claimName": "{{workflow.parameters.cacheVolumeClaimName}}"}
    cached = definition("true", volumes=[{"name": "cache", "persistentVolumeClaim": claim}])
    built = await github.push(REPOSITORY, cached, branch="cached", message="with a cache")
    await until(lambda: runs(built, "completed"))
    assert objects.list(CLAIMS, None)
    await github.delete_branch(REPOSITORY, "cached")
    await until(lambda: not objects.list(CLAIMS, None))
    deleted = await github.push(REPOSITORY, definition("sleep 60"), branch="other", message="three")
    await until(lambda: runs(deleted, "in_progress"))
    objects.create(WORKFLOW_TEMPLATES, "argo", shared_template())
    # The local cluster has no ClusterWorkflowTemplates: a real one that does not grant them answers so.
    stack.cluster.faults.add("GET", CLUSTER_TEMPLATES, status=403, times=5)
    for name, scope in (("shared", {}), ("everywhere", {"clusterScope": True})):
        referring = await github.push(REPOSITORY, reference(name, **scope), branch=name, message=name)
        await until(partial(runs, referring, "completed"))
    for workflow in objects.list(WORKFLOWS, None):
        objects.delete(WORKFLOWS, "argo", workflow["metadata"]["name"])
    await until(lambda: runs(deleted, "completed"))


@pytest.fixture
async def used(tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[set[Right]]:
    """What a server uses whose store several replicas may share; another one asks for no lease."""
    async with surroundings(tmp_path) as around:
        shared = replace(around, options=replace(around.options, store_url=postgres.new_database()))
        async with with_server(shared) as stack:
            await play_everything(stack)
        yield {right_of(asked) for asked in around.cluster.requests}


async def test_the_only_replica_asks_for_no_lease(tmp_path: Path) -> None:
    async with local_stack(tmp_path, StackSettings(engine=False)) as stack:
        await until(lambda: [each for each in stack.cluster.requests if "watch=" in each.query])
        assert not [each for each in stack.cluster.requests if "leases" in each.path]


async def test_the_role_of_the_server_grants_what_it_uses_and_no_more(used: set[Right]) -> None:
    beyond = cluster_wide("ClusterRole", "kubeci-cluster-templates")
    assert used == set(granted(documents("kubeci.yaml")["Role"])) | set(granted(beyond))


def test_the_role_for_several_namespaces_is_that_of_one() -> None:
    assert cluster_wide("ClusterRole", "kubeci-builds")["rules"] == documents("kubeci.yaml")["Role"]["rules"]


def test_nothing_but_templates_is_granted_in_the_whole_cluster() -> None:
    found = list(yaml.safe_load_all((FOLDER / "cluster-wide.yaml").read_text()))
    bound = [each["roleRef"]["name"] for each in found if each["kind"] == "ClusterRoleBinding"]
    assert bound == ["kubeci-cluster-templates"]
    assert set(granted(cluster_wide("ClusterRole", bound[0]))) == {
        ("argoproj.io", "clusterworkflowtemplates", "get")
    }


def test_the_role_of_workflow_pods_is_that_of_argos_executor() -> None:
    assert set(granted(documents("workflow-pods.yaml")["Role"])) == {
        ("argoproj.io", "workflowtaskresults", "create"),
        ("argoproj.io", "workflowtaskresults", "patch"),
    }


@pytest.mark.parametrize("name", ["kubeci.yaml", "workflow-pods.yaml"])
def test_the_role_is_bound_in_its_own_namespace_only(name: str) -> None:
    found = documents(name)
    assert found["RoleBinding"]["roleRef"]["kind"] == "Role"
    assert found["RoleBinding"]["roleRef"]["name"] == found["Role"]["metadata"]["name"]
    assert {"ClusterRole", "ClusterRoleBinding"}.isdisjoint(found)
    assert all("namespace" not in each["metadata"] for each in found.values())
