"""The pages over a real store and the local cluster, whose workflows the tests write themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from kubeci.cluster.connect import connect
from kubeci.cluster.logs import ClusterPodLogs
from kubeci.cluster.workflows import ArgoWorkflows
from kubeci.local.cluster.cluster import LocalCluster
from kubeci.local.cluster.logs import LogBuffer
from kubeci.local.cluster.resources import PODS, WORKFLOWS
from kubeci.local.serving import serving
from kubeci.model.build import Build, BuildState
from kubeci.model.report import Outcome
from kubeci.model.repository import Commit, Ref, Repository
from kubeci.report.outcome import steps_of
from kubeci.service.node_logs import NodeLogs
from kubeci.settings.api import ApiToken, Pages, Verb
from kubeci.settings.pattern import Pattern
from kubeci.store.builds import SqlBuilds
from kubeci.store.database import database
from kubeci.web.pages.access import PageAccess, access_of
from kubeci.web.pages.addresses import Links
from kubeci.web.pages.frame import PagePorts
from kubeci.web.pages.routes import page_routes
from kubeci.workflow.metadata import BUILD_ID
from kubeci.workflow.status import read_state

NAMESPACE = "ci"
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
LINKS = Links("https://github.test", "http://argo.test")
OPEN = access_of(Pages(), (), "127.0.0.1")
READER = ApiToken("reader", b"a secret of acme's", (Pattern("acme/.*"),), frozenset({Verb.READ}))
WRITER = ApiToken("writer", b"a secret for runs!", (Pattern(".*"),), frozenset({Verb.RUN}))
NODE = "widgets-1-{}"


@dataclass
class Stage:
    """Builds, and the workflows behind them."""

    builds: SqlBuilds
    cluster: LocalCluster
    ports: PagePorts
    url: str = ""
    known: list[Build] = field(default_factory=list)

    async def build(self, title: str, repository: str = "acme/widgets", **changes: Any) -> Build:
        """Record a running build, a minute later than the one before, and make its workflow."""
        number = len(self.known) + 1
        owner, name = repository.split("/")
        build = Build(
            id=f"{number:040x}",
            commit=Commit(Repository(owner, name, 1), f"{number:07x}" + "0" * 33),
            ref=Ref("main"),
            entrypoint="",
            check_name="Workflow - ci",
            namespace=NAMESPACE,
            workflow_name=f"widgets-{number}",
            created_at=START + timedelta(minutes=number),
            nonce=f"nonce-{number}",
            check_run_id=number,
            state=BuildState.RUNNING,
            title=title,
        )
        manifest = {
            "metadata": {"name": build.workflow_name, "annotations": {BUILD_ID: build.nonce}},
            "spec": {"entrypoint": "ci", "templates": [{"name": "ci", "container": {"image": "alpine"}}]},
        }
        made = self.cluster.objects.create(
            WORKFLOWS, NAMESPACE, {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", **manifest}
        )
        build = replace(build, workflow_uid=made["metadata"]["uid"], **changes)
        self.known.append(build)
        return await self.builds.add(build)

    def status(self, build: Build, phase: str, steps: dict[str, str]) -> None:
        """Write a workflow's status: its phase, and those of its steps by name."""
        name = build.workflow_name
        ids = {step: f"{name}-{number}" for number, step in enumerate(steps)}
        nodes = {name: _node(name, name, "Steps", phase) | {"children": list(ids.values())}}
        for step, at in steps.items():
            node = _node(ids[step], f"{name}.{step}", "Pod", at)
            nodes[ids[step]] = node | {"displayName": step, "boundaryID": name, "message": f"about {step}"}
        found = self.cluster.objects.get(WORKFLOWS, NAMESPACE, name)
        marks = {**found["metadata"]["annotations"], "workflows.argoproj.io/pod-name-format": "v1"}
        metadata = {**found["metadata"], "annotations": marks}
        status = {"phase": phase, "startedAt": _time(), "nodes": nodes}
        self.cluster.objects.replace(
            WORKFLOWS, NAMESPACE, name, {**found, "metadata": metadata, "status": status}
        )

    def says(self, build: Build, number: int, text: str) -> None:
        """Let the pod of a workflow's step, counted from 0, write to its log."""
        pod = f"{build.workflow_name}-{number}"
        objects = self.cluster.objects
        if (NAMESPACE, pod, "main") not in objects.logs:
            spec = {"nodeName": "node", "containers": [{"name": "main", "image": "alpine"}]}
            objects.create(
                PODS, NAMESPACE, {"metadata": {"name": pod}, "spec": spec, "status": {"phase": "Running"}}
            )
            objects.logs[NAMESPACE, pod, "main"] = LogBuffer()
        objects.logs[NAMESPACE, pod, "main"].append(text.encode())

    async def finish(self, build: Build, conclusion: str) -> None:
        """Keep how a build's workflow looks, and conclude it."""
        workflow = await self.ports.workflows.get(NAMESPACE, build.workflow_name)
        state = read_state(workflow)
        await self.builds.save_outcome(build.id, Outcome(state.phase, steps=steps_of(state)))
        await self.builds.change(
            build.id,
            state=BuildState.FINISHED,
            conclusion=conclusion,
            finished_at=START + timedelta(hours=1),
        )


def _node(node_id: str, name: str, kind: str, phase: str) -> dict[str, Any]:
    node = {"id": node_id, "name": name, "displayName": name, "type": kind, "phase": phase}
    node |= {"templateName": "ci", "hostNodeName": "node", "startedAt": _time()}
    return node | ({"finishedAt": _time(90)} if phase in {"Succeeded", "Failed", "Error"} else {})


def _time(seconds: int = 0) -> str:
    return (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@asynccontextmanager
async def stage_in(
    folder: Path, access: PageAccess = OPEN, *, pause_seconds: float = 0.05
) -> AsyncIterator[Stage]:
    """Serve the pages until the block ends."""
    cluster = LocalCluster(namespaces=(NAMESPACE,))
    kubeconfig = folder / "kubeconfig"
    async with database(f"sqlite:///{folder}/kubeci.db") as stored, cluster.serving():
        cluster.write_kubeconfig(kubeconfig)
        async with connect(kubeconfig=str(kubeconfig), trust_env=False) as client:
            builds = SqlBuilds(stored)
            ports = PagePorts(
                builds=builds,
                workflows=ArgoWorkflows(client),
                logs=NodeLogs(ClusterPodLogs(client)),
                links=LINKS,
                access=access,
                clock=lambda: datetime.now(UTC),
                pause_seconds=pause_seconds,
                refresh_seconds=0.2,
            )
            async with serving(Starlette(routes=page_routes(ports))) as url:
                yield Stage(builds, cluster, ports, url)
