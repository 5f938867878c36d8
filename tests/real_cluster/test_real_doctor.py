"""`kubeci doctor` before a real API server: a whole installation, rights that are missing, a namespace, definitions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from given_cluster import RealCluster
from real_scene import RBAC, RealScene, real_scene

from kubeci.doctor.examine import examine
from kubeci.doctor.finding import Finding, Group, State
from kubeci.doctor.subject import Subject

pytestmark = pytest.mark.cluster

ACCOUNT = "system:serviceaccount:argo:kubeci"


@pytest.fixture
async def scene(real_cluster: RealCluster, tmp_path: Path) -> AsyncIterator[RealScene]:
    async with real_scene(real_cluster, tmp_path) as made:
        # A token of its own: the audit of the server's rights counts the other's requests.
        own = await asyncio.to_thread(real_cluster.kubectl.kubeconfig_of, "kubeci", tmp_path / "doctor")
        made.real = replace(made.real, options=replace(made.real.options, kubeconfig=own))
        yield made


def subject(scene: RealScene, **changes: Any) -> Subject:
    return replace(Subject(scene.real.options, scene.real.config, trust_env=False), **changes)


async def faults(of: Subject) -> dict[str, Finding]:
    """What is not right, but for GitHub's side, which tests/doctor looks at."""
    cluster = {Group.CLUSTER, Group.ARGO, Group.RIGHTS, Group.STORAGE, Group.CLOCK}
    found = [each for each in await examine(of) if each.group in cluster]
    assert found
    return {each.name: each for each in found if each.state is not State.OK}


@contextmanager
def without(cluster: RealCluster, verb: str, resource: str) -> Iterator[None]:
    """Take one right away from the server's role until the block ends."""
    role = next(
        each for each in yaml.safe_load_all((RBAC / "kubeci.yaml").read_text()) if each["kind"] == "Role"
    )
    for rule in role["rules"]:
        if resource in rule["resources"]:
            rule["verbs"].remove(verb)
    role["rules"] = [rule for rule in role["rules"] if rule["verbs"]]
    cluster.kubectl("apply", "--filename", "-", given=yaml.safe_dump(role))
    try:
        yield
    finally:
        cluster.kubectl("apply", "--filename", str(RBAC / "kubeci.yaml"))


async def test_a_whole_cluster_is_right_as_far_as_the_server_may_look(scene: RealScene) -> None:
    found = await faults(subject(scene))
    # A server reads no storage classes; of the controller nothing is known where no workflow has run yet.
    assert {"storage class"} <= set(found) <= {"storage class", "controller"}
    assert {each.state for each in found.values()} == {State.UNKNOWN}


async def test_an_administrator_sees_what_the_server_may(scene: RealScene) -> None:
    options = replace(scene.real.options, kubeconfig=scene.real.cluster.kubeconfig)
    assert set(await faults(subject(scene, options=options, as_user=ACCOUNT))) <= {"controller"}


@pytest.mark.parametrize(
    ("verb", "resource", "state"),
    [
        ("create", "workflows", State.WRONG),
        ("watch", "workflows", State.WRONG),
        ("get", "pods/log", State.WARNING),
        ("delete", "persistentvolumeclaims", State.WARNING),
    ],
)
async def test_a_right_that_is_missing_is_found(
    scene: RealScene, verb: str, resource: str, state: State
) -> None:
    with without(scene.real.cluster, verb, resource):
        found = await faults(subject(scene))
    [missing] = [each for each in found.values() if each.group is Group.RIGHTS]
    assert f"{verb} {resource}" in missing.found
    assert missing.state is state
    assert "rbac/kubeci.yaml" in missing.command


async def test_a_namespace_that_is_missing_is_found_with_the_rights_of_a_server(scene: RealScene) -> None:
    config = msgspec.structs.replace(scene.real.config, namespace="nowhere")
    options = replace(scene.real.options, kubeconfig=scene.real.cluster.kubeconfig)
    found = await faults(subject(scene, config=config, options=options))
    assert found["namespace"].state is State.WRONG
    assert "kubectl create namespace nowhere" in found["namespace"].command


async def test_it_changes_nothing(scene: RealScene) -> None:
    plane = scene.real.cluster.plane
    if plane is None:
        pytest.skip("the audit log is there only on the cluster of `make cluster-tools`")
    before = len(plane.audit_log.read_text().splitlines())
    await faults(subject(scene))
    asked = [json.loads(line) for line in plane.audit_log.read_text().splitlines()[before:]]
    mine = [each for each in asked if each["user"]["username"] == ACCOUNT]
    assert mine
    for each in mine:
        reads = each["verb"] in {"get", "list", "watch"}
        reviews = each["objectRef"]["resource"].endswith("accessreviews") if "objectRef" in each else False
        assert reads or reviews or "dryRun=All" in each["requestURI"], each
