"""A template as a node: its inputs read, its variables replaced, and then what its kind asks for."""

from __future__ import annotations

from datetime import timedelta

from kubeci.local.engine import dag, retries, steps
from kubeci.local.engine.inputs import input_variables, with_inputs
from kubeci.local.engine.names import pod_name, pod_name_error
from kubeci.local.engine.nodes import Birth, fulfilled
from kubeci.local.engine.operation import Call, CallError, Operation, PodRequest, Waiting
from kubeci.local.engine.outputs import publish
from kubeci.local.engine.times import parse_time, seconds_of
from kubeci.local.engine.variables import Unresolved, resolve, substitute, tags
from kubeci.model.json import JsonObject

# Each level takes up to ten of Python's thousand frames; Argo's own limit is 100.
DEPTH_LIMIT = 32
NODE_LIMIT = 5000


def execute(operation: Operation, call: Call) -> JsonObject:
    """Bring the node of `call` as far as it goes now, and give it.

    Raises Waiting when there is no room for its pod, CallError when it cannot be called.
    """
    node = operation.nodes.get(call.node_name)
    if fulfilled(node):
        assert node is not None
        publish(operation, node)
        return node
    try:
        template = _prepared(operation, call)
    except CallError as error:
        _errored(operation, call, str(error))
        raise
    operation.depth += 1
    try:
        return _advance(operation, call, template)
    finally:
        operation.depth -= 1


def _advance(operation: Operation, call: Call, template: JsonObject) -> JsonObject:
    if _retries(call, template):
        return retries.run(operation, call, template, execute)
    if template.get("steps") is not None:
        return steps.run(operation, call, template, execute)
    if template.get("dag") is not None:
        return dag.run(operation, call, template, execute)
    if template.get("suspend") is not None:
        return _suspend(operation, call, template)
    return _pod(operation, call, template)


def _prepared(operation: Operation, call: Call) -> JsonObject:
    if operation.depth >= DEPTH_LIMIT:
        raise CallError(f"the local engine nests templates at most {DEPTH_LIMIT} deep; use a cluster for it")
    if len(operation.nodes.by_id) >= NODE_LIMIT:
        raise CallError(f"the local engine runs at most {NODE_LIMIT} nodes; use a cluster for it")
    template = operation.template(call.template)
    variables = operation.variables | dict(call.scope)
    template = with_inputs(template, call.arguments, variables)
    scope = variables | input_variables(template) | {"node.name": call.node_name}
    if _is_pod(template) and not _retries(call, template):
        scope["pod.name"] = pod_name(operation.name, call.node_name, template["name"])
        inputs = template["inputs"]
        try:
            template = resolve({**template, "inputs": {}}, scope)
        except Unresolved as error:
            raise CallError(str(error)) from error
        return {**template, "inputs": inputs}
    return substitute(template, scope)


def _retries(call: Call, template: JsonObject) -> bool:
    """Say whether this is the node of all attempts, not one of them."""
    return bool(template.get("retryStrategy")) and "retried" not in (call.flag or {})


def _is_pod(template: JsonObject) -> bool:
    return template.get("container") is not None or template.get("script") is not None


def _birth(call: Call, kind: str, template: JsonObject, **more: str) -> Birth:
    inputs = template.get("inputs") or {}
    return Birth(call.node_name, kind, call.template, call.boundary, flag=call.flag, inputs=inputs, **more)


def _errored(operation: Operation, call: Call, message: str) -> None:
    birth = Birth(call.node_name, "Pod", call.template, call.boundary, "Error", message, call.flag)
    operation.nodes.mark(operation.nodes.born(birth), "Error", message)


def _suspend(operation: Operation, call: Call, template: JsonObject) -> JsonObject:
    node = operation.nodes.born(_birth(call, "Suspend", template))
    if duration := template["suspend"].get("duration"):
        end = parse_time(node["startedAt"]) + timedelta(seconds=seconds_of(str(duration)))
        if end <= operation.now:
            return operation.nodes.mark(node, "Succeeded")
        operation.wake(end)
    return node


def _pod(operation: Operation, call: Call, template: JsonObject) -> JsonObject:
    nodes = operation.nodes
    if (known := nodes.get(call.node_name)) is not None:
        return known
    _check_room(operation, call)
    name = pod_name(operation.name, call.node_name, template["name"])
    if error := pod_name_error(name):
        nodes.born(_birth(call, "Pod", template, phase="Error", message=error))
        raise CallError(error)
    node = nodes.born(_birth(call, "Pod", template, phase="Pending"))
    if not operation.may_run(on_exit=call.on_exit):
        return nodes.mark(node, "Failed", f"workflow shutdown with strategy: {operation.shutdown}")
    deadline = _deadline(operation, call, template)
    if deadline is not None and deadline <= 0:
        return nodes.mark(node, "Failed", "Step exceeded its deadline")
    result = _result_is_used(operation, node)
    operation.requests.append(
        PodRequest(
            node["id"],
            call.node_name,
            name,
            template,
            deadline,
            include_result=result,
            on_exit=nodes.of_exit_handler(node),
        )
    )
    return node


def _check_room(operation: Operation, call: Call) -> None:
    """Keep to the workflow's `parallelism`, and to that of the template the node stands in."""
    active = [node for node in operation.nodes if node["type"] == "Pod" and not fulfilled(node)]
    limit = operation.spec.get("parallelism")
    if limit and len(active) >= int(limit):
        raise Waiting
    boundary = operation.nodes.by_id.get(call.boundary)
    if boundary and (name := boundary.get("templateName")):
        limit = operation.template(name).get("parallelism")
        if limit and sum(node.get("boundaryID") == call.boundary for node in active) >= int(limit):
            raise Waiting


def _deadline(operation: Operation, call: Call, template: JsonObject) -> float | None:
    seconds = [float(template["activeDeadlineSeconds"])] if template.get("activeDeadlineSeconds") else []
    if operation.spec.get("activeDeadlineSeconds") is not None and not call.on_exit:
        started = parse_time(operation.workflow["status"]["startedAt"])
        spent = (operation.now - started).total_seconds()
        seconds.append(float(operation.spec["activeDeadlineSeconds"]) - spent)
    return min(seconds, default=None)


def _result_is_used(operation: Operation, node: JsonObject) -> bool:
    """Say whether some step reads this one's output, which is when the executor keeps it."""
    name = node["displayName"].partition("(")[0]
    wanted = {f"steps.{name}.outputs.result", f"tasks.{name}.outputs.result"}
    return not wanted.isdisjoint(tags(operation.spec.get("templates")))
