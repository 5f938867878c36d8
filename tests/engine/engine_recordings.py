"""The recorded workflows, and how the engine's status is compared with that of the real controller."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "data" / "argo-recordings"
_FAILURE = "pod-container-running-failed.stage.kwok.x-k8s.io"


def scenario(prefix: str) -> Path:
    (found,) = FOLDER.glob(f"{prefix}-*")
    return found


def expected(prefix: str) -> dict[str, Any]:
    return json.loads((scenario(prefix) / "expected.json").read_text())


def last_object(prefix: str) -> dict[str, Any]:
    lines = (scenario(prefix) / "workflow-events.jsonl").read_text().splitlines()
    return json.loads(lines[-1])["object"]


def manifest(prefix: str) -> dict[str, Any]:
    """Give the workflow under its recorded name, so that ids and pod names can be compared."""
    workflow = yaml.safe_load((scenario(prefix) / "workflow.yaml").read_text())
    workflow["metadata"]["name"] = expected(prefix)["workflow"]
    return workflow


def failures(workflow: dict[str, Any]) -> dict[str, tuple[int, str]]:
    """Give exit code and termination message of the templates whose pods kwok let fail."""
    found = {}
    for template in workflow["spec"]["templates"]:
        annotations = (template.get("metadata") or {}).get("annotations") or {}
        if f"{_FAILURE}/exit-code" in annotations:
            code = int(annotations[f"{_FAILURE}/exit-code"])
            found[template["name"]] = (code, annotations.get(f"{_FAILURE}/message", ""))
    return found


def runnable(prefix: str, command: str = "true") -> dict[str, Any]:
    """Give the workflow with commands that do on this machine what kwok played."""
    workflow = manifest(prefix)
    failing = failures(workflow)
    for template in workflow["spec"]["templates"]:
        code, message = failing.get(template["name"], (0, ""))
        if "container" in template:
            end = f"printf '{message}' > /dev/termination-log; exit {code}" if code else command
            template["container"]["command"] = ["sh", "-c", end]
    return workflow


def comparable(node: dict[str, Any]) -> dict[str, Any]:
    """Give a node without what differs from run to run."""
    kept = {
        key: value for key, value in node.items() if key not in {"startedAt", "finishedAt", "hostNodeName"}
    }
    if "resourcesDuration" in kept:
        kept["resourcesDuration"] = {}
    return kept


def comparable_nodes(workflow: dict[str, Any]) -> dict[str, Any]:
    return {key: comparable(node) for key, node in (workflow["status"].get("nodes") or {}).items()}


def facts(workflow: dict[str, Any]) -> dict[str, Any]:
    """Give what a status says beside its nodes."""
    status = workflow["status"]
    keys = ("phase", "message", "progress", "conditions")
    return {key: status[key] for key in keys if key in status}
