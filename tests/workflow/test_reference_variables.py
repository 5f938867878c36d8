"""Variables of Argo: which are known where they are used."""

from __future__ import annotations

import pytest
from reference_kit import BUILD, TAKES, spec, steps, tasks, told, told_like

from kubeci.workflow.references import Run

VARIABLES = [
    (
        spec("  templates:\n  - {name: a, inputs: {parameters: [{name: os}]}, container: {image: '{{inputs.parameters.so}}', args: ['{{inputs.parameters.os}}']}}"),
        ["error 3:63 unknown-variable: the template `a` has no input parameter `so`; declare it in `inputs.parameters`"],
    ),
    (
        spec("  templates:\n  - {name: a, container: {args: ['{{inputs.artifacts.src.path}}']}}"),
        ["error 3:34 unknown-variable: the template `a` has no input artifact `src`; declare it in `inputs.artifacts`"],
    ),
    (
        spec("  templates:\n  - {name: a, container: {args: ['{{ workflow.parameters.revison }}', '{{workflow.parameters.revision}}']}}"),
        ["error 3:34 unknown-parameter: the workflow has no parameter `revison`; did you mean `revision`?"],
    ),
    (
        spec("  templates:\n  - {name: a, container: {args: ['{{workflow.nmae}}', '{{workflow.name}}']}}"),
        ["error 3:34 unknown-variable: there is no variable `workflow.nmae`; did you mean `name`?"],
    ),
    (
        spec("  templates:\n  - {name: a, container: {args: ['{{workflow.outputs.parameters.x}}']}}"),
        ["error 3:34 unknown-variable: no template has an output with the global name `x`; an output gets there with `globalName`"],
    ),
    (
        spec("  templates:\n  - {name: a, container: {args: ['{{steps.b.outputs.result}}', '{{item.x}}', '{{item}}']}}"),
        [
            "error 3:34 unknown-variable: `{{steps.b.outputs.result}}` is not known in the template `a`; give it as an argument",
            "error 3:64 unknown-variable: `{{item}}` is not known in a template; it is where the template is called; give it as an argument",
            "warning 3:78 unknown-variable: `{{item}}` is not known in a template; it is where the template is called; give it as an argument",
        ],
    ),
    # Not Argo's, or not to be understood without running it.
    (spec("  templates:\n  - {name: a, container: {args: ['{{=inputs.parameters.x}}', '{{ .Values.x }}', '{{foo}}', '{{pod.name}}', '{{ x']}}"), []),
    (
        spec("  volumes: [{name: cache, persistentVolumeClaim: {claimName: '{{workflow.parameters.cacheVolumeClaimName}}'}}]"),
        [],
    ),
    (
        steps("[{name: a, template: build}],", "[{name: b, template: build, when: '{{steps.a.outputs.result}} == {{steps.c.status}}'}],", "[{name: c, template: build}]"),
        ["error 5:33 unknown-variable: the step `c` comes later; put it into a group before"],
    ),
    (
        steps("[{name: a, template: build}, {name: b, template: build, when: '{{steps.a.outputs.result}}'}]"),
        ["warning 4:61 unknown-variable: the step `a` runs beside this one; what it gives is not there yet; put it into a group before"],
    ),
    (
        steps("[{name: a, template: build, when: '{{steps.a.exitCode}}'}]"),
        ["error 4:33 unknown-variable: the step `a` uses what it gives itself; only its `exit` hook can"],
    ),
    (
        steps("[{name: test, template: build}],", "[{name: b, template: build, when: '{{steps.tst.status}}'}]"),
        ["error 5:33 unknown-variable: there is no step `tst` here; did you mean `test`?"],
    ),
    (
        steps("[{name: a, template: build}],", "[{name: b, template: build, when: '{{steps.a.outputs.parameters.version}}'}]"),
        ["error 5:33 unknown-variable: the template `build` has no output parameter `version`; declare it in its `outputs.parameters`"],
    ),
    (
        steps("[{name: a, template: build}],", "[{name: b, template: build, when: '{{steps.a.output.result}} {{tasks.a.status}}'}]"),
        [
            "error 5:33 unknown-variable: a step or task has no `output.result`; did you mean `outputs.result`?",
            "error 5:33 unknown-variable: `{{tasks.a.status}}` is not known in a step; give it as an argument",
        ],
    ),
    (
        steps("[{name: a, template: build, when: '{{item.x}}'}, {name: b, template: build, when: '{{item.y}}{{item.x}}', withItems: [{x: 1}]}]"),
        [
            "error 4:33 unknown-variable: the step `a` has no items to go through; add `withItems`, `withParam` or `withSequence`",
            "error 4:81 unknown-variable: the items of `b` have no `y`",
        ],
    ),
    (
        tasks("{name: a, template: build}", "{name: b, template: build, when: '{{tasks.a.outputs.result}}'}"),
        ["warning 5:32 missing-dependency: the task does not wait for `a`, whose `outputs.result` it uses; add `a` to its `depends` or `dependencies`"],
    ),
    (
        tasks("{name: a, template: build}", "{name: b, template: takes, arguments: {parameters: [{name: os, value: '{{tasks.a.outputs.result}}'}]}}", more=BUILD + TAKES),
        ["error 5:68 missing-dependency: the task does not wait for `a`, whose `outputs.result` it uses; add `a` to its `depends` or `dependencies`"],
    ),
    (tasks("{name: a, template: build}", "{name: m, template: build, depends: a}", "{name: b, template: build, depends: m.Failed, when: '{{tasks.a.status}}'}"), []),
    (
        tasks("{name: a, template: build}", "{name: b, template: build, depends: a, when: '{{tasks.aa.status}}'}"),
        ["error 5:44 unknown-variable: there is no task `aa` here"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), VARIABLES)
def test_what_leads_nowhere_is_told_with_its_place(text: str, expected: list[str]) -> None:
    assert told_like(expected, text) == expected


def test_a_run_gives_its_own_parameters() -> None:
    text = spec(
        "  templates:\n  - {name: a, container: {args: ['{{workflow.parameters.tag}} {{workflow.parameters.x}}']}}"
    )
    (found,) = told(text, Run(parameters=frozenset({"branch", "x"})))
    assert found.endswith("the workflow has no parameter `tag`; `refName` is there for branches and tags")
