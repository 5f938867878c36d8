"""Variables that a spec refers to and that nothing gives; Argo's controller refuses them before it starts.

Only tags that begin like a variable of Argo's count: a script may hold other things in double braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from kubeci.local.engine.variables import is_variable, tags
from kubeci.model.json import JsonObject

_GLOBALS = re.compile(
    r"workflow\.("
    r"name|namespace|uid|status|failures|duration|mainEntrypoint|serviceAccountName|priority"
    r"|parameters(\.json)?|(labels|annotations)(\..+)?|creationTimestamp(\..+)?|outputs\..+)"
)
_OF_NODES = re.compile(
    r"(id|status|startedAt|finishedAt|exitCode|outputs\.result|outputs\.parameters(\.(?P<name>.+))?)"
)
_OF_CALLS = re.compile(r"item(\..+)?|retries|lastRetry\..+")
_OF_PODS = re.compile(r"pod\.name|node\.name|retries|lastRetry\..+|outputs\.(parameters|artifacts)\..+\.path")

Templates: TypeAlias = dict[str, JsonObject]


@dataclass(frozen=True, slots=True)
class _Nodes:
    """The steps or tasks whose outputs may be referred to, and the templates they call."""

    kind: str
    calls: dict[str, JsonObject]
    templates: Templates

    def give(self, tag: str) -> bool:
        """Say whether one of the nodes gives this variable."""
        prefix, _, rest = tag.partition(".")
        name, _, field = rest.partition(".")
        found = _OF_NODES.fullmatch(field)
        if prefix != self.kind or name not in self.calls or not found:
            return False
        called = self.templates.get(self.calls[name].get("template") or "")
        if not found["name"] or called is None:
            return True
        return found["name"] in {
            one.get("name") for one in (called.get("outputs") or {}).get("parameters") or []
        }


def unresolved(spec: JsonObject, templates: Templates) -> Iterator[str]:
    """Give a message, in the controller's words, for each reference that cannot be resolved."""
    parameters = {one.get("name") for one in (spec.get("arguments") or {}).get("parameters") or []}
    known = {f"workflow.parameters.{name}" for name in parameters}
    for template in templates.values():
        path = f"templates.{template['name']}"
        scope = known | _input_names(template)
        if template.get("steps") is not None:
            yield from _in_steps(path, template, scope, templates)
        elif template.get("dag") is not None:
            yield from _in_dag(path, template, scope, templates)
        else:
            body = {key: value for key, value in template.items() if key != "inputs"}
            yield from _missing(f"{path}:", body, scope, None)


def _input_names(template: JsonObject) -> set[str]:
    inputs = template.get("inputs") or {}
    names = {f"inputs.parameters.{one.get('name')}" for one in inputs.get("parameters") or []}
    names |= {f"inputs.artifacts.{one.get('name')}.path" for one in inputs.get("artifacts") or []}
    return names | {"inputs.parameters"}


def _in_steps(path: str, template: JsonObject, scope: set[str], templates: Templates) -> Iterator[str]:
    before = _Nodes("steps", {}, templates)
    for group in template["steps"]:
        for step in group:
            yield from _missing(f"{path}.steps", step, scope, before)
        before = _Nodes("steps", before.calls | {step.get("name") or "": step for step in group}, templates)
    yield from _missing(f"{path}.outputs", template.get("outputs"), scope, before)


def _in_dag(path: str, template: JsonObject, scope: set[str], templates: Templates) -> Iterator[str]:
    calls = {task.get("name") or "": task for task in template["dag"].get("tasks") or []}
    tasks = _Nodes("tasks", calls, templates)
    for name, task in calls.items():
        yield from _missing(f"{path}.tasks.{name}", task, scope, tasks)
    yield from _missing(f"{path}.outputs", template.get("outputs"), scope, tasks)


def _missing(path: str, value: Any, scope: set[str], nodes: _Nodes | None) -> Iterator[str]:
    """Find what nothing gives; `nodes` is None in the template of a pod."""
    for tag in filter(is_variable, tags(value)):
        if tag in scope or _GLOBALS.fullmatch(tag):
            continue
        if _OF_PODS.fullmatch(tag) if nodes is None else (_OF_CALLS.fullmatch(tag) or nodes.give(tag)):
            continue
        yield f"{path} failed to resolve {{{{{tag}}}}}"
