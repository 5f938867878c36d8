"""Names in a manifest that must lead somewhere; the API server does not look."""

from __future__ import annotations

from difflib import get_close_matches

from kubeci.errors import DefinitionError
from kubeci.model.json import JsonObject

_SHOWN = 20


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
