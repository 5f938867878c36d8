"""Names in a manifest that must lead somewhere; the API server does not look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import islice

from kubeci.errors import DefinitionError
from kubeci.model.json import JsonObject
from kubeci.workflow.check_annotations import annotation_flaws
from kubeci.workflow.check_calls import call_flaws
from kubeci.workflow.check_names import name_flaws
from kubeci.workflow.check_order import order_flaws
from kubeci.workflow.check_unused import unused_flaws, volume_flaws
from kubeci.workflow.check_variables import variable_flaws
from kubeci.workflow.decorate import PARAMETERS
from kubeci.workflow.flaws import Flaw
from kubeci.workflow.outline import Outline
from kubeci.workflow.schema import LIMIT, Problem, place
from kubeci.workflow.template_ref import with_template

_SHOWN = 20
_LOOKED_AT = 1000  # flaws of each check; far more than are told, so that errors are not hidden by warnings


@dataclass(frozen=True, slots=True)
class Run:
    """What is known of the run that a manifest is checked for."""

    parameters: frozenset[str] = PARAMETERS
    """The workflow parameters that kubeci gives."""
    entrypoint: str = ""
    """The template that was asked for; empty: the manifest's own."""
    environment_parameter: str = "environment"
    """The input that deployments are recognised by; it need not be used."""
    template: JsonObject | None = None
    """The WorkflowTemplate that the manifest refers to as a whole, if it was read."""


ANY_RUN = Run()


def reference_problems(
    manifest: JsonObject, positions: Mapping[str, tuple[int, int]], path: str, run: Run = ANY_RUN
) -> tuple[Problem, ...]:
    """Tell which names in a manifest lead nowhere, and which are declared for nothing.

    `positions` maps JSON pointers to line and column, as far as known; `path` is the file. An error is what Argo's
    controller refuses as an invalid spec; what it lets pass, and what then fails or does nothing, is a warning. What
    stands in expressions (`{{=…}}`) or is left to the cluster (`templateRef`) is not judged. Errors come first, at most
    `LIMIT` problems. The entrypoint itself is `find_entrypoint`'s.
    """
    whole = with_template(manifest, run.template) if run.template else manifest
    flaws = _flaws(Outline(whole), run)
    found = sorted(_of_template(flaws) if run.template else flaws, key=lambda flaw: flaw.severity)
    told = (
        Problem(flaw.severity, place(flaw.path, positions, path), flaw.message, flaw.advice(), flaw.rule)
        for flaw in found[:LIMIT]
    )
    return tuple(sorted(told, key=lambda problem: (problem.severity, problem.where.line)))


def _of_template(flaws: Iterable[Flaw]) -> Iterator[Flaw]:
    """Tell a template's errors where the manifest refers to it; what is no error there is none of its author's work."""
    for flaw in flaws:
        if flaw.path[:2] != ("spec", "templates"):
            yield flaw
        elif flaw.severity == "error":
            message = f"the WorkflowTemplate cannot run: {flaw.message}"
            yield replace(flaw, path=("spec", "workflowTemplateRef"), message=message)


def _flaws(outline: Outline, run: Run) -> Iterator[Flaw]:
    for check in (
        name_flaws(outline),
        call_flaws(outline, run.entrypoint, run.parameters),
        order_flaws(outline),
        variable_flaws(outline, run.parameters),
        unused_flaws(outline, run.parameters, run.environment_parameter),
        volume_flaws(outline),
        annotation_flaws(outline),
    ):
        yield from islice(check, _LOOKED_AT)


def template_names(manifest: JsonObject) -> list[str]:
    """Give the names of a workflow's own templates, in their order."""
    spec = manifest.get("spec")
    templates = spec.get("templates") if isinstance(spec, dict) else None
    if not isinstance(templates, list):
        return []
    return [
        item["name"] for item in templates if isinstance(item, dict) and isinstance(item.get("name"), str)
    ]


def find_entrypoint(manifest: JsonObject, asked: str = "") -> str:
    """Give the template to start: the one asked for, else the workflow's own entrypoint.

    `DefinitionError` if none is named or no such template is defined. A workflow that refers to a WorkflowTemplate has
    its templates in the cluster, which are not looked at.
    """
    spec = manifest.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    entrypoint = asked or spec.get("entrypoint")
    elsewhere = isinstance(spec.get("workflowTemplateRef"), dict)
    if not isinstance(entrypoint, str) or not entrypoint:
        if elsewhere:
            raise DefinitionError(
                "the workflow names no entrypoint",
                hint="set `spec.entrypoint` beside `workflowTemplateRef`: the check-run is named after it",
            )
        raise DefinitionError(
            "the workflow names no entrypoint", hint="set `spec.entrypoint` to a template's name"
        )
    names = template_names(manifest)
    if elsewhere or entrypoint in names:
        return entrypoint
    near = get_close_matches(entrypoint, names, n=1)
    listed = ", ".join(f"`{name}`" for name in names[:_SHOWN]) or "none"
    hint = f"did you mean `{near[0]}`?" if near else f"its templates are {listed}"
    raise DefinitionError(f"the workflow has no template `{entrypoint}`", hint=hint)
