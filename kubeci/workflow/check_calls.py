"""Calls of templates: that what is called is there, and that caller and called agree on the arguments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from kubeci.model.json import JsonObject
from kubeci.workflow.faults import Path
from kubeci.workflow.flaws import Flaw, quoted
from kubeci.workflow.outline import Call, Outline, Template

_GIVEN = ("value", "default", "valueFrom")
# What an artifact may have beside a place to come from.
_NO_PLACE = frozenset(
    [
        "name",
        "path",
        "mode",
        "from",
        "fromExpression",
        "optional",
        "archive",
        "archiveLogs",
        "artifactGC",
        "deleted",
        "globalName",
        "recurseMode",
        "subPath",
    ]
)


def call_flaws(outline: Outline, entrypoint: str, given: frozenset[str]) -> Iterator[Flaw]:
    """Find calls of templates that are not there, inputs that nobody gives and arguments that nobody takes.

    `given` are the parameters that every run gets, `entrypoint` is the template that the run starts with.
    """
    yield from _workflow_parameters(outline, given)
    supplied = frozenset(each.name for each in outline.parameters) | given
    if not outline.elsewhere:
        yield from _from_workflow(outline, entrypoint, supplied)
    for hook in outline.hooks:
        yield from _hook(hook, outline)
    for template in outline.templates:
        for call in template.calls:
            yield from _call(call, outline)
        for hook in template.hooks:
            yield from _hook(hook, outline)


def _workflow_parameters(outline: Outline, given: frozenset[str]) -> Iterator[Flaw]:
    if outline.elsewhere:
        return  # the WorkflowTemplate may give the value
    for parameter in outline.parameters:
        if parameter.name not in given and all(parameter.body.get(field) is None for field in _GIVEN[::2]):
            yield Flaw(
                "missing-input", "error", parameter.path,
                f"the workflow's parameter {quoted(parameter.name)} has no value",
                "give it a `value`; a workflow's own parameters have no caller",
            )  # fmt: skip


def _from_workflow(outline: Outline, entrypoint: str, supplied: frozenset[str]) -> Iterator[Flaw]:
    """Check the templates that the workflow itself calls, with its own arguments."""
    started = entrypoint or outline.spec.get("entrypoint")
    onexit = outline.spec.get("onExit")
    if isinstance(onexit, str) and onexit and "{{" not in onexit and onexit not in outline.by_name:
        yield _undefined(onexit, ("spec", "onExit"), outline, "error")
    artifacts = outline.spec.get("arguments")
    for name in (started, onexit):
        called = outline.by_name.get(name) if isinstance(name, str) else None
        if called is None:
            continue
        missing = (n for n in _required(called) if n not in supplied)
        for parameter in missing:
            yield Flaw(
                "missing-input", "error", called.path,
                f"the workflow starts {quoted(called.name)} and gives no value for its input {quoted(parameter)}",
                "declare a parameter of this name in `spec.arguments`, or a `default`",
            )  # fmt: skip
        if not isinstance(artifacts, dict) or artifacts.get("artifacts") is None:
            yield from _artifacts_missing(
                called, frozenset(), called.path, f"the workflow starts {quoted(called.name)} and"
            )


def _call(call: Call, outline: Outline) -> Iterator[Flaw]:
    what = f"the {call.kind} {quoted(call.name)}"
    reference = call.body.get("templateRef")
    if reference is not None and call.body.get("template"):
        yield Flaw(
            "undefined-template", "error", call.path, f"{what} has `template` and `templateRef`", "choose one"
        )
    if isinstance(reference, dict) and not (reference.get("name") and reference.get("template")):
        yield Flaw(
            "undefined-template", "error", (*call.path, "templateRef"), f"the `templateRef` of {what} is not complete",
            "it has `name`, the WorkflowTemplate, and `template`, the one in it",
        )  # fmt: skip
    if not call.elsewhere and call.body.get("template") is None:
        yield Flaw("undefined-template", "error", call.path, f"{what} names no template", "set `template`")
    yield from _match(call, what, outline, "error")
    handler = call.body.get("onExit")
    if isinstance(handler, str) and handler and "{{" not in handler and handler not in outline.by_name:
        yield _undefined(handler, (*call.path, "onExit"), outline, "warning")


def _hook(hook: Call, outline: Outline) -> Iterator[Flaw]:
    # The controller looks into hooks only when it runs them.
    yield from _match(hook, f"the hook {quoted(hook.name)}", outline, "warning")
    if hook.name != "exit" and not hook.body.get("expression"):
        yield Flaw(
            "hook", "error", hook.path, f"the hook {quoted(hook.name)} has no `expression`", "only `exit` goes without"
        )  # fmt: skip


def _match(call: Call, what: str, outline: Outline, severity: Literal["error", "warning"]) -> Iterator[Flaw]:
    """Check a call against the template that it names."""
    if outline.elsewhere or not call.target:
        return
    called = outline.by_name.get(call.target)
    if called is None:
        yield _undefined(call.target, (*call.path, "template"), outline, severity)
        return
    passed = call.arguments("parameters")
    names = frozenset(each.name for each in passed)
    declared = [each.name for each in called.declared("inputs", "parameters")]
    for name in _required(called):
        if name not in names:
            yield Flaw(
                "missing-input", severity, call.path,
                f"{what} does not give {quoted(name)}, which the template {quoted(called.name)} needs",
                "add it to `arguments.parameters`, or give the input a `default`",
            )  # fmt: skip
    known = frozenset(declared)
    for argument in passed:
        if argument.name and argument.name not in known:
            yield Flaw(
                "unknown-argument", "warning", (*argument.path, "name"),
                f"{what} gives {quoted(argument.name)}, which the template {quoted(called.name)} does not take",
                f"its inputs are {_listed(declared)}", argument.name, declared,
            )  # fmt: skip
        if argument.name and argument.body.get("value") is None and argument.body.get("valueFrom") is None:
            yield Flaw(
                "missing-input", severity, argument.path, f"the argument {quoted(argument.name)} has no value"
            )
    artifacts = frozenset(each.name for each in call.arguments("artifacts"))
    if severity != "warning":
        yield from _artifacts_missing(called, artifacts, call.path, what)


def _required(called: Template) -> list[str]:
    return [
        each.name
        for each in called.declared("inputs", "parameters")
        if each.name and all(each.body.get(field) is None for field in _GIVEN)
    ]


def _artifacts_missing(called: Template, passed: frozenset[str], path: Path, who: str) -> Iterator[Flaw]:
    for artifact in called.declared("inputs", "artifacts"):
        if artifact.name and artifact.name not in passed and not _has_place(artifact.body):
            yield Flaw(
                "missing-input", "error", path,
                f"{who} does not give the artifact {quoted(artifact.name)}, which the template {quoted(called.name)} needs",
                "add it to `arguments.artifacts`, or make it `optional: true`",
            )  # fmt: skip


def _has_place(artifact: JsonObject) -> bool:
    if artifact.get("optional") is not None:
        return True
    return any(value is not None for field, value in artifact.items() if field not in _NO_PLACE)


def _undefined(name: str, path: Path, outline: Outline, severity: Literal["error", "warning"]) -> Flaw:
    known = outline.by_name
    hint = f"the templates are {_listed(known)}"
    return Flaw(
        "undefined-template", severity, path, f"there is no template {quoted(name)}", hint, name, known
    )


def _listed(names: Iterable[str], most: int = 10) -> str:
    shown = list(names)
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(quoted(name) for name in shown[:most]) + more if shown else "none"
