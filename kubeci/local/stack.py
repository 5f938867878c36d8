"""A GitHub, a cluster with an engine, and the real server between them, all on loopback in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kubeci.app import Server, running
from kubeci.local.argo_ui import argo_ui
from kubeci.local.cluster.cluster import LocalCluster
from kubeci.local.engine.engine import Engine
from kubeci.local.github.auth import new_app
from kubeci.local.github.server import LocalGitHub
from kubeci.local.serving import serving
from kubeci.settings.config import Config
from kubeci.settings.options import Options
from kubeci.settings.pattern import Pattern

WEBHOOK_SECRET = "it's a secret to nobody: it never leaves this machine"  # noqa: S105 - loopback only


@dataclass(frozen=True, slots=True)
class LocalStack:
    """The running parts, for the demo and for tests to look into."""

    github: LocalGitHub
    cluster: LocalCluster
    engine: Engine | None
    server: Server
    server_url: str
    options: Options


@dataclass(frozen=True, slots=True)
class StackSettings:
    """What may be chosen of a local stack; `port` is that of the local GitHub, 0 a free one."""

    config: Config = field(default_factory=lambda: Config(build_branches=Pattern(".")))
    port: int = 0
    engine: bool = True
    """Without an engine, workflows stay as they were submitted, for tests to write their status."""


@asynccontextmanager
async def local_stack(folder: Path, settings: StackSettings | None = None) -> AsyncIterator[LocalStack]:
    """Run everything until the block ends; `folder` holds repositories, store and the pods' folders."""
    chosen = settings or StackSettings()
    app = new_app()
    async with AsyncExitStack() as stack:
        github = await stack.enter_async_context(
            LocalGitHub(folder / "repositories", app=app, webhook_secret=WEBHOOK_SECRET, port=chosen.port)
        )
        cluster = LocalCluster(namespaces=(chosen.config.namespace,))
        await stack.enter_async_context(cluster.serving())
        cluster.write_kubeconfig(folder / "kubeconfig")
        engine = None
        if chosen.engine:
            engine = await stack.enter_async_context(Engine(cluster.objects, folder=folder / "pods"))
        pages = await stack.enter_async_context(serving(argo_ui(cluster.objects)))
        options = Options(
            app_id=app.id,
            private_key=app.private_key or "",
            webhook_secret=WEBHOOK_SECRET.encode(),
            github_url=github.api_url,
            store_url=f"sqlite:///{folder / 'kubeci.db'}",
            kubeconfig=folder / "kubeconfig",
            argo_ui=pages,
        )
        server = await stack.enter_async_context(running(options, chosen.config, trust_env=False))
        server_url = await stack.enter_async_context(serving(server.web))
        github.webhook_url = f"{server_url}/webhooks/github"
        yield LocalStack(github, cluster, engine, server, server_url, options)
