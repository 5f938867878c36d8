"""A `steps` template: groups one after another, the steps of a group side by side."""

from __future__ import annotations

from kubeci.local.engine.items import LoopError, expand, is_loop
from kubeci.local.engine.nodes import Birth, failed, fulfilled
from kubeci.local.engine.operation import Call, CallError, Execute, Operation, Waiting
from kubeci.local.engine.outputs import loop_variables, node_variables, publish, template_outputs
from kubeci.local.engine.variables import substitute
from kubeci.local.engine.when import WhenError, should_execute
from kubeci.model.json import JsonObject


def run(operation: Operation, call: Call, template: JsonObject, execute: Execute) -> JsonObject:
    """Bring a Steps node as far as it goes now, and give it."""
    nodes = operation.nodes
    inputs = template.get("inputs") or {}
    node = nodes.born(
        Birth(call.node_name, "Steps", call.template, call.boundary, flag=call.flag, inputs=inputs)
    )
    variables: dict[str, str] = {}
    for number, group in enumerate(template["steps"]):
        group_node = _group_node(operation, node, number)
        if not fulfilled(group_node):
            _run_group(operation, _Group(call, group, group_node, variables, node), execute)
        if not fulfilled(group_node):
            return node
        if failed(group_node):
            _end_outbound(operation, node, number)
            return nodes.mark(node, "Failed", group_node.get("message", ""))
        variables |= _group_variables(operation, group, group_node)
    _end_outbound(operation, node, len(template["steps"]) - 1)
    if outputs := template_outputs(template, operation.variables | variables):
        node["outputs"] = outputs
        publish(operation, node)
    return nodes.mark(node, "Succeeded")


class _Group:
    """One group of steps while it runs: its steps with variables replaced and loops expanded."""

    def __init__(
        self,
        call: Call,
        steps: list[JsonObject],
        node: JsonObject,
        variables: dict[str, str],
        parent: JsonObject,
    ) -> None:
        self.call = call
        self.steps = steps
        self.node = node
        self.variables = variables
        self.parent = parent


def _group_node(operation: Operation, node: JsonObject, number: int) -> JsonObject:
    nodes = operation.nodes
    name = f"{node['name']}[{number}]"
    group = nodes.born(Birth(name, "StepGroup", boundary=node["id"], flag={}))
    if number == 0:
        nodes.join(node, group)
        return group
    before = nodes.named(f"{node['name']}[{number - 1}]")
    # A group without steps has the next group as its child.
    children = [child for child in nodes.children(before) if child is not group]
    ends = [end for child in children for end in nodes.outbound(child)]
    for end in ends or [before["id"]]:
        nodes.join(nodes.by_id[end], group)
    return group


def _run_group(operation: Operation, group: _Group, execute: Execute) -> None:
    nodes = operation.nodes
    try:
        steps = _resolved(operation, group)
    except WhenError as error:
        nodes.mark(group.node, "Error", f"failed to resolve references: {error}")
        return
    except LoopError as error:
        nodes.mark(group.node, "Error", str(error))
        return
    for step in steps:
        name = f"{group.node['name']}.{step['name']}"
        try:
            child = _run_step(operation, group, step, execute)
        except Waiting:
            continue
        except CallError as error:
            if (errored := nodes.get(name)) is not None:
                nodes.join(group.node, errored)
            nodes.mark(group.node, "Error", f"step group deemed errored due to child {name} error: {error}")
            return
        nodes.join(group.node, child)
    _end_group(operation, group, steps)


def _resolved(operation: Operation, group: _Group) -> list[JsonObject]:
    resolved: list[JsonObject] = []
    for step in substitute(group.steps, operation.variables | group.variables):
        if not is_loop(step):
            should_execute(step.get("when") or "")
        expanded = expand(step) if is_loop(step) else [step]
        resolved.extend(expanded)
        if not expanded:
            birth = _skipped(group, step, "Skipped", "Skipped, empty params")
            operation.nodes.join(group.node, operation.nodes.born(birth))
    return resolved


def _run_step(operation: Operation, group: _Group, step: JsonObject, execute: Execute) -> JsonObject:
    name = f"{group.node['name']}.{step['name']}"
    if operation.nodes.get(name) is None:
        when = step.get("when") or ""
        try:
            if not should_execute(when):
                return operation.nodes.born(
                    _skipped(group, step, "Skipped", f"when '{when}' evaluated false")
                )
        except WhenError as error:
            return operation.nodes.born(_skipped(group, step, "Error", str(error)))
    arguments = step.get("arguments") or {}
    return execute(
        operation, Call(name, step["template"], arguments, group.parent["id"], on_exit=group.call.on_exit)
    )


def _skipped(group: _Group, step: JsonObject, phase: str, message: str) -> Birth:
    name = f"{group.node['name']}.{step['name']}"
    return Birth(name, "Skipped", step["template"], group.parent["id"], phase, message, flag={})


def _end_group(operation: Operation, group: _Group, steps: list[JsonObject]) -> None:
    nodes = operation.nodes
    by_name = {f"{group.node['name']}.{step['name']}": step for step in steps}
    children = nodes.children(group.node)
    if not by_name.keys() <= {child["name"] for child in children} or not all(
        fulfilled(child) for child in children
    ):
        return
    for child in children:
        if failed(child) and not continues_on(by_name.get(child["name"], {}), child["phase"]):
            nodes.mark(group.node, "Failed", f"child '{child['id']}' failed")
            return
    nodes.mark(group.node, "Succeeded")


def continues_on(step: JsonObject, phase: str) -> bool:
    """Say whether `continueOn` of a step or task lets the workflow go on after this phase."""
    go_on = step.get("continueOn") or {}
    return bool(go_on.get({"Failed": "failed", "Error": "error"}.get(phase, "")))


def _group_variables(operation: Operation, group: list[JsonObject], group_node: JsonObject) -> dict[str, str]:
    nodes = operation.nodes
    variables: dict[str, str] = {}
    for step in group:
        name = f"{group_node['name']}.{step['name']}"
        if (child := nodes.get(name)) is not None:
            variables |= node_variables(f"steps.{step['name']}", child)
            continue
        looped = [child for child in nodes.children(group_node) if child["name"].startswith(f"{name}(")]
        variables |= loop_variables(f"steps.{step['name']}", looped)
    return variables


def _end_outbound(operation: Operation, node: JsonObject, number: int) -> None:
    nodes = operation.nodes
    last = nodes.get(f"{node['name']}[{number}]")
    ends = [end for child in (nodes.children(last) if last else []) for end in nodes.outbound(child)]
    if ends:
        node["outboundNodes"] = list(dict.fromkeys(ends))
