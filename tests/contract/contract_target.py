"""The two clusters that must answer alike: the local one with its engine, and a real one with Argo's controller."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from kubeci.local.cluster.cluster import LocalCluster
from kubeci.local.cluster.history import History
from kubeci.local.cluster.objects import Objects
from kubeci.local.engine.engine import Engine
from kubeci.local.engine.runner import Limits

if TYPE_CHECKING:
    from given_cluster import RealCluster

T = TypeVar("T")
PATIENCE_SECONDS = 60.0
LOCAL_NAMESPACE = "local-builds"
LOCAL_VERSION = 1000  # a cluster has a past: the versions of before are gone


@dataclass(frozen=True, slots=True)
class Target:
    """A cluster as an admin sees it; `http` speaks to its API server, `namespace` is where the tests work."""

    http: httpx.Client
    local: bool
    namespace: str
    nonce: str = field(default_factory=lambda: "".join(secrets.choice("bcdfghjkm") for _ in range(6)))
    """Tells what this run creates from what others did; each test adds a name of its own."""

    @property
    def workflows(self) -> str:
        """Give the path of the workflows."""
        return f"/apis/argoproj.io/v1alpha1/namespaces/{self.namespace}/workflows"

    @property
    def pods(self) -> str:
        """Give the path of the pods."""
        return f"/api/v1/namespaces/{self.namespace}/pods"

    def got(self, path: str, **query: str) -> Any:
        """Get what must be there."""
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


def eventually(ask: Callable[[], T | None], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """Ask until there is an answer."""
    deadline = time.monotonic() + seconds
    while (found := ask()) is None:
        assert time.monotonic() < deadline, f"no {what} after {seconds:g} s"
        time.sleep(0.05)
    return found


@contextmanager
def local_target(folder: Path, *, controlled: bool) -> Iterator[Target]:
    """Run the local cluster, with its engine where it is to be `controlled`, in a thread until the block ends."""
    objects = Objects(history=History(LOCAL_VERSION))
    cluster = LocalCluster(
        namespaces=(LOCAL_NAMESPACE,),
        objects=objects,
        future_wait_seconds=0.05,
        storage_classes={"standard": True},
    )
    ready, done = threading.Event(), threading.Event()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(cluster.serving())
            if controlled:
                limits = Limits(pods_at_once=8, grace_seconds=0.5)
                # What is said of a step is the same in namespaces (test_engine_recordings), which take 20 ms each.
                engine = Engine(objects, folder=folder, isolation="process", limits=limits)
                await stack.enter_async_context(engine)
            ready.set()
            await asyncio.to_thread(done.wait)

    with ThreadPoolExecutor(max_workers=1) as thread:
        running = thread.submit(asyncio.run, serve())
        try:
            while not ready.wait(0.05):
                if running.done():
                    running.result()
            headers = {"Authorization": f"Bearer {cluster.admin.token}"}
            with httpx.Client(base_url=cluster.url, headers=headers, timeout=20) as http:
                yield Target(http, local=True, namespace=LOCAL_NAMESPACE)
        finally:
            done.set()
            running.result()


@contextmanager
def real_target(cluster: RealCluster, folder: Path, *, controlled: bool) -> Iterator[Target]:
    """Lend a real cluster; where it is not `controlled`, a namespace that Argo's controller does not watch."""
    view = json.loads(cluster.kubectl("config", "view", "--raw", "--minify", "--flatten", "--output=json"))
    where, who = view["clusters"][0]["cluster"], view["users"][0]["user"]
    headers = {"Authorization": f"Bearer {who['token']}"} if "token" in who else {}
    trust = _trust(where, who, folder)
    with httpx.Client(base_url=where["server"], headers=headers, verify=trust, timeout=20) as http:
        if controlled:
            yield Target(http, local=False, namespace=cluster.namespace)
            return
        target = Target(http, local=False, namespace=f"contract-{secrets.token_hex(3)}")
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": target.namespace}}
        assert http.post("/api/v1/namespaces", json=space).status_code == 201
        account = f"/api/v1/namespaces/{target.namespace}/serviceaccounts/default"
        eventually(lambda: http.get(account).status_code == 200 or None, account)
        try:
            yield target
        finally:
            http.delete(f"/api/v1/namespaces/{target.namespace}")


def _trust(where: Any, who: Any, folder: Path) -> ssl.SSLContext:
    if "certificate-authority-data" in where:
        authority = base64.b64decode(where["certificate-authority-data"]).decode()
        context = ssl.create_default_context(cadata=authority)
    else:
        context = ssl.create_default_context(cafile=where.get("certificate-authority"))
    if "client-certificate-data" in who:
        pair = folder / "client.pem"
        pair.touch(mode=0o600)
        parts = ("client-certificate-data", "client-key-data")
        pair.write_bytes(b"\n".join(base64.b64decode(who[part]) for part in parts))
        context.load_cert_chain(pair)
    return context
