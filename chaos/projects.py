"""What the repositories of the harness build: definitions whose steps take milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from kubeci.local.github.repositories import Files
from kubeci.workflow import metadata

CI = "Workflow - ci"
SMOKE = "Workflow - smoke"
DEPLOYMENT = "Workflow - deploy (deployment)"
LONG_SECONDS = 600
"""More than any scenario lasts: what runs so long has to be stopped."""


def passing(remarks: int = 0) -> Files:
    """Give a definition that succeeds and writes so many remarks to its log."""
    return _files(_print(remarks))


def tagged() -> Files:
    """Give one that is built for tags, too."""
    return _files("true", annotations={metadata.RUN_FOR_TAG: "true"})


def failing(remarks: int = 0) -> Files:
    """Give one that fails."""
    return _files(f"{_print(remarks)}; exit 1")


def long() -> Files:
    """Give one that ends only when it is stopped."""
    return _files(f"exec sleep {LONG_SECONDS}")


def offering() -> Files:
    """Give one with a manual step `smoke`."""
    return _files("true", {"name": "smoke", "container": _shell("true")})


def deploying() -> Files:
    """Give one with a template `deploy`, which a deployment may ask for."""
    inputs = {"parameters": [{"name": "environment"}]}
    return _files("true", {"name": "deploy", "inputs": inputs, "container": _shell("true")})


def _print(remarks: int) -> str:
    # An `error:` of a log is a remark; one a line, all different.
    return f'n=0; while [ $n -lt {remarks} ]; do n=$((n+1)); echo "src/a.py:$n: error: line $n"; done'


def _shell(line: str) -> dict[str, Any]:
    return {"image": "alpine", "command": ["sh", "-c", line]}


def _files(line: str, *templates: dict[str, Any], annotations: Mapping[str, str] | None = None) -> Files:
    document = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"annotations": dict(annotations or {})},
        "spec": {"entrypoint": "ci", "templates": [{"name": "ci", "container": _shell(line)}, *templates]},
    }
    return {".kube-ci/ci.yaml": yaml.safe_dump(document)}
