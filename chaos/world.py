"""A GitHub and a cluster with its engine on loopback in this process, which outlive the server between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from chaos.judge import Place, Ran, Seen, Shown
from kubeci.github.events import ACTIONS
from kubeci.local.argo_server.server import argo_server
from kubeci.local.cluster.cluster import LocalCluster
from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.engine.engine import Engine
from kubeci.local.engine.runner import Limits
from kubeci.local.github.auth import new_app
from kubeci.local.github.deliveries import Delivery
from kubeci.local.github.server import LocalGitHub
from kubeci.workflow import metadata

SECRET = "loopback only"
API_TOKEN = "a token of the harness"
NAMESPACE = "argo"
REPOSITORIES = ("acme/widgets", "acme/gears", "globex/site", "initech/reports")
"""Of three installations."""
SETTINGS = """\
namespace: argo
buildBranches: .
manualTemplates: ^smoke$
deployTemplates: ^deploy$
sweepInterval: 2s
api:
  tokens: [{{name: chaos, tokenFile: {folder}/api-token, repositories: [.*], verbs: [run]}}]
"""
PODS = 200
"""What waits for its Cancel holds no other build up."""
ENOUGH = 10_000_000
"""Requests an hour: what a scenario asks of GitHub in minutes must not end at a limit that nobody means."""


@dataclass(slots=True)
class World:
    """The surroundings of the server; `folder` holds the files that its options name, and its logs."""

    github: LocalGitHub
    cluster: LocalCluster
    folder: Path
    argo_url: str
    _api: AsyncExitStack
    _api_port: int

    async def api_away(self) -> None:
        """Close the API server's listener; its objects stay, as etcd's do."""
        await self._api.aclose()

    async def api_back(self) -> None:
        """Open it again at its old address, with its history forgotten, so that old versions are expired."""
        self.cluster.objects.compact()
        await self._api.enter_async_context(self.cluster.serving(port=self._api_port))

    def ended(self) -> Counter[Place]:
        """Count the check-runs that ended, by place."""
        return Counter(
            (run.suite.repository.full_name, run.suite.head_sha, run.name)
            for run in self.github.state.runs.values()
            if run.status == "completed"
        )

    def unanswered(self) -> set[str]:
        """Give the deliveries of events that the server reads, by guid, of which no attempt was answered well yet.

        What was killed before its answer may have them all the same.
        """
        read = [each for each in self.github.deliveries.sent if _kind(each) in ACTIONS]
        return {each.guid for each in read} - {each.guid for each in read if each.status == "OK"}

    def seen(self) -> Seen:
        """Give what GitHub and the cluster show now."""
        state = self.github.state
        runs = [
            Shown(
                run.id,
                run.suite.repository.full_name,
                run.suite.head_sha,
                run.name,
                (run.conclusion or "") if run.status == "completed" else "",
                tuple((each["path"], each["start_line"], each["message"]) for each in run.annotations),
            )
            for run in state.runs.values()
        ]
        workflows = []
        for workflow in self.cluster.objects.list(WORKFLOWS, None):
            said = metadata.annotations_of(workflow)
            repository = f"{said.get(metadata.ORG)}/{said.get(metadata.REPO)}"
            build = said.get(metadata.BUILD_ID, "")
            workflows.append(Ran(repository, said.get(metadata.SHA, ""), workflow["metadata"]["name"], build))
        deployments = {each.id: each.state for each in state.deployments.values()}
        return Seen(runs, workflows, deployments)


def _kind(delivery: Delivery) -> tuple[str, str]:
    return delivery.event, delivery.payload.get("action") or ""


@asynccontextmanager
async def world_in(folder: Path) -> AsyncIterator[World]:
    """Run GitHub, API server, engine and argo-server until the block ends."""
    app = new_app()
    for name, text in {
        "key.pem": app.private_key or "",
        "secret": SECRET,
        "api-token": API_TOKEN,
        "settings.yaml": SETTINGS.format(folder=folder),
    }.items():
        (folder / name).write_text(text)
    async with AsyncExitStack() as stack:
        github = await stack.enter_async_context(
            LocalGitHub(folder / "repositories", app=app, webhook_secret=SECRET)
        )
        github.limits.requests_per_hour = ENOUGH
        cluster = LocalCluster(namespaces=(NAMESPACE,))
        api = await stack.enter_async_context(AsyncExitStack())
        await api.enter_async_context(cluster.serving())
        cluster.write_kubeconfig(folder / "kubeconfig")
        await stack.enter_async_context(
            Engine(cluster.objects, folder=folder / "pods", limits=Limits(pods_at_once=PODS))
        )
        argo = await stack.enter_async_context(argo_server(cluster.objects))
        (folder / "argo-token").write_text(argo.token)
        for name in REPOSITORIES:
            await github.create_repository(name)
            await github.push(name, {"README": "Nothing is built of this.\n"})
        yield World(github, cluster, folder, argo.url, api, int(cluster.url.rpartition(":")[2]))
