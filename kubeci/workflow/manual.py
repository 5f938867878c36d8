"""Which templates of a workflow are offered as manual steps (contract, section 6)."""

from __future__ import annotations

from kubeci.model.build import ManualStep
from kubeci.model.json import JsonObject
from kubeci.model.repository import Ref, RefType
from kubeci.settings.config import Config
from kubeci.workflow import metadata
from kubeci.workflow.outline import Outline, text
from kubeci.workflow.references import template_names

MANUAL_LIMIT = 20
"""Steps offered for one commit: each is a check-run, and GitHub takes 500 writes an hour."""


def manual_steps(manifest: JsonObject, templates: JsonObject, config: Config) -> tuple[ManualStep, ...]:
    """Give the steps to offer once the default entrypoint has succeeded, in the order of the templates.

    `manifest` carries the annotations, `templates` is the workflow with the templates it refers to. The default
    entrypoint itself is never offered: its check-run is the one that succeeded. Raises `DefinitionError` for an
    annotation that is no regular expression.
    """
    manual = metadata.pattern(manifest, metadata.MANUAL_TEMPLATES, config.manual_templates)
    essential = metadata.pattern(manifest, metadata.ESSENTIAL_TEMPLATES, config.essential_templates)
    entrypoint = text(Outline(manifest).spec.get("entrypoint"))
    return tuple(
        ManualStep(name, essential.search(name))
        for name in dict.fromkeys(template_names(templates))
        if name != entrypoint and manual.search(name)
    )


def is_interactive(manifest: JsonObject, ref: Ref, default_branch: str, config: Config) -> bool:
    """Say whether manual steps are offered for builds of a ref: not for tags, the default branch, and what a pattern excludes."""
    excluded = metadata.pattern(manifest, metadata.NON_INTERACTIVE_BRANCHES, config.non_interactive_branches)
    return ref.type is RefType.BRANCH and ref.name != default_branch and not excluded.search(ref.name)
