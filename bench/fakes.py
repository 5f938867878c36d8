"""A GitHub and a cluster on loopback in this process, for a server that runs as a process of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from kubeci.local.cluster.cluster import LocalCluster
from kubeci.local.engine.engine import Engine
from kubeci.local.examples import load_example
from kubeci.local.github.auth import new_app
from kubeci.local.github.deliveries import Delivery
from kubeci.local.github.repositories import Files
from kubeci.local.github.server import LocalGitHub

SECRET = "loopback only"
NAMESPACE = "argo"
REPOSITORY = "bench/project"
SETTINGS = f"namespace: {NAMESPACE}\nbuildBranches: .\n"


@dataclass(frozen=True, slots=True)
class Fakes:
    """The running fakes; `folder` holds the files that the server's options name."""

    github: LocalGitHub
    cluster: LocalCluster
    folder: Path

    async def push(self, files: Files, *, branch: str = "main") -> Delivery:
        """Push a commit and give GitHub's `check_suite` delivery of it."""
        sha = await self.github.push(REPOSITORY, files, branch=branch, message=f"A change of {branch}")
        await self.github.settled()
        for delivery in reversed(self.github.deliveries.sent):
            if delivery.event == "check_suite" and delivery.payload["check_suite"]["head_sha"] == sha:
                return delivery
        raise LookupError(f"the push of {branch} made no check suite")


@asynccontextmanager
async def fakes(folder: Path, *, engine: bool) -> AsyncIterator[Fakes]:
    """Run GitHub and cluster until the block ends; without an engine, workflows stay as they were submitted."""
    app = new_app()
    (folder / "key.pem").write_text(app.private_key or "")
    (folder / "secret").write_text(SECRET)
    (folder / "settings.yaml").write_text(SETTINGS)
    async with AsyncExitStack() as stack:
        github = await stack.enter_async_context(
            LocalGitHub(folder / "repositories", app=app, webhook_secret=SECRET)
        )
        cluster = LocalCluster(namespaces=(NAMESPACE,))
        await stack.enter_async_context(cluster.serving())
        cluster.write_kubeconfig(folder / "kubeconfig")
        if engine:
            await stack.enter_async_context(Engine(cluster.objects, folder=folder / "pods"))
        await github.create_repository(REPOSITORY)
        yield Fakes(github, cluster, folder)


def ci_files(example: str) -> dict[str, str]:
    """Read the CI folder of an example project: text by path within the folder."""
    return {
        path.removeprefix(".kube-ci/"): content.decode()
        for path, content in load_example(example).files.items()
        if path.startswith(".kube-ci/") and isinstance(content, bytes)
    }
