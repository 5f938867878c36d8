"""The pure core: a workflow, what its pods did, and the time, make the workflow's next status.

Level-triggered as Argo's controller is: everything known stands in `status.nodes`, so a pass may be repeated, and what
others write there (a resumed Suspend node, a retried workflow) is taken up as if the engine had written it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from kubeci.local.engine.copied import copied
from kubeci.local.engine.nodes import Nodes, failed, fulfilled
from kubeci.local.engine.operation import Call, CallError, Operation, PodRequest, PodState, Waiting, text_of
from kubeci.local.engine.outputs import pod_outputs
from kubeci.local.engine.refuse import refusal
from kubeci.local.engine.status import accept, begin, condition, finish, settle
from kubeci.local.engine.templates import execute
from kubeci.local.engine.times import format_time, parse_time
from kubeci.local.engine.validate import invalid
from kubeci.local.engine.variables import substitute
from kubeci.local.engine.workflow_variables import exit_variables, workflow_variables
from kubeci.model.json import JsonObject


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a pass decided: the workflow to write, pods to start and (by node id) to stop, when to look again."""

    workflow: JsonObject
    start: tuple[PodRequest, ...] = ()
    stop: tuple[str, ...] = ()
    wake_at: datetime | None = None


def operate(workflow: JsonObject, pods: Mapping[str, PodState], now: datetime) -> Outcome:
    """Bring a workflow that is not completed one pass forward.

    `pods` maps node ids to the state of their pods; a node that had a pod and is not in it lost it.
    """
    workflow = copied(workflow)
    status = workflow.setdefault("status", {})
    written = format_time(now)
    name: str = workflow["metadata"]["name"]
    nodes = Nodes(name, status.get("nodes") or {}, written)
    known = bool(status.get("phase"))
    if not known:
        begin(workflow, written)
        if end := _unfit(workflow):
            finish(workflow, *end, written)
            settle(workflow, nodes)
            return Outcome(workflow)
        accept(workflow)
    operation = Operation(workflow, pods, now, nodes, workflow_variables(workflow))
    _resolve_volumes(operation)
    _follow_pods(operation)
    stopped = _stop_nodes(operation)
    if known and not workflow["spec"].get("suspend"):
        running = any(node["type"] == "Pod" and node["phase"] == "Running" for node in nodes)
        condition(status, "PodRunning", holds=running)
    if not workflow["spec"].get("suspend") or operation.shutdown:
        _run(operation)
    settle(workflow, nodes)
    return Outcome(workflow, tuple(operation.requests), stopped, operation.wake_at)


def _unfit(workflow: JsonObject) -> tuple[str, str] | None:
    if message := invalid(workflow["spec"]):
        return "Failed", f"invalid spec: {message}"
    if message := refusal(workflow["spec"]):
        return "Error", message
    return None


def _resolve_volumes(operation: Operation) -> None:
    if volumes := operation.spec.get("volumes"):
        operation.spec["volumes"] = substitute(volumes, operation.variables)


def _follow_pods(operation: Operation) -> None:
    """Bring the Pod nodes to what their pods are."""
    for node in operation.nodes:
        if node["type"] == "Pod" and not fulfilled(node):
            state = operation.pods.get(node["id"])
            if state is None:
                operation.nodes.mark(node, "Error", "pod deleted")
            else:
                _follow_pod(operation, node, state)


def _follow_pod(operation: Operation, node: JsonObject, state: PodState) -> None:
    node.pop("message", None)
    if state.host:
        node["hostNodeName"] = state.host
    if state.phase not in {"Pending", "Running"}:
        template = operation.template(node["templateName"])
        if outputs := pod_outputs(template, state):
            node["outputs"] = outputs
        node["finishedAt"] = state.finished_at
        node["resourcesDuration"] = {"cpu": 0, "memory": 0}
    operation.nodes.mark(node, state.phase, state.message)


def _stop_nodes(operation: Operation) -> tuple[str, ...]:
    """Fail the nodes that the shutdown strategy or the deadline ends; give the ids of those whose pods must stop."""
    end = _deadline(operation)
    late = end is not None and end <= operation.now
    if end is not None and not late:
        operation.wake(end)
    stopped = []
    for node in operation.nodes:
        on_exit = operation.nodes.of_exit_handler(node)
        if fulfilled(node) or node["type"] not in {"Pod", "Suspend"}:
            continue
        if operation.shutdown and not operation.may_run(on_exit=on_exit):
            pod = node["type"] == "Pod"
            strategy = operation.shutdown
            message = (
                f"workflow shutdown with strategy:  {strategy}"
                if pod
                else f"Stopped with strategy '{strategy}'"
            )
        elif late and not on_exit and (node["type"] == "Suspend" or node["phase"] == "Pending"):
            message = "Step exceeded its deadline"
        else:
            continue
        operation.nodes.mark(node, "Failed", message)
        if node["type"] == "Pod":
            stopped.append(node["id"])
    return tuple(stopped)


def _deadline(operation: Operation) -> datetime | None:
    seconds = operation.spec.get("activeDeadlineSeconds")
    if seconds is None:
        return None
    return parse_time(operation.workflow["status"]["startedAt"]) + timedelta(seconds=float(seconds))


def _run(operation: Operation) -> None:
    spec, written = operation.spec, format_time(operation.now)
    try:
        root = execute(
            operation, Call(operation.name, text_of(spec["entrypoint"]), spec.get("arguments") or {})
        )
    except Waiting:
        return
    except CallError as error:
        finish(operation.workflow, "Error", f"error in entry template execution: {error}", written)
        return
    if not fulfilled(root):
        return
    phase = "Succeeded" if root["phase"] in {"Skipped", "Omitted"} else root["phase"]
    message = str(root.get("message", ""))
    if failed(root) and operation.shutdown:
        message = f"Stopped with strategy '{operation.shutdown}'"
    if spec.get("onExit") and operation.may_run(on_exit=True):
        handler = _run_exit_handler(operation, phase)
        if not fulfilled(handler):
            return
        if handler is not None and phase == "Succeeded" and failed(handler):
            phase, message = handler["phase"], str(handler.get("message", ""))
    finish(operation.workflow, phase, "" if phase == "Succeeded" else message, written)


def _run_exit_handler(operation: Operation, phase: str) -> JsonObject | None:
    operation.variables |= exit_variables(operation.workflow, phase, list(operation.nodes))
    name = f"{operation.name}.onExit"
    call = Call(
        name,
        operation.spec["onExit"],
        operation.spec.get("arguments") or {},
        on_exit=True,
        flag={"hooked": True},
    )
    try:
        return execute(operation, call)
    except Waiting:
        return None
    except CallError:
        return operation.nodes.get(name)
