"""Where the cluster is and who we are to it: a kubeconfig file, an address, or the pod we run in."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config.incluster_config import load_incluster_config
from kubernetes.aio.config.kube_config import load_kube_config, refresh_token

from kubeci.cluster.client import Client, OnRequest
from kubeci.cluster.no_proxy import is_direct
from kubeci.errors import ConfigurationError, UpstreamError

log = structlog.get_logger(__name__)

REFRESH_SECONDS = 60.0  # the loader asks a plugin again only when its token ends


@asynccontextmanager
async def connect(
    *,
    kubeconfig: str = "",
    master: str = "",
    trust_env: bool = True,
    on_request: OnRequest | None = None,
    refresh_seconds: float = REFRESH_SECONDS,
) -> AsyncIterator[Client]:
    """Open a client of the cluster until the block ends.

    `kubeconfig` is a file's path and `master` an address, which wins over the file's; with neither, it is the cluster
    we run in. With `trust_env`, proxies of the environment are honoured. Tokens that end are renewed, those of a
    kubeconfig's plugin every `refresh_seconds` when they are due. Raises `ConfigurationError`.
    """
    if kubeconfig and not await asyncio.to_thread(_is_there, kubeconfig):
        raise ConfigurationError(f"--kubeconfig {kubeconfig}: there is no such file")
    configuration = Configuration()
    loader: Any = None
    try:
        if kubeconfig:
            loader = await load_kube_config(  # type: ignore[no-untyped-call]  # published without annotations
                kubeconfig, client_configuration=configuration, persist_config=False
            )
        elif not master:
            load_incluster_config(configuration)  # type: ignore[no-untyped-call]  # likewise
    except Exception as error:
        # The loader raises whatever it meets in a file of another shape, TypeError and the YAML parser's own.
        where = f"kubeconfig {kubeconfig}" if kubeconfig else "this pod's service account"
        raise ConfigurationError(f"cannot reach a cluster by {where}: {error}") from error
    if master:
        configuration.host = master.rstrip("/")
    no_proxy = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    by_env = trust_env and not is_direct(configuration.host, no_proxy)
    stay = aiohttp.TraceConfig()
    stay.on_request_redirect.append(_refuse_redirect)
    configuration.client_session_kwargs = {"trust_env": by_env, "trace_configs": [stay]}
    async with AsyncExitStack() as stack:
        if loader is not None:
            refreshing = asyncio.create_task(_refresh(loader, configuration, refresh_seconds))
            stack.push_async_callback(_cancelled, refreshing)
        api = await stack.enter_async_context(ApiClient(configuration))
        yield Client(api, on_request=on_request) if on_request else Client(api)


async def _refuse_redirect(
    _session: aiohttp.ClientSession, _context: object, request: aiohttp.TraceRequestRedirectParams
) -> None:
    """Go nowhere that somebody else names: an API server answers itself."""
    status = request.response.status
    raise UpstreamError("the cluster answered with a redirect, which is not followed", status=status)


def _is_there(kubeconfig: str) -> bool:
    # As the loader reads it: several paths as in KUBECONFIG, of which some may be missing.
    return any(Path(each).expanduser().exists() for each in kubeconfig.split(os.pathsep) if each)


async def _refresh(loader: Any, configuration: Configuration, seconds: float) -> None:
    """Keep the token of a kubeconfig's plugin fresh; without a plugin this ends at once."""
    while True:
        try:
            await refresh_token(loader, configuration, interval=seconds)  # type: ignore[no-untyped-call]  # likewise
        except Exception as error:  # noqa: BLE001 - a plugin that fails now may work the next time
            log.warning("the kubeconfig's plugin gave no token", error=str(error)[:500])
        else:
            return


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
