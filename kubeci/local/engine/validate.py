"""What Argo's controller answers to a spec that cannot run: `invalid spec: ...`, before any node is made."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from kubeci.local.engine.depends import DependsError, depends_of
from kubeci.local.engine.items import LOOP_FIELDS, is_loop
from kubeci.local.engine.references import unresolved
from kubeci.local.engine.variables import tags
from kubeci.model.json import JsonObject

KINDS = ("container", "script", "steps", "dag", "suspend")
# Kinds that Argo knows and the engine refuses by name; for Argo such a template is valid.
OTHER_KINDS = ("containerSet", "resource", "data", "http", "plugin")


def invalid(spec: JsonObject) -> str:
    """Say what makes a spec invalid, in the controller's words; empty when nothing does."""
    return next(_problems(spec), "")


def _problems(spec: JsonObject) -> Iterator[str]:
    if spec.get("workflowTemplateRef"):
        return
    if not spec.get("entrypoint"):
        yield "spec.entrypoint is required"
    templates: dict[str, JsonObject] = {}
    for index, template in enumerate(spec.get("templates") or []):
        name = template.get("name")
        if not name:
            yield f"spec.templates[{index}].name is required"
            return
        if name in templates:
            yield f"spec.templates[{index}].name '{name}' is not unique"
        templates[name] = template
    yield from _argument_problems(spec)
    for reference in filter(None, (spec.get("entrypoint"), spec.get("onExit"))):
        if reference not in templates:
            yield f"template name '{reference}' undefined"
    yield from _entrypoint_problems(spec, templates)
    for template in templates.values():
        yield from _template_problems(template, templates)
    yield from unresolved(spec, templates)


def _argument_problems(spec: JsonObject) -> Iterator[str]:
    for parameter in (spec.get("arguments") or {}).get("parameters") or []:
        if parameter.get("value") is None and not parameter.get("valueFrom"):
            name = f"spec.arguments.{parameter.get('name')}"
            yield f"{name}.value or {name}.valueFrom is required"


def _entrypoint_problems(spec: JsonObject, templates: dict[str, JsonObject]) -> Iterator[str]:
    given = {one.get("name") for one in (spec.get("arguments") or {}).get("parameters") or []}
    for name in filter(None, (spec.get("entrypoint"), spec.get("onExit"))):
        for parameter in _unsupplied(templates.get(name, {}), given):
            yield f"templates.{name} inputs.parameters.{parameter} was not supplied"


def _unsupplied(template: JsonObject, given: set[str | None]) -> Iterator[str]:
    """Give the parameters of a template that nothing supplies."""
    for parameter in (template.get("inputs") or {}).get("parameters") or []:
        has_value = any(parameter.get(key) is not None for key in ("value", "default", "valueFrom"))
        if parameter.get("name") not in given and not has_value:
            yield str(parameter.get("name"))


def _template_problems(template: JsonObject, templates: dict[str, JsonObject]) -> Iterator[str]:
    path = f"templates.{template['name']}"
    kinds = [kind for kind in (*KINDS, *OTHER_KINDS) if template.get(kind) is not None]
    if not kinds:
        yield f"template '{template['name']}' type is unknown"
    if len(kinds) > 1:
        yield f"{path} multiple template types specified. choose one of: {', '.join(kinds)}"
    for kind in ("container", "script"):
        if template.get(kind) is not None and not template[kind].get("image"):
            yield f"{path}.{kind}.image may not be empty"
    names: set[str] = set()
    for number, group in enumerate(template.get("steps") or []):
        for step in group:
            yield from _call_problems(f"{path}.steps[{number}]", step, templates)
            if step["name"] in names:
                yield f"{path}.steps[{number}].name '{step['name']}' is not unique"
            names.add(step["name"])
    tasks = (template.get("dag") or {}).get("tasks") or []
    yield from _dag_problems(path, template, tasks)
    for task in tasks:
        yield from _call_problems(f"{path}.tasks", task, templates)


def _call_problems(within: str, step: JsonObject, templates: dict[str, JsonObject]) -> Iterator[str]:
    if not step.get("name"):
        yield f"{within}.name is required"
        return
    path = f"{within}.{step['name']}"
    if step.get("templateRef") or step.get("inline"):
        return
    if not step.get("template"):
        yield f"{path} failed to get a template"
        return
    called = templates.get(step["template"])
    if called is None:
        yield f"{path} template name '{step['template']}' undefined"
        return
    given = {one.get("name") for one in (step.get("arguments") or {}).get("parameters") or []}
    for parameter in _unsupplied(called, given):
        yield f"{path} templates.{called['name']} inputs.parameters.{parameter} was not supplied"
    if sum(bool(step.get(field)) for field in LOOP_FIELDS) > 1:
        yield f"{path} only one of {', '.join(LOOP_FIELDS)} can be specified"


def _dag_problems(path: str, template: JsonObject, tasks: list[JsonObject]) -> Iterator[str]:
    names = [task.get("name") or "" for task in tasks]
    for name in names:
        if names.count(name) > 1:
            yield f"{path} sorting failed: duplicated nodeName {name}"
            return
    needs: dict[str, list[str]] = {}
    for name, task in zip(names, tasks, strict=True):
        if task.get("depends") and task.get("dependencies"):
            yield f"{path} cannot use both 'depends' and 'dependencies' in the same DAG template"
        try:
            needs[name] = depends_of(task).tasks
        except DependsError as error:
            yield f"{path}.tasks.{name} {error}"
            return
    yield from _order_problems(path, needs)
    for target in ((template.get("dag") or {}).get("target") or "").split():
        if target not in names:
            yield f"{path}.targets: target '{target}' is not defined"
            return
    yield from _dag_reference_problems(path, tasks, needs)


def _order_problems(path: str, needs: dict[str, list[str]]) -> Iterator[str]:
    for dependencies in needs.values():
        for dependency in dependencies:
            if dependency not in needs:
                yield f"{path} sorting failed: invalid dependency {dependency}"
                return
    if _has_cycle(needs):
        yield f"{path} sorting failed: graph with cycle"


def _has_cycle(needs: dict[str, list[str]]) -> bool:
    try:
        TopologicalSorter(needs).prepare()
    except CycleError:
        return True
    return False


def _dag_reference_problems(path: str, tasks: list[JsonObject], needs: dict[str, list[str]]) -> Iterator[str]:
    """Find conditions and references that a task cannot have, by what it depends on."""
    by_name = {task.get("name") or "": task for task in tasks}
    for name, task in by_name.items():
        for operand in depends_of(task).operands:
            if operand.result in {"AnySucceeded", "AllFailed"} and not is_loop(by_name[operand.task]):
                yield (
                    f"{path}.tasks.{operand.task} dependency '{operand.task}' uses an items-based condition such as "
                    ".AnySucceeded or .AllFailed but does not contain any items"
                )
        mentioned = [
            (parameter.get("name"), other)
            for parameter in (task.get("arguments") or {}).get("parameters") or []
            for tag in tags(parameter.get("value"))
            if tag.startswith("tasks.") and (other := tag.split(".")[1]) in by_name
        ]
        before = _before(name, needs) if mentioned else set()
        for parameter, other in mentioned:
            if other not in before:
                yield f"{path}.tasks.{name} missing dependency '{other}' for parameter '{parameter}'"


def _before(name: str, needs: dict[str, list[str]]) -> set[str]:
    """Give the tasks that a task waits for, also by way of others."""
    found: set[str] = set()
    stack = list(needs[name])
    while stack:
        if (one := stack.pop()) not in found:
            found.add(one)
            stack.extend(needs[one])
    return found
