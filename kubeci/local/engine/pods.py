"""Pods as the controller makes them and a kubelet reports them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubeci.local.engine.operation import PodRequest
from kubeci.model.json import JsonObject

NODE_NAME = "local"
DEADLINE_MESSAGE = "Pod was active on the node longer than the specified deadline"
COMPLETED_LABEL = "workflows.argoproj.io/completed"
_ARGO = "workflows.argoproj.io"


def manifest(workflow: JsonObject, request: PodRequest) -> JsonObject:
    """Give the pod of a node, as the controller would create it (less what only argoexec needs)."""
    owner = workflow["metadata"]
    metadata = request.template.get("metadata") or {}
    of_all = workflow["spec"].get("podMetadata") or {}
    on_exit = {f"{_ARGO}/on-exit": "true"} if request.on_exit else {}
    main = request.template.get("container") or request.template.get("script") or {}
    spec: JsonObject = {
        "initContainers": [_executor("init")],
        "containers": [_executor("wait"), {**_container(main), "name": "main"}],
        "restartPolicy": "Never",
        "serviceAccountName": workflow["spec"].get("serviceAccountName") or "default",
        "volumes": _volumes(workflow, request.template, main),
    }
    if request.deadline is not None:
        spec["activeDeadlineSeconds"] = max(1, int(request.deadline))
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": request.pod_name,
            "labels": {
                **(of_all.get("labels") or {}),
                **(metadata.get("labels") or {}),
                **on_exit,
                COMPLETED_LABEL: "false",
                f"{_ARGO}/workflow": owner["name"],
            },
            "annotations": {
                "kubectl.kubernetes.io/default-container": "main",
                **(of_all.get("annotations") or {}),
                **(metadata.get("annotations") or {}),
                f"{_ARGO}/node-id": request.node_id,
                f"{_ARGO}/node-name": request.node_name,
            },
            "ownerReferences": [owner_reference(workflow)],
        },
        "spec": spec,
        "status": {"phase": "Pending", "qosClass": "BestEffort"},
    }


def _volumes(workflow: JsonObject, template: JsonObject, main: JsonObject) -> list[JsonObject]:
    """Give the volumes that the container mounts, those of the template first; a pod has no others."""
    known = [
        *(template.get("volumes") or []),
        *(workflow["spec"].get("volumes") or []),
        *(workflow["status"].get("persistentVolumeClaims") or []),
    ]
    names = dict.fromkeys(mount["name"] for mount in main.get("volumeMounts") or [])
    found = (next((one for one in known if one["name"] == name), None) for name in names)
    return [volume for volume in found if volume is not None]


def owner_reference(workflow: JsonObject) -> JsonObject:
    """Give the reference by which what a workflow made is deleted with it."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "name": workflow["metadata"]["name"],
        "uid": workflow["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _executor(name: str) -> JsonObject:
    return {"name": name, "image": "argoexec", "command": ["argoexec", name], "resources": {}}


def _container(main: JsonObject) -> JsonObject:
    kept = ("image", "command", "args", "env", "workingDir", "volumeMounts", "resources")
    return {key: main[key] for key in kept if main.get(key) is not None}


@dataclass(frozen=True, slots=True)
class End:
    """How a pod ended: `exit_code` of main (or of init, when main never began), `reason` and `message` of the pod itself."""

    exit_code: int
    started: str
    finished: str
    container_message: str = ""
    reason: str = ""
    message: str = ""
    of_init: bool = False


def unschedulable(obstacle: str, now: str) -> JsonObject:
    """Give the status of a pod that no node takes, since one of its claims is not there."""
    found = f"0/1 nodes are available: {obstacle}. not found"
    condition = {**_condition("PodScheduled", now, holds=False), "reason": "Unschedulable", "message": found}
    return {"phase": "Pending", "conditions": [condition], "qosClass": "BestEffort"}


def initializing(pod: JsonObject, now: str) -> JsonObject:
    """Give the status of a pod that loads its artifacts."""
    state: JsonObject = {"waiting": {"reason": "PodInitializing"}}
    return _status("Pending", pod, _conditions(now, ready=False), state, state)


def running(pod: JsonObject, started: str) -> JsonObject:
    """Give the status of a pod whose containers run."""
    state: JsonObject = {"running": {"startedAt": started}}
    return _status("Running", pod, _conditions(started, ready=True), state, state) | {"startTime": started}


def ended(pod: JsonObject, end: End) -> JsonObject:
    """Give the status of a pod that ended."""
    phase = "Succeeded" if end.exit_code == 0 and not end.reason else "Failed"
    main: JsonObject = {"terminated": _terminated(end.exit_code, end, end.container_message)}
    wait: JsonObject = {"terminated": _terminated(0, end, "")}
    if end.of_init:
        main = wait = {"waiting": {"reason": "PodInitializing"}}
    status = _status(phase, pod, _conditions(end.finished, ready=False), wait, main)
    status["startTime"] = end.started
    if end.of_init:
        state = {"terminated": _terminated(end.exit_code, end, end.container_message)}
        status["initContainerStatuses"] = [_container_status("init", "argoexec", state)]
    if end.reason:
        status |= {"reason": end.reason, "message": end.message}
    return status


def failure_message(name: str, exit_code: int, message: str) -> str:
    """Give the node's message for a failed container, as the controller infers it."""
    return f"{name}: Error (exit code {exit_code})" + (f": {message}" if message else "")


def _terminated(exit_code: int, end: End, message: str) -> JsonObject:
    state: JsonObject = {
        "exitCode": exit_code,
        "reason": "Error" if exit_code else "Completed",
        "startedAt": end.started,
        "finishedAt": end.finished,
    }
    return {**state, "message": message} if message else state


def _status(
    phase: str, pod: JsonObject, conditions: list[JsonObject], wait: JsonObject, main: JsonObject
) -> JsonObject:
    image = pod["spec"]["containers"][1].get("image", "")
    return {
        "phase": phase,
        "conditions": conditions,
        "hostIP": "127.0.0.1",
        "containerStatuses": [
            _container_status("wait", "argoexec", wait),
            _container_status("main", image, main),
        ],
        "qosClass": "BestEffort",
    }


def _container_status(name: str, image: str, state: dict[str, Any]) -> JsonObject:
    runs = "running" in state
    return {
        "name": name,
        "state": state,
        "lastState": {},
        "ready": runs,
        "restartCount": 0,
        "image": image,
        "imageID": "",
        "started": runs,
    }


def _conditions(now: str, *, ready: bool) -> list[JsonObject]:
    return [
        _condition("Initialized", now, holds=True),
        _condition("Ready", now, holds=ready),
        _condition("ContainersReady", now, holds=ready),
        _condition("PodScheduled", now, holds=True),
    ]


def _condition(kind: str, now: str, *, holds: bool) -> JsonObject:
    return {"type": kind, "status": "True" if holds else "False", "lastTransitionTime": now}
