"""What argo-server says of a workflow: the controller's rules, and references to WorkflowTemplates of the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubeci.local.argo_server.answers import INVALID_ARGUMENT, NOT_FOUND, UNKNOWN, RefusedError
from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import WORKFLOW_TEMPLATES
from kubeci.local.cluster.status import ApiError
from kubeci.local.engine.validate import invalid
from kubeci.model.json import JsonObject


def lint(objects: Objects, namespace: str, asked: JsonObject) -> JsonObject:
    """Give the workflow of a request back; raises RefusedError, and ApiError for a WorkflowTemplate that is not there.

    Argo gives its validation's words no code of their own, so they are `UNKNOWN`.
    """
    workflow = asked.get("workflow")
    if workflow is None:
        raise RefusedError(UNKNOWN, "unable to get a workflow")
    if not isinstance(workflow, dict) or not isinstance(workflow.get("spec", {}), dict):
        raise RefusedError(INVALID_ARGUMENT, "json: cannot unmarshal the workflow")
    within = (workflow.get("metadata") or {}).get("namespace") or namespace
    spec = _whole(objects, within, workflow.get("spec") or {})
    if problem := invalid(spec) or next(_reference_problems(objects, within, spec), ""):
        raise RefusedError(UNKNOWN, problem)
    return workflow


def _whole(objects: Objects, namespace: str, spec: JsonObject) -> JsonObject:
    """Give a spec with that of the WorkflowTemplate it refers to as a whole."""
    ref = spec.get("workflowTemplateRef")
    if not ref:
        return spec
    if ref.get("clusterScope"):
        raise RefusedError(NOT_FOUND, f'clusterworkflowtemplates.argoproj.io "{ref.get("name")}" not found')
    template = objects.get(WORKFLOW_TEMPLATES, namespace, ref.get("name") or "")
    return {**template["spec"], **{key: value for key, value in spec.items() if key != "workflowTemplateRef"}}


def _reference_problems(objects: Objects, namespace: str, spec: JsonObject) -> Iterator[str]:
    for path, call in _calls(spec):
        if not (ref := call.get("templateRef")):
            continue
        template = None if ref.get("clusterScope") else _template(objects, namespace, ref)
        if template is None:
            yield f"{path} template reference {ref.get('name')}.{ref.get('template')} not found"
            continue
        yield from (f"{path} {words}" for words in _not_supplied(template, call.get("arguments")))
    for template in spec.get("templates") or []:
        if template.get("name") == spec.get("entrypoint"):
            yield from _not_supplied(template, spec.get("arguments"))


def _not_supplied(template: JsonObject, arguments: JsonObject | None) -> Iterator[str]:
    given = {one.get("name") for one in (arguments or {}).get("parameters") or []}
    for wanted in (template.get("inputs") or {}).get("parameters") or []:
        if wanted.get("name") not in given and not wanted.keys() & {"value", "default", "valueFrom"}:
            yield f"templates.{template['name']} inputs.parameters.{wanted.get('name')} was not supplied"


def _calls(spec: JsonObject) -> Iterator[tuple[str, dict[str, Any]]]:
    """List the steps and tasks of a spec, each with the path that Argo names it by."""
    for template in spec.get("templates") or []:
        path = f"templates.{template.get('name')}"
        for number, group in enumerate(template.get("steps") or []):
            yield from ((f"{path}.steps[{number}].{step.get('name')}", step) for step in group)
        for task in (template.get("dag") or {}).get("tasks") or []:
            yield f"{path}.tasks.{task.get('name')}", task


def _template(objects: Objects, namespace: str, ref: JsonObject) -> dict[str, Any] | None:
    try:
        found = objects.get(WORKFLOW_TEMPLATES, namespace, ref.get("name") or "")["spec"]
    except ApiError:
        return None
    return next(
        (each for each in found.get("templates") or [] if each.get("name") == ref.get("template")), None
    )
