"""Workflows of which the local engine and Argo's controller must say the same: one for each thing that is run.

KWOK plays the pods of the real controller: nothing runs, so what needs a process is not compared here: outputs
(parameters, results, global ones), artifacts, messages of the termination log, signals, pods that wait for claims. The
recordings in tests/engine hold those. What the local engine refuses by name has no case either.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

CONTRACT_LABEL = "kubeci.test/contract"


@dataclass(frozen=True, slots=True)
class Play:
    """A workflow; once the node `when` (by display name, "" for the workflow) is in `phase`, `patch` is sent."""

    templates: str
    spec: Any = field(default_factory=dict)
    when: str = ""
    phase: str = "Running"
    patch: Any = None
    resume: bool = False
    """Instead of a patch, the node is put as resumed."""
    ends: str = "Succeeded"
    """The phase in which a resumed node is put."""


def container(name: str, exit_code: int = 0, seconds: float = 0, **more: Any) -> Any:
    """Give a template that ends alike as a process of this machine and as a pod that KWOK plays."""
    annotations = {"kubeci.test/exit-code": str(exit_code), "kubeci.test/seconds": f"{max(seconds, 0.2):g}s"}
    command = ["sh", "-c", f"sleep {seconds:g}; exit {exit_code}" if seconds else f"exit {exit_code}"]
    return {
        "name": name,
        "metadata": {"annotations": annotations},
        "container": {"image": "busybox", "command": command},
        **more,
    }


_TEXT = {"parameters": [{"name": "text"}]}
LEAVES = (
    container("ok"),
    container("fail", exit_code=2),
    container("slow", seconds=40),
    container("say", inputs=_TEXT),
    container("say-fail", exit_code=3, inputs=_TEXT),
    container("flaky", exit_code=4, retryStrategy={"limit": 1}),
)


def manifest(play: Play, name: str, nonce: str) -> Any:
    """Give the workflow to submit."""
    templates = [*(yaml.safe_load(play.templates) or []), *LEAVES]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name, "labels": {CONTRACT_LABEL: nonce, "managedBy": "tests"}},
        "spec": {"entrypoint": "main", "templates": templates, **play.spec},
    }


def steps(text: str, **spec: Any) -> Play:
    """Give a play of one `steps` template."""
    return Play(f"- name: main\n  steps: {text}", spec)


def dag(text: str, **spec: Any) -> Play:
    """Give a play of one `dag` template."""
    return Play(f"- name: main\n  dag: {text}", spec)


SLOW = "[[{name: build, template: slow}], [{name: deploy, template: ok}]]"
MATRIX = "[{name: test, template: say, arguments: {parameters: [{name: text, value: '{{item}}'}]}"
CHAIN = "{tasks: [{name: a, template: %s}, {name: b, template: ok, depends: %s}, {name: c, template: ok, depends: b}]}"
PARAMETERS = {"parameters": [{"name": "branch", "value": "topic"}, {"name": "count", "value": "3"}]}
PAUSE = "- {name: pause, suspend: {}}"
