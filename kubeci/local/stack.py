"""A GitHub, a cluster with an engine, and the real server between them, all on loopback in this process."""

from __future__ import annotations

import atexit
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache
from pathlib import Path

from kubeci.app import Pace, Server, running
from kubeci.local.argo_server.server import argo_server
from kubeci.local.argo_ui import argo_ui
from kubeci.local.cluster.cluster import LocalCluster
from kubeci.local.engine.engine import Engine
from kubeci.local.github.auth import App, new_app
from kubeci.local.github.server import LocalGitHub
from kubeci.local.serving import serving
from kubeci.local.slack.server import LocalSlack
from kubeci.local.zygotes import KeptZygotes
from kubeci.settings.config import Config
from kubeci.settings.options import Options
from kubeci.settings.pattern import Pattern

WEBHOOK_SECRET = "it's a secret to nobody: it never leaves this machine"  # noqa: S105 - loopback only


# The local GitHub sends the check suite of a push right behind it.
LOCAL_PACE = Pace(push_wait_seconds=0.2)


@dataclass(frozen=True, slots=True)
class StackSettings:
    """What may be chosen of a local stack; `port` is that of the local GitHub, 0 a free one."""

    config: Config = field(default_factory=lambda: Config(build_branches=Pattern(".")))
    port: int = 0
    argo_server: bool = True
    """Without argo-server, failed builds are built anew rather than retried."""
    slack: bool = False
    """With a Slack whose channel is `builds`."""
    engine: bool = True
    """Without an engine, workflows stay as they were submitted, for tests to write their status."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the server works between, and the options that lead it there."""

    github: LocalGitHub
    cluster: LocalCluster
    engine: Engine | None
    slack: LocalSlack | None
    options: Options
    config: Config


@dataclass(frozen=True, slots=True)
class LocalStack(Surroundings):
    """The surroundings with a running server, for the demo and for tests to look into."""

    server: Server
    server_url: str


@cache
def _app() -> App:
    """Give the App of this process's stacks: tests start hundreds, and a key takes a while to be found."""
    return new_app()


@cache
def _zygotes() -> KeptZygotes:
    """Give the zygotes of this process's stacks, for the same reason; they end with it."""
    kept = KeptZygotes()
    atexit.register(kept.end)
    return kept


@asynccontextmanager
async def surroundings(folder: Path, settings: StackSettings | None = None) -> AsyncIterator[Surroundings]:
    """Run all but the server until the block ends; `folder` holds repositories, store and the pods' folders."""
    chosen = settings or StackSettings()
    app = _app()
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
        argo = None
        if chosen.argo_server and engine:
            argo = await stack.enter_async_context(argo_server(cluster.objects))
        slack = await stack.enter_async_context(LocalSlack()) if chosen.slack else None
        if slack:
            slack.add_channel("builds")
        options = Options(
            app_id=app.id,
            private_key=app.private_key or "",
            webhook_secret=WEBHOOK_SECRET.encode(),
            github_url=github.api_url,
            store_url=f"sqlite:///{folder / 'kubeci.db'}",
            kubeconfig=folder / "kubeconfig",
            argo_server=argo.url if argo else "",
            argo_token=argo.token if argo else "",
            argo_ui=await stack.enter_async_context(serving(argo_ui(cluster.objects))),
            slack_token=slack.token if slack else "",
            slack_secret=slack.signing_secret.encode() if slack else b"",
            slack_url=slack.api_url if slack else "",
            listen_host="127.0.0.1",
        )
        yield Surroundings(github, cluster, engine, slack, options, chosen.config)


@asynccontextmanager
async def with_server(
    around: Surroundings, *, clock: Callable[[], datetime] | None = None, pace: Pace | None = None
) -> AsyncIterator[LocalStack]:
    """Run the server between its surroundings until the block ends; it may be started again afterwards."""
    async with (
        running(
            around.options,
            around.config,
            trust_env=False,
            clock=clock,
            pace=pace or LOCAL_PACE,
            zygotes=_zygotes(),
        ) as server,
        serving(server.web) as url,
    ):
        around.github.webhook_url = f"{url}/webhooks/github"
        if around.slack:
            around.slack.request_url = f"{url}/webhooks/slack/cmd"
        parts = {each.name: getattr(around, each.name) for each in fields(Surroundings)}
        yield LocalStack(**parts, server=server, server_url=url)


@asynccontextmanager
async def local_stack(folder: Path, settings: StackSettings | None = None) -> AsyncIterator[LocalStack]:
    """Run everything until the block ends."""
    async with surroundings(folder, settings) as around, with_server(around) as stack:
        yield stack
