"""A typed, read-only view of the names in a manifest: templates, their inputs and outputs, and who calls whom.

Nothing in it trusts the manifest: what has another shape than Argo's is left out, and is the schema's to tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from kubeci.model.json import JsonObject
from kubeci.workflow.faults import Path
from kubeci.workflow.metadata import annotations_of

KINDS = (
    "container", "containerSet", "script", "steps", "dag", "suspend", "resource", "data", "http", "plugin",
)  # fmt: skip
"""The fields of a template that say what it does; Argo wants exactly one."""
GATES = ("when", "withItems", "withParam", "withSequence")
"""Fields of a call that may keep it from being made."""


@dataclass(frozen=True)
class Named:
    """An entry of a list whose entries have names: a parameter, an artifact."""

    name: str
    path: Path
    body: JsonObject


@dataclass(frozen=True)
class Call:
    """A step, a task or a hook: the place where one template is called by another, or by the workflow."""

    name: str
    path: Path
    body: JsonObject
    kind: str
    """`step`, `task` or `hook`."""
    group: int = 0
    """The number of a step's group; steps of one group run side by side."""

    @property
    def target(self) -> str:
        """The name of the workflow's own template that is called; empty when it is none, or not known before the run."""
        name = self.body.get("template")
        return name if isinstance(name, str) and "{{" not in name and not self.elsewhere else ""

    @property
    def elsewhere(self) -> bool:
        """Whether what is called is not one of the workflow's own templates."""
        return any(self.body.get(field) is not None for field in ("templateRef", "inline"))

    @property
    def loops(self) -> bool:
        """Whether the call is made once for each of several items."""
        return any(self.body.get(field) is not None for field in GATES[1:])

    def arguments(self, kind: str) -> list[Named]:
        """List the arguments; `kind` is `parameters` or `artifacts`."""
        return named(self.body.get("arguments"), kind, (*self.path, "arguments"))


@dataclass(frozen=True)
class Template:
    """One template of the workflow, or one written inline where it is called."""

    name: str
    path: Path
    body: JsonObject

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The fields it has of those that say what it does."""
        return tuple(kind for kind in KINDS if self.body.get(kind) is not None)

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """Its steps or tasks, in their order."""
        return (*_steps(self), *_tasks(self))

    @cached_property
    def hooks(self) -> tuple[Call, ...]:
        """The hooks of its steps and tasks."""
        return tuple(hook for call in self.calls for hook in hooks(call.body, call.path))

    def declared(self, way: str, kind: str) -> list[Named]:
        """List what it declares; `way` is `inputs` or `outputs`, `kind` is `parameters` or `artifacts`."""
        return named(self.body.get(way), kind, (*self.path, way))


class Outline:
    """The names of a whole workflow."""

    def __init__(self, manifest: object) -> None:
        spec = manifest.get("spec") if isinstance(manifest, dict) else None
        self.spec: JsonObject = spec if isinstance(spec, dict) else {}
        self.annotations = annotations_of(manifest) if isinstance(manifest, dict) else {}

    @cached_property
    def elsewhere(self) -> bool:
        """Whether the templates are those of a WorkflowTemplate."""
        return isinstance(self.spec.get("workflowTemplateRef"), dict)

    @cached_property
    def templates(self) -> tuple[Template, ...]:
        """The workflow's own templates, in their order, also those without a name or with another's."""
        return tuple(
            Template(text(body.get("name")), ("spec", "templates", at), body)
            for at, body in mappings(self.spec.get("templates"))
        )

    @cached_property
    def by_name(self) -> dict[str, Template]:
        """The templates by name; the first of each."""
        return first_by_name(self.templates)

    @cached_property
    def hooks(self) -> tuple[Call, ...]:
        """The workflow's own hooks."""
        return tuple(hooks(self.spec, ("spec",)))

    @cached_property
    def parameters(self) -> list[Named]:
        """The workflow's parameters."""
        return named(self.spec.get("arguments"), "parameters", ("spec", "arguments"))


T = TypeVar("T", Named, Call, Template)


def first_by_name(entries: Iterable[T]) -> dict[str, T]:
    """Map names to entries, in their order; the first of a name counts, and those without are left out."""
    found: dict[str, T] = {}
    for entry in entries:
        if entry.name:
            found.setdefault(entry.name, entry)
    return found


def hooks(body: JsonObject, path: Path) -> Iterator[Call]:
    """Give the hooks of a workflow, a step or a task."""
    found = body.get("hooks")
    for name, hook in found.items() if isinstance(found, dict) else ():
        if isinstance(name, str) and isinstance(hook, dict):
            yield Call(name, (*path, "hooks", name), hook, "hook")


def named(holder: object, kind: str, path: Path) -> list[Named]:
    """List the entries under `holder[kind]`, those without a name too."""
    entries = holder.get(kind) if isinstance(holder, dict) else None
    return [Named(text(body.get("name")), (*path, kind, at), body) for at, body in mappings(entries)]


def mappings(entries: object) -> Iterator[tuple[int, JsonObject]]:
    """Give the entries of a list that are mappings, with their index."""
    for at, body in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(body, dict):
            yield at, body


def text(value: object) -> str:
    """Give a string as it is, and nothing for anything else."""
    return value if isinstance(value, str) else ""


def _steps(template: Template) -> Iterator[Call]:
    groups: Any = template.body.get("steps")
    for number, group in enumerate(groups if isinstance(groups, list) else ()):
        for at, body in mappings(group):
            yield Call(text(body.get("name")), (*template.path, "steps", number, at), body, "step", number)


def _tasks(template: Template) -> Iterator[Call]:
    dag = template.body.get("dag")
    for at, body in mappings(dag.get("tasks") if isinstance(dag, dict) else None):
        yield Call(text(body.get("name")), (*template.path, "dag", "tasks", at), body, "task")
