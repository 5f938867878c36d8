"""Definitions whose pods end the same whether KWOK plays them or a kubelet runs them."""

from __future__ import annotations

from typing import Any

import yaml

LOG = "src/main.py:12:5: warning: the name is never used"
"""The one line of a step's log that is a remark; main.log holds it too."""
DEFINITION = ".kube-ci/ci.yaml"


def step(name: str, *, seconds: float = 0.3, code: int = 0, **more: Any) -> dict[str, Any]:
    """A template that takes so long, says one thing about a file and ends with this exit code."""
    script = f"sleep {seconds:g}; echo '{LOG}'; exit {code}"
    milliseconds = round(seconds * 1000)
    played = {"kubeci.test/seconds": f"{milliseconds}ms", "kubeci.test/exit-code": str(code)}
    container = {"image": "alpine", "command": ["sh", "-c", script]} | more.pop("container", {})
    return {"name": name, "metadata": {"annotations": played}, "container": container, **more}


def manifest(*templates: dict[str, Any], **annotations: str) -> dict[str, Any]:
    """A workflow that begins with the first template; `annotations` are ours, without their prefix."""
    own = {f"kube-ci.qutics.com/{key}": text for key, text in annotations.items()}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"annotations": own} if own else {},
        "spec": {"entrypoint": templates[0]["name"], "templates": list(templates)},
    }


def files(document: dict[str, Any]) -> dict[str, str]:
    """A commit's files with this definition."""
    return {DEFINITION: yaml.safe_dump(document)}


def build(*templates: dict[str, Any], **annotations: str) -> dict[str, str]:
    """A commit's files with a definition of these templates."""
    return files(manifest(*templates, **annotations))


def cached(count: str = "", *, seconds: float = 0.3) -> dict[str, str]:
    """A commit's files with a definition that mounts the branch's cache volume; `count` makes commits differ."""
    mounted = {"volumeMounts": [{"name": "cache", "mountPath": "/cache"}]}
    ci = step("ci", seconds=seconds, container=mounted)
    document = manifest(ci, cacheScope="branch", cacheSize="1Gi")
    claim = {"claimName": "{{workflow.parameters.cacheVolumeClaimName}}"}
    document["spec"]["volumes"] = [{"name": "cache", "persistentVolumeClaim": claim}]
    return files(document) | {"count": count}


PASSING = build(step("ci"))
FAILING = build(step("ci", code=1))
LONG = build(step("ci", seconds=120))
