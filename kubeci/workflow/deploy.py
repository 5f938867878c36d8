"""Which templates deploy, and the manifest that deploys to one environment (contract, sections 2 and 7)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from kubeci.errors import DefinitionError
from kubeci.model.json import JsonObject
from kubeci.settings.pattern import Pattern
from kubeci.workflow.flaws import nearest, quoted
from kubeci.workflow.outline import Outline, Template

_SHOWN = 20
_HOW = "the annotation or the setting `deployTemplates` is a pattern that finds their names"


def deploys(pattern: Pattern, template: str) -> bool:
    """Say whether a template of this name deploys; an empty pattern, which is found in every name, means none."""
    return bool(pattern.source and template) and pattern.search(template)


def deployment_templates(manifest: JsonObject, pattern: Pattern, parameter: str) -> list[str]:
    """Give the names of the templates that deploy and take the environment as an input, in the manifest's order."""
    templates = Outline(manifest).by_name.values()
    return [each.name for each in templates if deploys(pattern, each.name) and _takes(each, parameter)]


def for_deployment(  # noqa: PLR0913 - two settings and what somebody asks for
    manifest: JsonObject,
    template: str,
    environment: str,
    *,
    pattern: Pattern,
    parameter: str,
    templates: JsonObject | None = None,
) -> JsonObject:
    """Give a copy of a manifest whose workflow parameter `parameter` is the environment.

    `templates` is the manifest that holds the templates, where that is another (a WorkflowTemplate's; one that was not
    read has none, and is left to Argo). `DefinitionError` when `template` is not known, does not match the pattern, or
    has no such input.
    """
    whole = manifest if templates is None else templates
    outline = Outline(whole)
    known = outline.by_name
    if template not in known and not (outline.elsewhere and not known):
        near = nearest(template, known)
        hint = f"did you mean `{near}`?" if near else f"its templates are {_listed(known)}"
        raise DefinitionError(f"the workflow has no template {quoted(template)}", hint=hint)
    if not deploys(pattern, template):
        found = deployment_templates(whole, pattern, parameter)
        hint = f"those of this workflow are {_listed(found)}" if found else _HOW
        raise DefinitionError(f"{quoted(template)} is not a deployment template: {_why(pattern)}", hint=hint)
    if template in known and not _takes(known[template], parameter):
        raise DefinitionError(
            f"the deployment template {quoted(template)} has no input parameter `{parameter}`",
            hint=f"add `inputs: {{parameters: [{{name: {parameter}}}]}}` to it: it says where to deploy to",
        )
    return _with_parameter(manifest, parameter, environment)


def _takes(template: Template, parameter: str) -> bool:
    return any(each.name == parameter for each in template.declared("inputs", "parameters"))


def _why(pattern: Pattern) -> str:
    if pattern.source in {"", "^$"}:
        return "nothing says that any template is one"
    return f"its name does not match `{pattern.source[:100]}`"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(quoted(name) for name in islice(names, _SHOWN)) or "none"


def _with_parameter(manifest: JsonObject, name: str, value: str) -> JsonObject:
    spec = manifest.get("spec")
    spec = dict(spec) if isinstance(spec, dict) else {}
    arguments = spec.get("arguments")
    arguments = dict(arguments) if isinstance(arguments, dict) else {}
    written = arguments.get("parameters")
    others = [
        each
        for each in (written if isinstance(written, list) else ())
        if not (isinstance(each, dict) and each.get("name") == name)
    ]
    arguments["parameters"] = [*others, {"name": name, "value": value}]
    return {**manifest, "spec": {**spec, "arguments": arguments}}
