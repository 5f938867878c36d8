"""Names and kinds of templates, steps and parameters, as Argo's controller wants them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kubeci.workflow.faults import Path
from kubeci.workflow.flaws import Flaw, quoted
from kubeci.workflow.outline import Call, Named, Outline, Template

_FIELD = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]{0,127}")
_PARAMETER = re.compile(r"[-a-zA-Z0-9_]+")
_IN_PODS = frozenset({"container", "containerSet", "script", "resource", "data"})
_FIELD_HINT = "letters, digits and dashes make a name, a dash not in front"
_PARAMETER_HINT = "letters, digits, dashes and underscores make a name"


def name_flaws(outline: Outline) -> Iterator[Flaw]:
    """Find names that are missing, given twice or not allowed, and templates without a kind or with two."""
    if outline.elsewhere and outline.templates:
        yield Flaw(
            "template-kind", "error", ("spec", "templates"),
            "a workflow with `workflowTemplateRef` has no templates of its own",
            "remove `templates`, or call the other's with `templateRef`",
        )  # fmt: skip
        return
    yield from _unique("template", outline.templates, _FIELD, _FIELD_HINT)
    yield from _unique("parameter", outline.parameters, _PARAMETER, _PARAMETER_HINT)
    called = _called_as_pods(outline)
    for template in outline.templates:
        yield from _kind(template, outline)
        yield from _parts(template)
        yield from _capitals(template, called)


def _unique(
    what: str, entries: Iterable[Named | Template | Call], pattern: re.Pattern[str], hint: str
) -> Iterator[Flaw]:
    first: dict[str, Path] = {}
    for entry in entries:
        path: Path = (*entry.path, "name")
        if not entry.name:
            yield Flaw("name", "error", entry.path, f"a {what} has no name", "give it a `name`")
        elif entry.name in first:
            yield Flaw(
                "duplicate-name", "error", path, f"the {what} {quoted(entry.name)} is defined twice",
                "each name stands for one",
            )  # fmt: skip
        elif not pattern.fullmatch(entry.name):
            yield Flaw("name", "error", path, f"{quoted(entry.name)} is no name for a {what}", hint)
        first.setdefault(entry.name, path)


def _kind(template: Template, outline: Outline) -> Iterator[Flaw]:
    kinds = template.kinds
    named = f"the template {quoted(template.name)}" if template.name else "a template"
    if len(kinds) > 1:
        listed = " and ".join(f"`{kind}`" for kind in kinds)
        yield Flaw(
            "template-kind", "error", (*template.path, kinds[1]), f"{named} has {listed}", "a template does one thing"
        )  # fmt: skip
    if not kinds and outline.spec.get("templateDefaults") is None:
        yield Flaw(
            "template-kind", "error", template.path, f"{named} does not say what it does",
            "give it `container`, `script`, `steps`, `dag`, `suspend` or another kind",
        )  # fmt: skip


def _parts(template: Template) -> Iterator[Flaw]:
    for what, kind in (("step", "steps"), ("task", "dag")):
        if kind in template.kinds:
            yield from _unique(
                what, (call for call in template.calls if call.kind == what), _FIELD, _FIELD_HINT
            )
    for way in ("inputs", "outputs"):
        yield from _unique("parameter", template.declared(way, "parameters"), _PARAMETER, _PARAMETER_HINT)
        yield from _unique("artifact", template.declared(way, "artifacts"), _PARAMETER, _PARAMETER_HINT)
    if template.body.get("dag") is not None and not any(call.kind == "task" for call in template.calls):
        yield Flaw("template-kind", "error", (*template.path, "dag"), f"{quoted(template.name)} has no tasks")


def _called_as_pods(outline: Outline) -> frozenset[str]:
    """Name the templates whose pods carry the template's name: all but an entrypoint's that nobody calls."""
    calls = [hook.target for hook in outline.hooks]
    for template in outline.templates:
        calls += [call.target for call in (*template.calls, *template.hooks)]
    exit_handler = outline.spec.get("onExit")
    return frozenset([*calls, exit_handler if isinstance(exit_handler, str) else ""])


def _capitals(template: Template, called: frozenset[str]) -> Iterator[Flaw]:
    """Find templates whose pod the API server refuses: it gets the template's name, and pods have no capitals."""
    retried = template.body.get("retryStrategy") is not None
    if template.name == template.name.lower() or not _IN_PODS.intersection(template.kinds):
        return
    if retried or template.name in called:
        yield Flaw(
            "capital-letters", "warning", (*template.path, "name"),
            f"the template {quoted(template.name)} has capital letters; its pods are named after it and cannot be made",
            f"call it {quoted(template.name.lower())}",
        )  # fmt: skip
