"""What is looked at, and what several checks share of it."""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache

import httpx

from kubeci.assembly.adapters import Surroundings, enter_cluster
from kubeci.cluster import discovery
from kubeci.cluster.client import Client
from kubeci.doctor.check import Shared, SkippedError
from kubeci.github.app import Credentials, GitHubApp
from kubeci.github.app_look import AppLook, SeenApp
from kubeci.github.connection import Endpoint
from kubeci.settings.config import Config
from kubeci.settings.options import Options
from kubeci.web.pages.addresses import html_address

ANSWER_SECONDS = 6.0
NO_APP = "the App does not answer (see GitHub App)"
NO_CLUSTER = "the cluster does not answer (see cluster)"
WORKFLOWS = "workflows"
NO_ARGO = "the cluster does not know Argo's kinds (see Argo)"


@dataclass(frozen=True, slots=True)
class Subject:
    """An installation: its options and settings as far as they could be read, and how they are looked at.

    `problems` are what is wrong with options and files, `unread` the options that stand empty because of it; `as_user`
    is whose rights are asked for, "" our own; `now` gives epoch seconds.
    """

    options: Options
    config: Config
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    unread: frozenset[str] = frozenset()
    as_user: str = ""
    trust_env: bool = True
    now: Callable[[], float] = time.time

    @property
    def namespace(self) -> str:
        """Give the namespace of the builds; raises `SkippedError` where the settings that name it could not be read."""
        self.need_settings()
        return self.config.namespace

    def need_settings(self) -> None:
        """Raise `SkippedError` where the settings file could not be read: the defaults may be none of its."""
        if "config" in self.unread:
            raise SkippedError("the settings file could not be read (see settings)")

    @property
    def tls(self) -> ssl.SSLContext:
        """Give the certificates that GitHub and argo-server are held to."""
        return _tls(self.trust_env)

    @property
    def endpoint(self) -> Endpoint:
        """Give where GitHub is, for one who does not wait for long."""
        return Endpoint(
            self.options.github_url,
            trust_env=self.trust_env,
            answer_seconds=ANSWER_SECONDS,
            pauses=(0.5,),
            tls=self.tls,
        )

    @property
    def github(self) -> str:
        """Give the address of GitHub's pages."""
        return html_address(self.options.github_url)


@dataclass(frozen=True, slots=True)
class SeenCluster:
    """A cluster that answers and knows who we are."""

    version: discovery.Version
    argo_kinds: frozenset[str]
    """Resources of `argoproj.io/v1alpha1`; empty when the cluster does not know the group."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What checks share while they run."""

    subject: Subject
    github: Shared[AppLook]
    app: Shared[SeenApp]
    client: Shared[Client]
    cluster: Shared[SeenCluster]

    async def argo(self) -> Client:
        """Give the client, for checks of what only a cluster with Argo has; raises `SkippedError`."""
        seen = await self.cluster.needed(NO_CLUSTER)
        if WORKFLOWS not in seen.argo_kinds:
            raise SkippedError(NO_ARGO)
        return await self.client.get()


@asynccontextmanager
async def looking(subject: Subject) -> AsyncIterator[Looked]:
    """Open what is looked through, each when a check first asks for it, until the block ends."""
    async with AsyncExitStack() as stack:

        async def github() -> AppLook:
            missing = subject.unread & {"github.appid", "keyfile", "github-url"}
            if missing:
                raise SkippedError(f"{_named(missing)} could not be read (see settings)")
            credentials = Credentials(subject.options.app_id, subject.options.private_key)
            app = GitHubApp(credentials, subject.endpoint)
            return AppLook(await stack.enter_async_context(app))

        async def app() -> SeenApp:
            return await (await looked.github.get()).app()

        async def client() -> Client:
            around = Surroundings(subject.options, subject.config, trust_env=subject.trust_env)
            return await stack.enter_async_context(enter_cluster(around))

        async def cluster() -> SeenCluster:
            reached = await looked.client.get()
            return SeenCluster(await discovery.version(reached), await discovery.argo_kinds(reached))

        looked = Looked(subject, Shared(github), Shared(app), Shared(client), Shared(cluster))
        try:
            yield looked
        finally:
            for shared in (looked.cluster, looked.client, looked.app, looked.github):
                await shared.aclose()


@cache
def _tls(trust_env: bool) -> ssl.SSLContext:  # noqa: FBT001 - the name of the thing that it is cached by
    return httpx.create_ssl_context(trust_env=trust_env)


def _named(options: frozenset[str]) -> str:
    return " and ".join(f"--{name}" for name in sorted(options))
