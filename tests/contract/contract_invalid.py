"""Specs that cannot run: what is said of them before a pod is made."""

from __future__ import annotations

from contract_workflows import Play

INVALID: dict[str, Play] = {
    "no-entrypoint": Play("", {"entrypoint": ""}),
    "undefined-entrypoint": Play("", {"entrypoint": "none"}),
    "undefined-exit": Play("", {"entrypoint": "ok", "onExit": "none"}),
    "undefined-template": Play("- {name: main, steps: [[{name: a, template: none}]]}"),
    "undefined-task": Play("- {name: main, dag: {tasks: [{name: a, template: none}]}}"),
    "no-name": Play("- {container: {image: busybox}}"),
    "same-name": Play("- {name: ok, container: {image: busybox, command: [x]}}", {"entrypoint": "ok"}),
    "no-type": Play("- {name: main}"),
    "two-types": Play("- {name: main, suspend: {}, container: {image: busybox, command: [x]}}"),
    "no-image": Play("- {name: main, container: {command: [x]}}"),
    "step-without-name": Play("- {name: main, steps: [[{template: ok}]]}"),
    "step-without-template": Play("- {name: main, steps: [[{name: a}]]}"),
    "same-steps": Play("- {name: main, steps: [[{name: a, template: ok}, {name: a, template: ok}]]}"),
    "same-steps-apart": Play("- {name: main, steps: [[{name: a, template: ok}], [{name: a, template: ok}]]}"),
    "step-bad-name": Play("- {name: main, steps: [[{name: 'a b', template: ok}]]}"),
    "task-bad-name": Play("- {name: main, dag: {tasks: [{name: a.b, template: ok}]}}"),
    "template-bad-name": Play(
        "- {name: 'a b', container: {image: busybox, command: [x]}}", {"entrypoint": "a b"}
    ),
    "argument-missing": Play("- {name: main, steps: [[{name: a, template: say}]]}"),
    "argument-unknown": Play(
        "- {name: main, steps: [[{name: a, template: say, arguments: {parameters: [{name: text, value: '{{inputs.parameters.x}}'}]}}]]}"
    ),
    "argument-of-workflow": Play(
        "- {name: main, steps: [[{name: a, template: ok}]]}", {"arguments": {"parameters": [{"name": "x"}]}}
    ),
    "entrypoint-needs": Play("", {"entrypoint": "say"}),
    "unresolved": Play(
        "- {name: main, container: {image: busybox, command: [echo, '{{workflow.parameters.none}}']}}"
    ),
    "unresolved-steps": Play(
        "- {name: main, steps: [[{name: a, template: say, arguments: {parameters: [{name: text, value: '{{steps.b.outputs.result}}'}]}}]]}"
    ),
    "unresolved-item": Play(
        "- {name: main, steps: [[{name: a, template: say, arguments: {parameters: [{name: text, value: '{{item}}'}]}}]]}"
    ),
    "unresolved-when": Play(
        "- {name: main, steps: [[{name: a, template: ok, when: '{{steps.x.status}} == 1'}]]}"
    ),
    "unresolved-task": Play(
        "- {name: main, dag: {tasks: [{name: a, template: ok}, {name: b, template: say, arguments: {parameters: [{name: text, value: '{{tasks.a.outputs.result}}'}]}}]}}"
    ),
    "cycle": Play(
        "- {name: main, dag: {tasks: [{name: a, template: ok, depends: b}, {name: b, template: ok, depends: a}]}}"
    ),
    "cycle-of-itself": Play("- {name: main, dag: {tasks: [{name: a, template: ok, depends: a}]}}"),
    "depends-undefined": Play("- {name: main, dag: {tasks: [{name: a, template: ok, depends: none}]}}"),
    "depends-unknown-result": Play(
        "- {name: main, dag: {tasks: [{name: b, template: ok}, {name: a, template: ok, depends: b.Odd}]}}"
    ),
    "depends-twice": Play(
        "- {name: main, dag: {tasks: [{name: b, template: ok}, {name: a, template: ok, depends: b, dependencies: [b]}]}}"
    ),
    "same-tasks": Play("- {name: main, dag: {tasks: [{name: a, template: ok}, {name: a, template: ok}]}}"),
    "target-undefined": Play("- {name: main, dag: {target: x, tasks: [{name: a, template: ok}]}}"),
    "steps-empty": Play("- {name: main, steps: []}"),
    "tasks-empty": Play("- {name: main, dag: {tasks: []}}"),
    "no-templates": Play("", {"entrypoint": "x", "templates": []}),
    "any-depends-without-items": Play(
        "- {name: main, dag: {tasks: [{name: a, template: ok}, {name: b, template: ok, depends: a.AnySucceeded}]}}"
    ),
    "two-loops": Play("- {name: main, steps: [[{name: a, template: ok, withItems: [1], withParam: '[1]'}]]}"),
    "retry-bad-limit": Play(
        "- {name: main, retryStrategy: {limit: x}, container: {image: busybox, command: [sh, -c, exit 1]}, metadata: {annotations: {kubeci.test/exit-code: '1'}}}"
    ),
}
