"""Workflows whose templates are those of a WorkflowTemplate in the cluster (`spec.workflowTemplateRef`)."""

from __future__ import annotations

from dataclasses import dataclass

from kubeci.model.json import JsonObject
from kubeci.workflow.outline import named


@dataclass(frozen=True, slots=True)
class TemplateRef:
    """The name of a WorkflowTemplate, or of a ClusterWorkflowTemplate."""

    name: str
    cluster_scope: bool = False

    @property
    def kind(self) -> str:
        """Name the kind of object as Argo does."""
        return "ClusterWorkflowTemplate" if self.cluster_scope else "WorkflowTemplate"


def template_ref(manifest: JsonObject) -> TemplateRef | None:
    """Give what a manifest refers to as a whole; None: it has its own templates, or names nothing."""
    spec = manifest.get("spec")
    found = spec.get("workflowTemplateRef") if isinstance(spec, dict) else None
    if not isinstance(found, dict):
        return None
    name = found.get("name")
    if not isinstance(name, str) or not name:
        return None
    return TemplateRef(name, cluster_scope=found.get("clusterScope") is True)


def with_template(manifest: JsonObject, template: JsonObject) -> JsonObject:
    """Give the workflow that Argo makes of a manifest and the template it refers to; neither is changed.

    The manifest's fields win; parameters of both are there, the manifest's first.
    """
    own, other = manifest.get("spec"), template.get("spec")
    own = own if isinstance(own, dict) else {}
    other = other if isinstance(other, dict) else {}
    merged = {**other, **{key: value for key, value in own.items() if value is not None}}
    merged.pop("workflowTemplateRef", None)
    merged["templates"] = other.get("templates")
    parameters = named(own.get("arguments"), "parameters", ())
    names = {each.name for each in parameters}
    others = (each for each in named(other.get("arguments"), "parameters", ()) if each.name not in names)
    arguments = merged.get("arguments")
    merged["arguments"] = {
        **(arguments if isinstance(arguments, dict) else {}),
        "parameters": [each.body for each in (*parameters, *others)],
    }
    return {**manifest, "spec": merged}
