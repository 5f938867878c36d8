"""The variables in `{{…}}`: that each is known where it stands, and that what is declared is used.

Expressions (`{{=…}}`) and tags that begin like nothing of Argo's are left alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any, Literal

from kubeci.workflow.check_order import Order
from kubeci.workflow.faults import Path
from kubeci.workflow.flaws import Flaw, quoted
from kubeci.workflow.outline import Call, Outline, Template, first_by_name
from kubeci.workflow.scope import (
    Judge,
    Unknown,
    inputs_judge,
    item_judge,
    judge_with,
    node_fault,
    workflow_judge,
)
from kubeci.workflow.tags import strings, tags

_NONE = Template("", (), {})


def variable_flaws(outline: Outline, given: frozenset[str]) -> Iterator[Flaw]:
    """Find variables that nothing gives; `given` are the parameters that every run gets."""
    workflow = workflow_judge(outline, given)
    for template in outline.templates:
        if "steps" in template.kinds:
            yield from _in_steps(template, outline, workflow)
        elif "dag" in template.kinds:
            yield from _in_dag(template, outline, workflow)
        else:
            where = f"the template {quoted(template.name)}"
            judge = judge_with(
                {"workflow": workflow, "inputs": inputs_judge(template), "item": _late_item}, where
            )
            yield from _unknown(template.body, template.path, judge)
    # The controller puts the workflow's own fields in as they are, so what is unknown fails only later.
    around = judge_with({"workflow": workflow}, "the workflow's own fields")
    for flaw in _unknown(
        outline.spec, ("spec",), around, without=("templates", "arguments", "templateDefaults", "hooks")
    ):
        if flaw.rule == "unknown-parameter":
            yield replace(flaw, severity="warning")


def _late_item(rest: str) -> Unknown | None:
    """Judge `item` where a container runs: the controller refuses its parts, and lets the bare word stand as it is."""
    message = "`{{item}}` is not known in a template; it is where the template is called"
    return Unknown(message, "give it as an argument", severity="error" if rest else "warning")


def _in_steps(template: Template, outline: Outline, workflow: Judge) -> Iterator[Flaw]:
    calls = first_by_name(template.calls)
    looped = False

    def from_step(call: Call | None) -> Judge:
        def judge(rest: str) -> Unknown | None:
            name, _, field = rest.partition(".")
            if rest.startswith("name"):
                return None
            if name not in calls:
                return Unknown(f"there is no step {quoted(name)} here", "", name, calls)
            found = calls[name]
            early = _too_early(call, found, field) if call else None
            return early or node_fault(found, field, outline)

        return judge

    for call in template.calls:
        if call.kind != "step":
            continue
        rules = {"workflow": workflow, "inputs": _inputs(template, call), "steps": from_step(call)}
        rules["item"] = item_judge(call, looped_before=looped)
        yield from _unknown(call.body, call.path, judge_with(rules, "a step"))
        looped = looped or call.loops
    rules = {"workflow": workflow, "inputs": inputs_judge(template), "steps": from_step(None)}
    yield from _unknown(
        template.body.get("outputs"), (*template.path, "outputs"), judge_with(rules, "a steps template")
    )


def _too_early(call: Call, used: Call, field: str) -> Unknown | None:
    """Say why a step cannot use what another gives, or itself: it is not there yet."""
    if used.path == call.path:
        if field == "status" or "exit" in _hook_names(call):
            return None
        return Unknown(f"the step {quoted(call.name)} uses what it gives itself", "only its `exit` hook can")
    later = used.path > call.path  # positions in the same template
    if used.group == call.group:
        # The controller looks at the steps of a group one after the other, though they run side by side.
        message = f"the step {quoted(used.name)} runs beside this one; what it gives is not there yet"
        return Unknown(message, "put it into a group before", severity="error" if later else "warning")
    return (
        Unknown(f"the step {quoted(used.name)} comes later", "put it into a group before") if later else None
    )


def _in_dag(template: Template, outline: Outline, workflow: Judge) -> Iterator[Flaw]:
    order = Order(template)

    def from_task(call: Call | None) -> Judge:
        def judge(rest: str) -> Unknown | None:
            name, _, field = rest.partition(".")
            if rest.startswith("name"):
                return None
            if name not in order.tasks:
                return Unknown(f"there is no task {quoted(name)} here", "", name, order.tasks)
            fault = node_fault(order.tasks[name], field, outline)
            if fault or call is None or (name == call.name and call.body.get("hooks")):
                return fault
            return None if order.is_before(name, call.name) else _not_before(name, field, order.tasks[name])

        return judge

    for call in template.calls:
        if call.kind != "task":
            continue
        rules = {"workflow": workflow, "inputs": _inputs(template, call), "item": item_judge(call)}
        rules["tasks"] = from_task(call)
        for flaw in _unknown(call.body, call.path, judge_with(rules, "a task")):
            yield _as_argument(flaw, call)
    rules = {"workflow": workflow, "inputs": inputs_judge(template), "tasks": from_task(None)}
    yield from _unknown(template.body.get("outputs"), (*template.path, "outputs"), judge_with(rules, "a DAG"))


def _not_before(name: str, field: str, task: Call) -> Unknown:
    # The controller knows the status of ancestors alone; the rest it lets pass, and fails when it is not there.
    severity: Literal["error", "warning"] = (
        "error" if field == "status" and not task.body.get("hooks") else "warning"
    )
    message = f"the task does not wait for {quoted(name)}, whose {quoted(field)} it uses"
    hint = f"add {quoted(name)} to its `depends` or `dependencies`"
    return Unknown(message, hint, severity=severity, rule="missing-dependency")


def _as_argument(flaw: Flaw, call: Call) -> Flaw:
    """Make a missing dependency an error where the controller refuses it: an argument that begins with the variable."""
    below = flaw.path[len(call.path) :]
    if flaw.rule != "missing-dependency" or below[0] != "arguments" or below[-1] not in {"value", "from"}:
        return flaw
    value: Any = call.body
    for step in below:
        value = value[step]
    return replace(flaw, severity="error") if str(value).startswith("{{tasks.") else flaw


def _inputs(template: Template, call: Call) -> Judge:
    inline = call.body.get("inline")
    return inputs_judge(template, Template("", (), inline) if isinstance(inline, dict) else _NONE)


def _hook_names(call: Call) -> Collection[str]:
    found = call.body.get("hooks")
    names = set(found) if isinstance(found, dict) else set()
    return names | {"exit"} if call.body.get("onExit") else names


def _unknown(value: Any, path: Path, judge: Judge, without: Collection[str] = ()) -> Iterator[Flaw]:
    for text, place in strings(value, path, without):
        for tag in tags(text):
            found = None if tag.startswith("=") else judge(tag)
            if found:
                yield Flaw(
                    found.rule, found.severity, place.path(), found.message, found.hint, found.wrong, found.known
                )  # fmt: skip
