"""One pod on this machine, from Pending to its end: claims, artifacts, the command, outputs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from kubeci.local.cluster.logs import LogBuffer
from kubeci.local.cluster.objects import DeleteOptions, Objects
from kubeci.local.cluster.resources import CLAIMS, PODS
from kubeci.local.cluster.status import ApiError
from kubeci.local.engine import artifacts, claims, pods
from kubeci.local.engine.isolation import Isolation, Work, command_for, prepare
from kubeci.local.engine.operation import CallError, PodRequest, PodState, text_of
from kubeci.local.engine.place import (
    PARAMETER_LIMIT,
    SCRIPT,
    TERMINATION_LIMIT,
    TERMINATION_LOG,
    Mount,
    Place,
    clean,
    output_paths,
    own_paths,
    room_paths,
)
from kubeci.local.engine.process import run
from kubeci.local.engine.times import format_time
from kubeci.local.engine.uninterrupted import uninterrupted
from kubeci.model.json import JsonObject

_RESULT_LIMIT = 256 * 1024
_INIT_EXIT_CODE = 64  # of argoexec, for whatever it cannot do


@dataclass(frozen=True, slots=True)
class Limits:
    """What the engine may use: pods that run at once, bytes of log kept of each, seconds between SIGTERM and SIGKILL."""

    pods_at_once: int = 4
    log_bytes: int = 4 * 1024 * 1024
    grace_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Machine:
    """What all pods share: the cluster's objects, the folder for theirs, how they are isolated, the room for them."""

    objects: Objects
    folder: Path
    clock: Callable[[], datetime]
    isolation: Isolation
    room: asyncio.Semaphore
    limits: Limits

    def now(self) -> str:
        """Give the time as Kubernetes writes it."""
        return format_time(self.clock())


