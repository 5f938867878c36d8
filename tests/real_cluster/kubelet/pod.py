"""The way of a pod: its volumes, its init containers one after the other, its containers together, its status."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api import Api
from container import Container, Mount, Plan, start
from volumes import Object, field_of, prepare

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Machine:
    """What all pods of this kubelet share: where they live, how they reach the API server, Argo's executor."""

    folder: Path
    api: Api
    api_host: str
    api_port: int
    argoexec: Path


@dataclass(slots=True)
class Pod:
    """One pod, from its binding to this node to its end."""

    object: Object
    machine: Machine
    states: dict[str, Object] = field(default_factory=dict)
    running: dict[str, Container] = field(default_factory=dict)
    reason: str = ""

    @property
    def folder(self) -> Path:
        return self.machine.folder / self.object["metadata"]["uid"]

    def log(self, container: str) -> Path:
        """Give the file of a container's output."""
        return self.folder / f"{container}.log"

    async def run(self) -> None:
        """Run it to its end, telling the API server each change."""
        self.folder.mkdir(parents=True, exist_ok=True)
        spec = self.object["spec"]
        volumes = await prepare(self.object, self.folder / "volumes", self.machine.api)
        try:
            async with asyncio.timeout(spec.get("activeDeadlineSeconds")):
                for each in spec.get("initContainers", ()):
                    if await self._run(each, volumes):
                        break
                else:
                    async with asyncio.TaskGroup() as group:
                        for each in spec["containers"]:
                            group.create_task(self._run(each, volumes))
        except TimeoutError:
            self.reason = "DeadlineExceeded"
            self.end(signal.SIGKILL)
        await self._tell(ended=True)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Signal what runs, as a deletion does."""
        for container in self.running.values():
            container.signal(how)

    async def _run(self, container: Object, volumes: dict[str, Path]) -> int:
        name, began = container["name"], _now()
        message = self.folder / f"{name}.message"
        message.touch()
        mounts = [*_mounts(container, volumes), Mount(message, "/dev/termination-log")]
        if container["image"] == "argoexec":
            mounts.append(Mount(self.machine.argoexec, "/usr/local/bin/argoexec"))
        environment = await self._environment(container)
        command = [_expand(each, environment) for each in _command(container)]
        working_dir = container.get("workingDir", "/")
        plan = Plan(command, environment, mounts, working_dir, self.folder / f"{name}.root", self.log(name))
        process = self.running[name] = await start(plan)
        self.states[name] = {"running": {"startedAt": began}}
        await self._tell()
        code = await process.wait()
        del self.running[name]
        ended = {
            "exitCode": code,
            "reason": "Error" if code else "Completed",
            "startedAt": began,
            "finishedAt": _now(),
        }
        if text := message.read_text(errors="replace"):
            ended["message"] = text[:4096]
        self.states[name] = {"terminated": ended}
        await self._tell()
        return code

    async def _environment(self, container: Object) -> dict[str, str]:
        machine = self.machine
        found = {
            "PATH": PATH,
            "HOME": "/root",
            "HOSTNAME": self.object["metadata"]["name"],
            "KUBERNETES_SERVICE_HOST": machine.api_host,
            "KUBERNETES_SERVICE_PORT": str(machine.api_port),
        }
        for each in container.get("env", ()):
            source = each.get("valueFrom", {})
            if reference := source.get("fieldRef"):
                found[each["name"]] = field_of(self.object, reference["fieldPath"])
            else:
                found[each["name"]] = _expand(each.get("value", ""), found)
        return found

    async def _tell(self, *, ended: bool = False) -> None:
        """Write the status; a pod that is gone needs none."""
        metadata = self.object["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
        status = {**self._status(ended=ended), "hostIP": "127.0.0.1", "podIP": "127.0.0.1"}
        await self.machine.api.call(
            "PATCH", path, {"metadata": {"uid": metadata["uid"]}, "status": status}, fine=(404, 409, 422)
        )

    def _status(self, *, ended: bool) -> Object:
        spec = self.object["spec"]
        containers = list(self._container_statuses(spec["containers"]))
        initial = list(self._container_statuses(spec.get("initContainers", ())))
        codes = [each["state"].get("terminated", {}).get("exitCode", 1) for each in [*initial, *containers]]
        started = all("terminated" in each["state"] for each in initial)
        phase = "Running" if started else "Pending"
        if ended:
            phase = "Failed" if self.reason or any(codes) else "Succeeded"
        told: Object = {"phase": phase, "initContainerStatuses": initial, "containerStatuses": containers}
        kinds = {"Initialized": started, "Ready": phase == "Running", "ContainersReady": phase == "Running"}
        told["conditions"] = [
            {"type": kind, "status": str(true), "lastTransitionTime": _now()} for kind, true in kinds.items()
        ]
        return told | ({"reason": self.reason} if self.reason else {})

    def _container_statuses(self, containers: Any) -> Iterator[Object]:
        waiting = {"waiting": {"reason": "PodInitializing"}}
        for each in containers:
            state = self.states.get(each["name"], waiting)
            shared = {"name": each["name"], "image": each["image"], "imageID": "", "restartCount": 0}
            yield {**shared, "ready": "running" in state, "started": "running" in state, "state": state}


def _mounts(container: Object, volumes: dict[str, Path]) -> Iterator[Mount]:
    # The outer ones first: a mount may stand inside another.
    for each in sorted(container.get("volumeMounts", ()), key=lambda mount: len(mount["mountPath"])):
        source = volumes[each["name"]] / each.get("subPath", "")
        source.mkdir(parents=True, exist_ok=True)
        yield Mount(source, each["mountPath"])


def _command(container: Object) -> list[str]:
    command = [*container.get("command", ()), *container.get("args", ())]
    return command or [
        "sh",
        "-c",
        "echo 'the container has no command, and there are no images here'; exit 127",
    ]


def _expand(text: str, environment: dict[str, str]) -> str:
    return re.sub(r"\$\((\w+)\)", lambda found: environment.get(found[1], found[0]), text)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
