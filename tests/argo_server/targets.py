"""Two argo-servers with the same workflows: the local one, and Argo's own on a real cluster."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kubeci.model.json import JsonObject

SPEC: JsonObject = {
    "entrypoint": "main",
    "templates": [{"name": "main", "container": {"image": "busybox", "command": ["true"]}}],
}
LOG = "first\n\nzweite für\nsrc/main.py:3: error: no\n"


@dataclass(frozen=True, slots=True)
class Target:
    """An argo-server, and how things come into its cluster."""

    url: str
    namespace: str
    create: Callable[[JsonObject], object]
    get: Callable[[str], JsonObject]
    """Reads a workflow by its name."""
    token: str = field(repr=False)
    tls: ssl.SSLContext | None = None


def workflow(name: str, spec: JsonObject = SPEC, **metadata: Any) -> JsonObject:
    """Give a workflow to create or to lint."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name, **metadata},
        "spec": spec,
    }


def ended(name: str, phase: str) -> JsonObject:
    """Give a workflow that ended, as the controller leaves it; its pods are gone, and its log was archived."""
    times = {"startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:09Z"}
    node = {
        "id": name,
        "name": name,
        "displayName": name,
        "type": "Pod",
        "templateName": "main",
        "templateScope": f"local/{name}",
        "phase": phase,
        "hostNodeName": "kwok-0",
        **times,
        "outputs": {
            "exitCode": "1",
            "artifacts": [
                {"name": "main-logs", "raw": {"data": LOG}},
                {"name": "lost-logs", "s3": {"key": f"{name}/lost.log"}},
            ],
        },
    }
    labels = {"workflows.argoproj.io/completed": "true", "workflows.argoproj.io/phase": phase}
    # Nobody listens at this port: it is where artifacts with no location of their own would be.
    store = {"s3": {"endpoint": "127.0.0.1:9", "bucket": "none", "insecure": True}}
    status = {
        "phase": phase,
        **times,
        "nodes": {name: node},
        "artifactRepositoryRef": {"default": True, "artifactRepository": store},
    }
    return {**workflow(name, labels=labels), "status": status}


def template(name: str) -> JsonObject:
    """Give a WorkflowTemplate whose template `greet` wants the parameter `who`."""
    greet = {
        "name": "greet",
        "inputs": {"parameters": [{"name": "who"}]},
        "container": {"image": "busybox", "command": ["echo"]},
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTemplate",
        "metadata": {"name": name},
        "spec": {"templates": [greet]},
    }


def calling(reference: JsonObject, **arguments: str) -> JsonObject:
    """Give the spec of a workflow with one step, which refers to a template of the cluster."""
    given = [{"name": name, "value": value} for name, value in arguments.items()]
    step = {"name": "one", "templateRef": reference, "arguments": {"parameters": given}}
    return {"entrypoint": "main", "templates": [{"name": "main", "steps": [[step]]}]}


EVERYWHERE = (
    ended("failed", "Failed"),
    ended("again", "Failed"),
    ended("fine", "Succeeded"),
    template("there"),
)


def written(manifest: JsonObject) -> str:
    """Write a manifest for kubectl."""
    return json.dumps(manifest)
