"""A node for tests, whose pods really run: their containers are processes of this machine.

It knows what Argo's executor needs, and no more: no images, no probes, no restarts, no `exec`, this machine's network.
Containers have mounts and processes of their own, so it needs root. Run by `control_plane.py`:

    python kubelet.py KUBECONFIG FOLDER PORT ARGOEXEC
"""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, TCPConnector, web
from api import Api
from pod import Machine, Pod

NODE = "processes"
HEARTBEAT_SECONDS = 10.0
PAUSE_SECONDS = 0.5
TAIL = 64 * 1024


class Kubelet:
    """The pods of this node."""

    def __init__(self, machine: Machine, port: int) -> None:
        self._machine = machine
        self._port = port
        self._pods: dict[str, Pod] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def register(self) -> None:
        """Make the node; only pods that tolerate its taint come here."""
        taint = {"key": "kubeci.test/pods", "value": NODE, "effect": "NoSchedule"}
        metadata = {"name": NODE, "labels": {"kubeci.test/pods": NODE, "kubernetes.io/hostname": NODE}}
        node = {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {"taints": [taint]}}
        await self._machine.api.call("POST", "/api/v1/nodes", node, fine=(409,))

    async def beat(self) -> None:
        """Say again and again that the node is ready."""
        room = {"cpu": "100", "memory": "100Gi", "pods": "1000"}
        while True:
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": now}
            status = {
                "conditions": [ready | {"lastTransitionTime": now}],
                "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": self._port}},
                "capacity": room,
                "allocatable": room,
            }
            await _kept_up(
                self._machine.api.call("PATCH", f"/api/v1/nodes/{NODE}/status", {"status": status})
            )
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def follow(self) -> None:
        """Take up the pods that are bound to this node, and end those that are deleted."""
        while True:
            await _kept_up(self._follow())
            await asyncio.sleep(PAUSE_SECONDS)

    async def _follow(self) -> None:
        async for event in self._machine.api.watch("/api/v1/pods", fieldSelector=f"spec.nodeName={NODE}"):
            if event["type"] in {"ADDED", "MODIFIED"}:
                self._look(event["object"])

    def _look(self, pod: Any) -> None:
        uid = pod["metadata"]["uid"]
        if uid not in self._pods and pod["status"].get("phase") == "Pending":
            self._pods[uid] = Pod(pod, self._machine)
            self._tasks[uid] = asyncio.create_task(_told(uid, self._pods[uid].run()))
        if pod["metadata"].get("deletionTimestamp") and f"{uid}/end" not in self._tasks:
            self._tasks[f"{uid}/end"] = asyncio.create_task(_told(uid, self._end(pod)))

    async def _end(self, pod: Any) -> None:
        """End a pod: SIGTERM, after its grace SIGKILL, then it is gone."""
        metadata = pod["metadata"]
        running = self._tasks.get(metadata["uid"])
        if running and not running.done():
            self._pods[metadata["uid"]].end()
            await asyncio.wait({running}, timeout=float(metadata.get("deletionGracePeriodSeconds", 30)))
            self._pods[metadata["uid"]].end(signal.SIGKILL)
            await asyncio.wait({running})
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        now = {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}}
        await self._machine.api.call("DELETE", path, now, fine=(404, 409))

    async def healthz(self, _: web.Request) -> web.Response:
        """Answer that it works."""
        return web.Response(text="ok")

    def kill(self) -> None:
        """End whatever runs."""
        for pod in self._pods.values():
            pod.end(signal.SIGKILL)

    async def log(self, request: web.Request) -> web.StreamResponse:
        """Serve a container's output, with `follow` until it ends."""
        names = request.match_info
        found = [
            pod
            for pod in self._pods.values()
            if (pod.object["metadata"]["namespace"], pod.object["metadata"]["name"])
            == (names["namespace"], names["pod"])
        ]
        if not found or not found[-1].log(names["container"]).exists():
            return web.Response(status=404, text="there is no such container\n")
        pod, container = found[-1], names["container"]
        response = web.StreamResponse()
        await response.prepare(request)
        async for chunk in self._read(pod, container, follow=request.query.get("follow") == "true"):
            await response.write(chunk)
        return response

    async def _read(self, pod: Pod, container: str, *, follow: bool) -> AsyncIterator[bytes]:
        with pod.log(container).open("rb") as file:
            while True:
                ended = "terminated" in pod.states.get(container, {})
                while chunk := file.read(TAIL):
                    yield chunk
                if ended or not follow:
                    return
                await asyncio.sleep(PAUSE_SECONDS / 5)


async def _told(uid: str, work: Any) -> None:
    try:
        await work
    except Exception as error:  # noqa: BLE001 - whatever it is, the other pods go on
        print(f"pod {uid}: {error!r}", flush=True)  # noqa: T201 - the log of this program


async def _kept_up(asked: Any) -> None:
    try:
        await asked
    except (ClientError, TimeoutError, OSError) as error:
        print(f"the API server is away: {error!r}", flush=True)  # noqa: T201 - the log of this program


async def main(config: Any, folder: Path, port: int, argoexec: Path) -> None:
    """Run until SIGTERM; `config` is the content of a kubeconfig."""
    cluster = config["clusters"][0]["cluster"]
    trusted = ssl.create_default_context(cafile=cluster["certificate-authority"])
    headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
    address = urlsplit(cluster["server"])
    async with ClientSession(
        cluster["server"], headers=headers, connector=TCPConnector(ssl=trusted)
    ) as session:
        machine = Machine(
            folder / "pods", Api(session), address.hostname or "", address.port or 443, argoexec
        )
        kubelet = Kubelet(machine, port)
        await kubelet.register()
        own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        own.load_cert_chain(folder / "server.crt", folder / "server.key")
        app = web.Application()
        app.router.add_get("/healthz", kubelet.healthz)
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", kubelet.log)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=own).start()
        work = [asyncio.create_task(kubelet.beat()), asyncio.create_task(kubelet.follow())]
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await stop.wait()
        for task in work:
            task.cancel()
        kubelet.kill()
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(
        main(
            json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
        )
    )