@dataclass(slots=True)
class PodRun:
    """One pod. `report` is called with each new state; `run` returns when the last was given."""

    machine: Machine
    request: PodRequest
    pod: JsonObject
    report: Callable[[PodState], None]
    _state: PodState = field(default_factory=PodState)
    _started: str = ""
    _ended: bool = False

    async def run(self) -> None:
        """Bring the pod to its end; when cancelled, end it as a kubelet that was told to kill it."""
        place = Place(self.machine.folder / "pods" / self.pod["metadata"]["uid"])
        try:
            while not self._ended:
                await self._wait_for_claims()
                async with self.machine.room:
                    # A claim may have gone while there was no room. From here on, the pod holds it.
                    if not claims.obstacle(self.machine.objects, self.pod):
                        await self._run(place)
        except asyncio.CancelledError:
            self._killed()
            raise
        finally:
            await uninterrupted(asyncio.to_thread(artifacts.remove, place.folder))

    def _killed(self) -> None:
        """Write what becomes of a pod that is killed: one that never ran is gone."""
        if self._started:
            self._end(pods.End(143, self._started, self.machine.now()))
            return
        metadata = self.pod["metadata"]
        with suppress(ApiError):
            self.machine.objects.delete(
                PODS,
                metadata["namespace"],
                metadata["name"],
                DeleteOptions(uid=metadata["uid"], grace_seconds=0),
            )

    async def _wait_for_claims(self) -> None:
        async with aclosing(claims.obstacles(self.machine.objects, self.pod)) as obstacles:
            async for obstacle in obstacles:
                status = pods.unschedulable(obstacle, self.machine.now())
                self._write(status)
                self._tell(message=f"Unschedulable: {status['conditions'][0]['message']}")

    async def _run(self, place: Place) -> None:
        self._write(pods.initializing(self.pod, self.machine.now()), node=pods.NODE_NAME)
        claims.bind(self.machine.objects, self.pod)
        self._tell(message="PodInitializing", host=pods.NODE_NAME)
        try:
            place, work = await self._initialize(place)
        except (CallError, OSError) as error:
            now = self.machine.now()
            self._end(pods.End(_INIT_EXIT_CODE, now, now, str(error), of_init=True))
            message = pods.failure_message("init", _INIT_EXIT_CODE, str(error))
            self._tell(phase="Error", message=message, finished_at=now)
            return
        await self._main(place, work)

    async def _initialize(self, place: Place) -> tuple[Place, Work]:
        template = self.request.template
        main = template.get("container") or template.get("script") or {}
        place = replace(place, mounts=self._mounts(place, main.get("volumeMounts") or []))
        prepare(place)
        for artifact in (template.get("inputs") or {}).get("artifacts") or []:
            await artifacts.load(artifact, place)
        for path in output_paths(template):
            place.locate(path).parent.mkdir(parents=True, exist_ok=True)
        argv = [*main["command"], *(main.get("args") or [])]
        if template.get("script"):
            script = place.locate(SCRIPT)
            script.parent.mkdir(parents=True, exist_ok=True)
            script.write_text(main.get("source") or "")
            script.chmod(0o755)
            argv.append(SCRIPT)
        env = {one["name"]: text_of(one.get("value") or "") for one in main.get("env") or []}
        cwd = str(clean(main.get("workingDir") or "/"))
        own, room = own_paths(template, place.mounts), room_paths(template)
        return place, Work(tuple(map(text_of, argv)), env, cwd, own, room)

    def _mounts(self, place: Place, wanted: list[JsonObject]) -> tuple[Mount, ...]:
        sources = {volume["name"]: self._source(place, volume) for volume in self.pod["spec"]["volumes"]}
        mounts = []
        for mount in wanted:
            if mount["name"] not in sources:
                raise CallError(f'volumeMounts name "{mount["name"]}" not found')
            source = Place(sources[mount["name"]])
            folder = source.folder / str(clean("/" + (mount.get("subPath") or "")))[1:]
            folder.mkdir(parents=True, exist_ok=True)
            if not folder.resolve().is_relative_to(source.folder.resolve()):
                raise CallError(f"subPath '{mount['subPath']}' leads out of the volume")
            mounts.append(Mount(folder, str(clean(mount["mountPath"])), bool(mount.get("readOnly"))))
        return tuple(sorted(mounts, key=lambda one: one.path))

    def _source(self, place: Place, volume: JsonObject) -> Path:
        folder: Path = place.folder / "volumes" / volume["name"]
        if claim := volume.get("persistentVolumeClaim"):
            found = self.machine.objects.get(CLAIMS, self.pod["metadata"]["namespace"], claim["claimName"])
            folder = claims.claim_folder(self.machine.folder, found)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    async def _main(self, place: Place, work: Work) -> None:
        metadata = self.pod["metadata"]
        log = self.machine.objects.logs[metadata["namespace"], metadata["name"], "main"] = LogBuffer(
            limit=self.machine.limits.log_bytes
        )
        result = bytearray()

        def write(chunk: bytes) -> None:
            log.append(chunk)
            if self.request.include_result and len(result) < _RESULT_LIMIT:
                result.extend(chunk[: _RESULT_LIMIT - len(result)])

        self._started = self.machine.now()
        self._write(pods.running(self.pod, self._started))
        self._tell(phase="Running", host=pods.NODE_NAME)
        try:
            command = command_for(self.machine.isolation, work, place)
            code = await run(
                command, write, seconds=self.request.deadline, grace_seconds=self.machine.limits.grace_seconds
            )
        except TimeoutError:
            self._late()
            return
        except OSError as error:
            code = _INIT_EXIT_CODE
            place.locate(TERMINATION_LOG).write_text(f"fork/exec {work.argv[0]}: {error.strerror}")
            log.append(f"fork/exec {work.argv[0]}: {error.strerror}\n".encode())
        finally:
            log.close()
        self._finish(place, code, result.decode(errors="replace").rstrip("\n"))

    def _late(self) -> None:
        now = self.machine.now()
        self._end(pods.End(143, self._started, now, reason="DeadlineExceeded", message=pods.DEADLINE_MESSAGE))
        self._tell(phase="Failed", message=pods.DEADLINE_MESSAGE, exit_code=143, finished_at=now)

    def _finish(self, place: Place, code: int, result: str) -> None:
        now = self.machine.now()
        said = (place.read(TERMINATION_LOG, TERMINATION_LIMIT) or "").strip()
        self._end(pods.End(code, self._started, now, said))
        outputs, missing = _outputs(self.request.template, place)
        phase, message = (
            ("Succeeded", "") if code == 0 else ("Failed", pods.failure_message("main", code, said))
        )
        if code == 0 and missing:
            phase, message = (
                "Error",
                pods.failure_message("wait", _INIT_EXIT_CODE, f"open {missing}: no such file or directory"),
            )
        self._tell(
            phase=phase,
            message=message,
            exit_code=code,
            finished_at=now,
            outputs=outputs,
            result=result if self.request.include_result else None,
        )

    def _end(self, end: pods.End) -> None:
        """Write the pod's end, once."""
        if not self._ended:
            self._ended = True
            self._write(pods.ended(self.pod, end))

    def _tell(self, **changes: object) -> None:
        self._state = replace(self._state, message="")
        self._state = replace(self._state, **changes)  # type: ignore[arg-type]  # the fields of PodState
        self.report(self._state)

    def _write(self, status: JsonObject, node: str = "") -> None:
        """Write the pod's status, as its kubelet; a pod that is gone stays gone."""
        metadata = self.pod["metadata"]
        patch: JsonObject = {
            "metadata": {"uid": metadata["uid"]},
            "status": {"reason": None, "message": None, **status},
        }
        if node:
            patch["spec"] = {"nodeName": node}
        with suppress(ApiError):
            if (
                self.machine.objects.get(PODS, metadata["namespace"], metadata["name"])["metadata"]["uid"]
                == metadata["uid"]
            ):
                self.machine.objects.merge_patch(PODS, metadata["namespace"], metadata["name"], patch)


def _outputs(template: JsonObject, place: Place) -> tuple[dict[str, str], str]:
    """Read the output parameters; give them, and the path of one that is missing."""
    outputs, missing = {}, ""
    for parameter in (template.get("outputs") or {}).get("parameters") or []:
        source = parameter.get("valueFrom") or {}
        value = place.read(source["path"], PARAMETER_LIMIT) if source.get("path") else None
        if value is not None:
            outputs[parameter["name"]] = value.removesuffix("\n")
        elif source.get("default") is not None:
            outputs[parameter["name"]] = text_of(source["default"])
        else:
            missing = str(source.get("path") or parameter["name"])
    return outputs, missing
