"""Build the adapters out of the options: GitHub, the cluster, argo-server, what definitions load from."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache

import httpx

from kubeci.cluster.argo_server import ArgoServer
from kubeci.cluster.argo_server_http import trusting
from kubeci.cluster.claims import ClusterClaims
from kubeci.cluster.client import Client
from kubeci.cluster.connect import connect
from kubeci.cluster.logs import ClusterPodLogs
from kubeci.cluster.workflows import ArgoWorkflows
from kubeci.definition.module_reader import ModuleSources
from kubeci.fetch.web import HTTPS_PORT, FetchLimits, Reach, WebModules
from kubeci.github.app import Credentials, GitHubApp
from kubeci.github.checks import GitHubChecks
from kubeci.github.commits import GitHubCommits
from kubeci.github.connection import Endpoint
from kubeci.github.contents import GitHubContents
from kubeci.github.conversation import GitHubConversation
from kubeci.github.deployments import GitHubDeployments
from kubeci.github.limits import THE_APP
from kubeci.github.modules import GitHubModules
from kubeci.github.people import GitHubPeople
from kubeci.github.pulls import GitHubPullRequests
from kubeci.github.repositories import GitHubRepositories
from kubeci.model.report import Budget
from kubeci.service.rooms import ClusterRooms, GitHubRooms
from kubeci.settings.config import Config
from kubeci.settings.options import Options
from kubeci.telemetry import Metrics
from kubeci.tracing import called


@dataclass(frozen=True, slots=True)
class Patience:
    """How long we wait for GitHub: for an answer, before each repetition, and where a limit names no time."""

    answer_seconds: float = 20.0
    pauses: tuple[float, ...] = (0.3, 1.5)
    limit_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the adapters are built from; without `trust_env` no proxy of the environment is used."""

    options: Options
    config: Config
    patience: Patience = field(default_factory=Patience)
    trust_env: bool = True


@cache
def _tls(trust_env: bool) -> ssl.SSLContext:  # noqa: FBT001 - the name of the thing that it is cached by
    """Give the certificates that GitHub and argo-server are held to: they are read once, as that takes a while."""
    return httpx.create_ssl_context(trust_env=trust_env)


@cache
def _system_tls() -> ssl.SSLContext:
    """Give the certificates of the machine, for what definitions load from the web."""
    return ssl.create_default_context()


@asynccontextmanager
async def enter_github(around: Surroundings, metrics: Metrics) -> AsyncIterator[GitHubApp]:
    """Give our App at GitHub for the life of the process; its requests are counted."""
    options, patience = around.options, around.patience

    def heard(method: str, route: str, status: int, seconds: float) -> None:
        metrics.github_requests.labels(method, route, str(status)).observe(seconds)
        called("GitHub", f"{method} {route}", status, seconds)

    def limited(caller: int, api: str, budget: Budget, until: float) -> None:
        labels = "app" if caller == THE_APP else str(caller), api
        metrics.github_budget_remaining.labels(*labels).set(budget.remaining)
        metrics.github_budget_limit.labels(*labels).set(budget.limit)
        metrics.github_limited_until.labels(*labels).set(until)

    endpoint = Endpoint(
        options.github_url,
        trust_env=around.trust_env,
        answer_seconds=patience.answer_seconds,
        pauses=patience.pauses,
        limit_seconds=patience.limit_seconds,
        tls=_tls(around.trust_env),
    )
    credentials = Credentials(options.app_id, options.private_key)
    async with GitHubApp(credentials, endpoint, on_request=heard, on_limit=limited) as app:
        yield app


def github_rooms(app: GitHubApp, config: Config) -> GitHubRooms:
    """Give GitHub as the use cases see it."""
    return GitHubRooms(
        commits=GitHubCommits(app),
        checks=GitHubChecks(app),
        people=GitHubPeople(app),
        repositories=GitHubRepositories(app, default_installation=config.api.default_install_id),
        pull_requests=GitHubPullRequests(app),
        conversation=GitHubConversation(app),
        contents=GitHubContents(app),
        deployments=GitHubDeployments(app),
    )


def enter_cluster(around: Surroundings) -> AbstractAsyncContextManager[Client]:
    """Connect to the cluster for the life of the process."""
    options = around.options
    kubeconfig = str(options.kubeconfig) if options.kubeconfig else ""

    def heard(method: str, route: str, status: int, seconds: float) -> None:
        called("cluster", f"{method} {route}", status, seconds)

    return connect(
        kubeconfig=kubeconfig,
        master=options.kubernetes_url,
        trust_env=around.trust_env,
        on_request=heard,
    )


@asynccontextmanager
async def cluster_rooms(client: Client, around: Surroundings) -> AsyncIterator[ClusterRooms]:
    """Give the cluster as the use cases see it, with argo-server where one is configured."""
    options = around.options
    argo = None
    if options.argo_server:
        tls = trusting(options.argo_ca) if options.argo_ca else _tls(around.trust_env)
        argo = ArgoServer(options.argo_server, options.argo_token, trust_env=around.trust_env, tls=tls)
    try:
        yield ClusterRooms(ArgoWorkflows(client), ClusterPodLogs(client), ClusterClaims(client), argo, argo)
    finally:
        if argo:
            await argo.aclose()


def module_sources(app: GitHubApp, config: Config) -> ModuleSources:
    """Give where definitions may load modules from, besides their own commit."""
    limits = FetchLimits(ports=frozenset({HTTPS_PORT, *config.module_ports}))
    web = WebModules(limits, Reach(tls=_system_tls()))
    return ModuleSources(GitHubModules(app), web)
