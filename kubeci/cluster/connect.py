"""Where the cluster is and who we are to it: a kubeconfig file, an address, or the pod we run in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config.incluster_config import load_incluster_config
from kubernetes.aio.config.kube_config import load_kube_config

from kubeci.cluster.client import Client, OnRequest
from kubeci.errors import ConfigurationError


@asynccontextmanager
async def connect(
    *, kubeconfig: str = "", master: str = "", trust_env: bool = True, on_request: OnRequest | None = None
) -> AsyncIterator[Client]:
    """Open a client of the cluster until the block ends.

    `kubeconfig` is a file's path and `master` an address, which wins over the file's; with neither, it is the cluster
    we run in. With `trust_env`, proxies of the environment are honoured. Raises `ConfigurationError`.
    """
    configuration = Configuration(client_session_kwargs={"trust_env": trust_env})
    try:
        if kubeconfig:
            await load_kube_config(  # type: ignore[no-untyped-call]  # published without annotations
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
    async with ApiClient(configuration) as api:
        yield Client(api, on_request=on_request) if on_request else Client(api)
