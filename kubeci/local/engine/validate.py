"""What Argo's controller answers to a spec that cannot run: `invalid spec: ...`, before any node is made."""

from __future__ import annotations

from collections.abc import Iterator

from kubeci.local.engine.depends import DependsError, depends_of
from kubeci.local.engine.items import is_loop
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
            yield f"templates[{index}].name is required"
            return
        if name in templates:
            yield f"templates[{index}].name '{name}' is not unique"
        templates[name] = template
    yield from _argument_problems(spec)
    for reference in filter(None, (spec.get("entrypoint"), spec.get("onExit"))):
        if reference not in templates:
            yield f"template name '{reference}' undefined"
    for template in templates.values():
        yield from _template_problems(template, templates)
    yield from unresolved(spec, templates)


def _argument_problems(spec: JsonObject) -> Iterator[str]:
    for parameter in (spec.get("arguments") or {}).get("parameters") or []:
        if parameter.get("value") is None and not parameter.get("valueFrom"):
            name = f"spec.arguments.{parameter.get('name')}"
            yield f"{name}.value or {name}.valueFrom is required"


def _template_problems(template: JsonObject, templates: dict[str, JsonObject]) -> Iterator[str]:
    path = f"templates.{template['name']}"
    kinds = [kind for kind in (*KINDS, *OTHER_KINDS) if template.get(kind) is not None]
    if not kinds:
        yield f"{path} template type unknown"
    if len(kinds) > 1:
        yield f"{path} multiple template types specified. choose one of: {', '.join(kinds)}"
    for number, group in enumerate(template.get("steps") or []):
        for step in group:
            yield from _call_problems(f"{path}.steps[{number}].{step.get('name')}", step, templates)
    tasks = (template.get("dag") or {}).get("tasks") or []
    yield from _dag_problems(path, template, tasks)
    for task in tasks:
        yield from _call_problems(f"{path}.tasks.{task.get('name')}", task, templates)


def _call_problems(path: str, step: JsonObject, templates: dict[str, JsonObject]) -> Iterator[str]:
    if not step.get("name"):
        yield f"{path} name is required"
        return
    if step.get("templateRef") or step.get("inline"):
        return
    called = templates.get(step.get("template") or "")
    if called is None:
        yield f"{path} template name '{step.get('template') or ''}' undefined"
        return
    given = {one.get("name") for one in (step.get("arguments") or {}).get("parameters") or []}
    for parameter in (called.get("inputs") or {}).get("parameters") or []:
        if parameter.get("name") not in given and all(
            parameter.get(key) is None for key in ("value", "default", "valueFrom")
        ):
            yield f"{path} templates.{called['name']} inputs.parameters.{parameter.get('name')} was not supplied"
    if not is_loop(step):
        for tag in tags({key: step.get(key) for key in ("when", "arguments")}):
            if tag == "item" or tag.startswith("item."):
                yield f"{path} failed to resolve {{{{{tag}}}}}"


def _dag_problems(path: str, template: JsonObject, tasks: list[JsonObject]) -> Iterator[str]:
    names = [task.get("name") or "" for task in tasks]
    for name in names:
        if names.count(name) > 1:
            yield f"{path}.tasks.{name} name '{name}' is not unique"
            return
    needs: dict[str, list[str]] = {}
    for task in tasks:
        where = f"{path}.tasks.{task.get('name')}"
        if task.get("depends") and task.get("dependencies"):
            yield f"{path} cannot use both 'depends' and 'dependencies' in the same DAG template"
        try:
            needs[task.get("name") or ""] = depends_of(task).tasks
        except DependsError as error:
            yield f"{where} {error}"
            return
        for dependency in needs[task.get("name") or ""]:
            if dependency not in names:
                yield f"{where} dependency '{dependency}' not defined"
                return
    for target in ((template.get("dag") or {}).get("target") or "").split():
        if target not in names:
            yield f"{path}.targets target '{target}' is not defined"
            return
    yield from _cycles(path, needs)


def _cycles(path: str, needs: dict[str, list[str]]) -> Iterator[str]:
    """Take away what depends on nothing that is left; what remains stands on a cycle."""
    left = dict(needs)
    while free := [name for name, tasks in left.items() if not any(task in left for task in tasks)]:
        for name in free:
            del left[name]
    if left:
        name = chain = next(iter(left))
        for _ in left:
            name = next(task for task in left[name] if task in left)
            chain = f"{name}->{chain}"
        yield f"{path} dependency cycle detected: {chain}"
