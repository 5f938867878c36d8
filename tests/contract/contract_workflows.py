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


def _steps(text: str, **spec: Any) -> Play:
    return Play(f"- name: main\n  steps: {text}", spec)


def _dag(text: str, **spec: Any) -> Play:
    return Play(f"- name: main\n  dag: {text}", spec)


_SLOW = "[[{name: build, template: slow}], [{name: deploy, template: ok}]]"
_MATRIX = "[{name: test, template: say, arguments: {parameters: [{name: text, value: '{{item}}'}]}"
_CHAIN = "{tasks: [{name: a, template: %s}, {name: b, template: ok, depends: %s}, {name: c, template: ok, depends: b}]}"
_PARAMETERS = {"parameters": [{"name": "branch", "value": "topic"}, {"name": "count", "value": "3"}]}

PLAYS: dict[str, Play] = {
    "container": Play("", {"entrypoint": "ok"}),
    "container-fails": Play("", {"entrypoint": "fail"}),
    "script": Play("- {name: main, script: {image: busybox, command: [sh], source: 'exit 0'}}"),
    "retried": Play("", {"entrypoint": "flaky"}),
    "steps": _steps(
        "[[{name: a, template: ok}], [{name: b, template: ok}, {name: c, template: ok}], [{name: d, template: ok}]]"
    ),
    "steps-fail": _steps("[[{name: a, template: ok}, {name: b, template: fail}], [{name: c, template: ok}]]"),
    "steps-two-fail": _steps("[[{name: a, template: fail}, {name: b, template: fail}]]"),
    "steps-continue": _steps(
        "[[{name: a, template: fail, continueOn: {failed: true}}], [{name: b, template: ok}]]"
    ),
    "steps-continue-last": _steps("[[{name: a, template: fail, continueOn: {failed: true}}]]"),
    "steps-retried": _steps(
        "[[{name: a, template: flaky, continueOn: {failed: true}}], [{name: b, template: ok}]]"
    ),
    "nested": Play("""
- {name: main, steps: [[{name: outer, template: inner}], [{name: after, template: ok}]]}
- {name: inner, dag: {tasks: [{name: a, template: group}, {name: b, template: ok, depends: a}]}}
- {name: group, steps: [[{name: x, template: ok}, {name: y, template: ok}], [{name: z, template: ok}]]}
"""),
    "nested-fails": Play("""
- {name: main, steps: [[{name: outer, template: inner}], [{name: after, template: ok}]]}
- {name: inner, dag: {tasks: [{name: a, template: group}, {name: b, template: ok, depends: a}]}}
- {name: group, steps: [[{name: x, template: ok}, {name: y, template: fail}], [{name: z, template: ok}]]}
"""),
    "dag": _dag(
        "{tasks: [{name: a, template: ok}, {name: b, template: ok, depends: a}, {name: c, template: ok, depends: a}, {name: d, template: ok, depends: 'b && c'}]}"
    ),
    "dag-dependencies": _dag(
        "{tasks: [{name: a, template: ok}, {name: b, template: ok, dependencies: [a]}]}"
    ),
    "dag-fails": _dag(
        "{tasks: [{name: a, template: ok}, {name: b, template: fail, depends: a}, {name: c, template: ok, depends: a}, {name: d, template: ok, depends: 'b && c'}]}"
    ),
    "dag-fail-fast": _dag(
        "{tasks: [{name: a, template: fail}, {name: b, template: ok}, {name: c, template: ok, depends: b}, {name: d, template: ok, depends: c}]}"
    ),
    "dag-to-the-end": _dag(
        "{failFast: false, tasks: [{name: a, template: fail}, {name: b, template: ok}, {name: c, template: ok, depends: b}, {name: d, template: ok, depends: c}]}"
    ),
    "dag-target": _dag(
        "{target: b, tasks: [{name: a, template: ok}, {name: b, template: ok, depends: a}, {name: c, template: ok, depends: b}]}"
    ),
    "dag-after-failure": _dag(_CHAIN % ("fail", "a.Failed")),
    "dag-either": _dag(_CHAIN % ("fail", "'a.Succeeded || a.Failed'")),
    "dag-not": _dag(_CHAIN % ("ok", "'!a.Succeeded'")),
    "dag-errored": _dag(_CHAIN % ("fail", "a.Errored")),
    "dag-skipped": _dag(
        "{tasks: [{name: a, template: ok, when: 'false'}, {name: b, template: ok, depends: a.Skipped}, {name: c, template: ok, depends: a}, {name: d, template: ok, depends: a.Succeeded}]}"
    ),
    "dag-omitted": _dag(
        "{tasks: [{name: a, template: ok}, {name: b, template: ok, depends: a.Failed}, {name: c, template: ok, depends: b.Omitted}, {name: d, template: ok, depends: b}]}"
    ),
    "dag-continue": _dag(
        "{tasks: [{name: a, template: fail, continueOn: {failed: true}}, {name: b, template: ok, dependencies: [a]}]}"
    ),
    "dag-any": _dag(
        "{tasks: "
        + _MATRIX
        + ", withItems: [1, 2]}, {name: b, template: ok, depends: test.AnySucceeded}, {name: c, template: ok, depends: test.AllFailed}]}"
    ),
    "dag-all-failed": _dag(
        "{tasks: "
        + _MATRIX.replace("say", "say-fail")
        + ", withItems: [1, 2]}, {name: b, template: ok, depends: test.AnySucceeded}, {name: c, template: ok, depends: test.AllFailed}]}"
    ),
    "dag-retried": _dag("{tasks: [{name: a, template: flaky}, {name: b, template: ok, depends: a.Failed}]}"),
    "dag-exit-code": _dag(
        "{tasks: [{name: a, template: fail}, {name: b, template: ok, depends: a.Failed, when: '{{tasks.a.exitCode}} == 2'}, {name: c, template: ok, depends: a.Failed, when: '{{tasks.a.status}} == Succeeded'}]}"
    ),
    "items": _steps("[" + _MATRIX + ", withItems: [a, 2, true, 1.5]}]]"),
    "items-maps": _steps(
        "[[{name: test, template: say, arguments: {parameters: [{name: text, value: '{{item.os}}-{{item.n}}'}]}, withItems: [{os: linux, n: 1}, {n: 2, os: mac}]}]]"
    ),
    "items-escaped": _steps("[" + _MATRIX + r""", withItems: ["a\\nb", "c\\\\d", "<e>&", "f'g"]}]]"""),
    "items-odd": _steps(
        "[" + _MATRIX + ", withItems: ['a b', 'c/d', 'e(f)', 'g:h', 'ü', '', 'x.y', '{\"a\": 1}']}]]"
    ),
    "items-fail": _steps(
        "[" + _MATRIX.replace("say", "say-fail") + ", withItems: [a, b]}], [{name: after, template: ok}]]"
    ),
    "items-when": _steps("[" + _MATRIX + ", when: '{{item}} != b', withItems: [a, b]}]]"),
    "items-dag": _dag(
        "{tasks: " + _MATRIX + ", withItems: [a, b]}, {name: after, template: ok, depends: test}]}"
    ),
    "items-dag-when": _dag(
        "{tasks: "
        + _MATRIX
        + ", when: '{{item}} == b', withItems: [a, b]}, {name: after, template: ok, depends: test}]}"
    ),
    "items-none": _steps("[" + _MATRIX + ", withParam: '[]'}], [{name: after, template: ok}]]"),
    "items-none-dag": _dag(
        "{tasks: " + _MATRIX + ", withParam: '[]'}, {name: after, template: ok, depends: test}]}"
    ),
    "items-dag-all-skipped": _dag(
        "{tasks: "
        + _MATRIX
        + ", when: '{{item}} == z', withItems: [a, b]}, {name: after, template: ok, depends: test}]}"
    ),
    "param": _steps("[" + _MATRIX + ', withParam: \'["a", 2, {"x": 1}, [1], null]\'}]]'),
    "param-broken": _steps("[" + _MATRIX + ", withParam: 'no list'}]]"),
    "param-broken-dag": _dag("{tasks: " + _MATRIX + ", withParam: '{\"a\": 1}'}]}"),
    "sequence": _steps(
        "["
        + _MATRIX
        + ", withSequence: {count: '3'}}], "
        + _MATRIX
        + ", withSequence: {start: '5', end: '3', format: 'n%02d'}}]]".replace("test", "more")
    ),
    "sequence-none": _steps("[" + _MATRIX + ", withSequence: {count: '0'}}], [{name: after, template: ok}]]"),
    "when": _steps(
        "[[{name: a, template: ok, when: '{{workflow.parameters.branch}} == main'}, {name: b, template: ok, when: '{{workflow.parameters.count}} > 2'}], [{name: c, template: ok}]]",
        arguments=_PARAMETERS,
    ),
    "when-all-false": _steps("[[{name: a, template: ok, when: '1 == 2'}]]"),
    "when-broken": _steps("[[{name: a, template: ok, when: 'a b =='}]]"),
    "when-broken-dag": _dag("{tasks: [{name: a, template: ok, when: '== 1'}]}"),
    "when-status": _steps(
        "[[{name: a, template: fail, continueOn: {failed: true}}], [{name: b, template: ok, when: '{{steps.a.status}} == Failed'}, {name: c, template: ok, when: '{{steps.a.exitCode}} == 0'}]]"
    ),
    "inputs": Play(
        """
- {name: main, inputs: {parameters: [{name: who, value: '{{workflow.parameters.branch}}'}]}, steps: [[{name: a, template: say, arguments: {parameters: [{name: text, value: 'hi {{inputs.parameters.who}} {{workflow.name}}'}]}}, {name: b, template: default}]]}
- {name: default, inputs: {parameters: [{name: text, default: d}]}, container: {image: busybox, command: [sh, -c, exit 0]}}
""",
        {"arguments": _PARAMETERS},
    ),
    "on-exit": Play("", {"entrypoint": "ok", "onExit": "ok"}),
    "on-exit-after-failure": Play("", {"entrypoint": "fail", "onExit": "ok"}),
    "on-exit-fails": Play("", {"entrypoint": "ok", "onExit": "fail"}),
    "on-exit-both-fail": Play(
        "",
        {
            "entrypoint": "fail",
            "onExit": "say-fail",
            "arguments": {"parameters": [{"name": "text", "value": "x"}]},
        },
    ),
    "on-exit-steps": Play(
        "- {name: bye, steps: [[{name: a, template: ok, when: '{{workflow.status}} == Failed'}, {name: b, template: ok, when: '{{workflow.status}} == Succeeded'}]]}",
        {"entrypoint": "fail", "onExit": "bye"},
    ),
    "on-exit-dag": Play(
        "- {name: bye, dag: {tasks: [{name: a, template: ok}, {name: b, template: ok, depends: a}]}}",
        {"entrypoint": "ok", "onExit": "bye"},
    ),
    "retry-none": Play(
        "- {name: main, retryStrategy: {limit: 0}, container: {image: busybox, command: [sh, -c, exit 2]}, metadata: {annotations: {kubeci.test/exit-code: '2'}}}"
    ),
    "retry-on-error": Play(
        "- {name: main, retryStrategy: {limit: 2, retryPolicy: OnError}, container: {image: busybox, command: [sh, -c, exit 2]}, metadata: {annotations: {kubeci.test/exit-code: '2'}}}"
    ),
    "retry-always": Play(
        "- {name: main, retryStrategy: {limit: '2', retryPolicy: Always}, container: {image: busybox, command: [sh, -c, exit 2]}, metadata: {annotations: {kubeci.test/exit-code: '2'}}}"
    ),
    "retry-succeeds": Play(
        "- {name: main, retryStrategy: {limit: 2}, container: {image: busybox, command: [sh, -c, exit 0]}}"
    ),
    "retry-steps": Play("- {name: main, retryStrategy: {limit: 1}, steps: [[{name: a, template: fail}]]}"),
    "retry-items": _steps("[[{name: a, template: flaky, withItems: [1, 2]}]]"),
    "suspend-duration": Play(
        "- {name: main, steps: [[{name: wait, template: pause}], [{name: after, template: ok}]]}\n- {name: pause, suspend: {duration: 1s}}"
    ),
    "suspend-resumed": Play(
        "- {name: main, steps: [[{name: approve, template: pause}], [{name: after, template: ok}]]}\n- {name: pause, suspend: {}}",
        when="approve",
        resume=True,
    ),
    "suspend-stopped": Play(
        "- {name: main, steps: [[{name: approve, template: pause}], [{name: after, template: ok}]]}\n- {name: pause, suspend: {}}",
        {"onExit": "ok"},
        when="approve",
        patch={"spec": {"shutdown": "Stop"}},
    ),
    "suspend-terminated": Play(
        "- {name: main, dag: {tasks: [{name: approve, template: pause}, {name: after, template: ok, depends: approve}]}}\n- {name: pause, suspend: {}}",
        when="approve",
        patch={"spec": {"shutdown": "Terminate"}},
    ),
    "created-suspended": Play("", {"entrypoint": "ok", "suspend": True}, patch={"spec": {"suspend": None}}),
    "stopped": Play(
        f"- name: main\n  steps: {_SLOW}",
        {"onExit": "ok"},
        when="build",
        patch={"spec": {"shutdown": "Stop"}},
    ),
    "terminated": Play(
        f"- name: main\n  steps: {_SLOW}",
        {"onExit": "ok"},
        when="build",
        patch={"spec": {"shutdown": "Terminate"}},
    ),
    "dag-stopped": Play(
        "- {name: main, dag: {tasks: [{name: build, template: slow}, {name: deploy, template: ok, depends: build}]}}",
        {"onExit": "ok"},
        when="build",
        patch={"spec": {"shutdown": "Stop"}},
    ),
    "items-terminated": Play(
        "- {name: main, steps: [[{name: build, template: slow, withItems: [1, 2]}]]}",
        when="build(0:1)",
        patch={"spec": {"shutdown": "Terminate"}},
    ),
    "retry-terminated": Play(
        """
- {name: main, steps: [[{name: build, template: again}]]}
- {name: again, retryStrategy: {limit: 3}, container: {image: busybox, command: [sleep, '40']}, metadata: {annotations: {kubeci.test/seconds: 40s}}}
""",
        when="build(0)",
        patch={"spec": {"shutdown": "Terminate"}},
    ),
    "created-shut-down": Play("", {"entrypoint": "ok", "shutdown": "Terminate"}),
    "parallelism": _steps("[[{name: a, template: ok, withItems: [1, 2, 3]}]]", parallelism=1),
    "parallelism-of-template": Play(
        "- {name: main, parallelism: 1, dag: {tasks: [{name: a, template: ok}, {name: b, template: ok}]}}"
    ),
    "odd-names": Play("""
- {name: main, steps: [[{name: A_b-1, template: Upper}, {name: '0', template: dots.in.it}]]}
- {name: Upper, suspend: {duration: 1s}}
- {name: dots.in.it, container: {image: busybox, command: [sh, -c, exit 0]}}
"""),
    "upper-case": Play(
        "- {name: main, steps: [[{name: a, template: Upper}], [{name: b, template: ok}]]}\n- {name: Upper, container: {image: busybox, command: [sh, -c, exit 0]}}"
    ),
    "upper-case-dag": Play(
        "- {name: main, dag: {tasks: [{name: a, template: Upper}, {name: b, template: ok, depends: a.Errored}]}}\n- {name: Upper, container: {image: busybox, command: [sh, -c, exit 0]}}"
    ),
    "long-names": Play(
        f"- {{name: main, steps: [[{{name: {'s' * 100}, template: {'t' * 120}}}]]}}\n- {{name: {'t' * 120}, container: {{image: busybox, command: [sh, -c, exit 0]}}}}"
    ),
    "metadata": Play(
        "- {name: main, metadata: {labels: {a: b}, annotations: {x/y: z}}, container: {image: busybox, command: [sh, -c, exit 0]}}",
        {
            "podMetadata": {"labels": {"c": "d"}, "annotations": {"e": "f"}},
            "workflowMetadata": {"labels": {"g": "h"}, "annotations": {"i": "j"}},
        },
    ),
    "volumes": Play(
        "- {name: main, volumes: [{name: tmp, emptyDir: {}}], container: {image: busybox, command: [sh, -c, exit 0], volumeMounts: [{name: tmp, mountPath: /t}, {name: work, mountPath: /w}]}}",
        {
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "work"},
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
                }
            ]
        },
    ),
    "deadline-suspended": Play("- {name: main, suspend: {}}", {"activeDeadlineSeconds": 2}),
    "deadline-between": Play(
        "- {name: main, steps: [[{name: wait, template: pause}], [{name: after, template: ok}]]}\n- {name: pause, suspend: {duration: 30s}}",
        {"activeDeadlineSeconds": 2, "onExit": "ok"},
    ),
}
