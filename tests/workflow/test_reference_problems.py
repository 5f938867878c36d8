from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeci.definition.yaml_reader import read_yaml
from kubeci.errors import Location
from kubeci.workflow.references import Run, reference_problems
from kubeci.workflow.schema import LIMIT

ROOT = Path(__file__).parents[2]
RECORDINGS = sorted((ROOT / "tests" / "data" / "argo-recordings").iterdir())
EXAMPLES = Path(os.environ.get("KUBECI_ARGO_EXAMPLES", ROOT.parent / "shared" / "data" / "argo-examples"))
BUILD = "\n  - name: build\n    container: {image: alpine}\n"
TAKES = "\n  - {name: takes, inputs: {parameters: [{name: os}]}, script: {source: 'echo {{inputs.parameters.os}}'}}\n"


def told(text: str, run: Run | None = None) -> list[str]:
    manifest, positions = read_yaml(text, "ci.yaml")
    found = reference_problems(manifest, positions, "ci.yaml", run or Run())
    return [
        f"{problem.severity} {problem.where.line}:{problem.where.column} {problem.rule}: {str(problem).split(': ', 1)[1]}"
        for problem in found
    ]


def spec(text: str) -> str:
    """Give a workflow whose spec is `text`; its first line is the second of the file."""
    return "spec:\n" + text


def steps(*lines: str, more: str = BUILD) -> str:
    """Give a workflow with the steps of a template `main`, the first step in line 4."""
    body = "\n".join(f"    {line}" for line in lines)
    return spec(f"  templates:\n  - {{name: main, steps: [\n{body}\n    ]}}{more}")


def tasks(*lines: str, more: str = BUILD) -> str:
    """Give a workflow with the tasks of a template `main`, the first task in line 4."""
    body = "\n".join(f"    {line}," for line in lines)
    return spec(f"  templates:\n  - {{name: main, dag: {{tasks: [\n{body}\n    ]}}}}{more}")


NAMES = [
    (
        spec("  templates: [{container: {image: a}}]"),
        ["error 2:15 name: a template has no name; give it a `name`"],
    ),
    (
        spec(f"  templates:{BUILD}{BUILD}"),
        ["error 6:5 duplicate-name: the template `build` is defined twice; each name stands for one"],
    ),
    (
        spec("  templates:\n  - {name: a_b, container: {image: a}}"),
        [
            "error 3:6 name: `a_b` is no name for a template; letters, digits and dashes make a name, a dash not in front"
        ],
    ),
    (
        spec("  templates:\n  - {name: a}"),
        [
            (
                "error 3:5 template-kind: the template `a` does not say what it does; "
                "give it `container`, `script`, `steps`, `dag`, `suspend` or another kind"
            )
        ],
    ),
    (
        spec("  templates:\n  - {name: a, container: {}, script: {}}"),
        [
            "error 3:30 template-kind: the template `a` has `container` and `script`; a template does one thing"
        ],
    ),
    (spec("  templates:\n  - {name: a, dag: {tasks: []}}"), ["error 3:15 template-kind: `a` has no tasks"]),
    (
        spec("  workflowTemplateRef: {name: shared}\n  templates: []"),
        [],
    ),
    (
        spec("  workflowTemplateRef: {name: shared}\n  templates: [{name: a}]"),
        [
            (
                "error 3:3 template-kind: a workflow with `workflowTemplateRef` has no templates of its own; "
                "remove `templates`, or call the other's with `templateRef`"
            )
        ],
    ),
    (
        steps("[{name: a, template: build}, {name: a, template: build}]"),
        ["error 4:35 duplicate-name: the step `a` is defined twice; each name stands for one"],
    ),
    (
        tasks("{name: a, template: build}", "{name: a, template: build}"),
        ["error 5:6 duplicate-name: the task `a` is defined twice; each name stands for one"],
    ),
    (
        spec("  arguments: {parameters: [{name: a b, value: 1}, {name: repo, value: 1}]}"),
        [
            "error 2:29 name: `a b` is no name for a parameter; letters, digits, dashes and underscores make a name",
            "warning 2:29 unused-parameter: the workflow's parameter `a b` is not used",
        ],
    ),
    (
        steps("[{name: Go, template: Build}]", more="\n  - {name: Build, container: {image: a}}"),
        [
            (
                "warning 6:6 capital-letters: the template `Build` has capital letters; "
                "its pods are named after it and cannot be made; call it `build`"
            )
        ],
    ),
    # The pod of an entrypoint is named like the workflow, a template of steps has none.
    (spec("  entrypoint: Build\n  templates: [{name: Build, container: {image: a}}]"), []),
    (spec("  templates: [{name: Build, suspend: {}}]"), []),
    (
        spec("  templates: [{name: Build, script: {source: x}, retryStrategy: {limit: 1}}]"),
        ["capital-letters"],
    ),
]

CALLS = [
    (
        steps("[{name: a, template: biuld}]"),
        ["error 4:16 undefined-template: there is no template `biuld`; did you mean `build`?"],
    ),
    (
        tasks("{name: a, template: zzz}"),
        ["error 4:15 undefined-template: there is no template `zzz`; the templates are `main`, `build`"],
    ),
    (
        spec(f"  onExit: bild\n  templates:{BUILD}"),
        ["error 2:3 undefined-template: there is no template `bild`; did you mean `build`?"],
    ),
    (
        spec(f"  hooks: {{exit: {{template: bild}}, slow: {{template: build}}}}\n  templates:{BUILD}"),
        [
            "error 2:35 hook: the hook `slow` has no `expression`; only `exit` goes without",
            "warning 2:18 undefined-template: there is no template `bild`; did you mean `build`?",
        ],
    ),
    (
        steps("[{name: a, template: build, hooks: {exit: {template: bild}}}]"),
        ["warning 4:48 undefined-template: there is no template `bild`; did you mean `build`?"],
    ),
    (
        steps("[{name: a, template: build, onExit: bild}]"),
        ["warning 4:33 undefined-template: there is no template `bild`; did you mean `build`?"],
    ),
    (steps("[{name: a}]"), ["error 4:6 undefined-template: the step `a` names no template; set `template`"]),
    (steps("[{name: a, templateRef: {name: shared, template: x}}]"), []),
    (steps("[{name: a, inline: {container: {image: a}}}]"), []),
    (steps("[{name: a, template: '{{inputs.parameters.which}}'}]"), ["unknown-variable"]),
    (
        steps("[{name: a, template: build, templateRef: {name: shared}}]"),
        [
            "error 4:6 undefined-template: the step `a` has `template` and `templateRef`; choose one",
            (
                "error 4:33 undefined-template: the `templateRef` of the step `a` is not complete; "
                "it has `name`, the WorkflowTemplate, and `template`, the one in it"
            ),
        ],
    ),
    (
        steps("[{name: a, template: takes}]", more=TAKES),
        [
            (
                "error 4:6 missing-input: the step `a` does not give `os`, which the template `takes` needs; "
                "add it to `arguments.parameters`, or give the input a `default`"
            )
        ],
    ),
    (
        steps(
            "[{name: a, template: takes, arguments: {parameters: [{name: os, value: 1}, {name: oss, value: 1}]}}]",
            more=TAKES,
        ),
        [
            "warning 4:81 unknown-argument: the step `a` gives `oss`, which the template `takes` does not take; did you mean `os`?"
        ],
    ),
    (
        steps("[{name: a, template: takes, arguments: {parameters: [{name: os}]}}]", more=TAKES),
        ["error 4:58 missing-input: the argument `os` has no value"],
    ),
    (
        steps(
            "[{name: a, template: b}]",
            more="\n  - {name: b, inputs: {artifacts: [{name: src, path: /s}]}, container: {}}\n",
        ),
        [
            (
                "error 4:6 missing-input: the step `a` does not give the artifact `src`, which the template `b` needs; "
                "add it to `arguments.artifacts`, or make it `optional: true`"
            )
        ],
    ),
    (
        steps(
            "[{name: a, template: b}]",
            more="\n  - {name: b, inputs: {artifacts: [{name: s, git: {}}, {name: o, optional: true}]}, container: {}}\n",
        ),
        [],
    ),
    (
        spec(f"  entrypoint: takes\n  templates:{TAKES}"),
        [
            (
                "error 4:5 missing-input: the workflow starts `takes` and gives no value for its input `os`; "
                "declare a parameter of this name in `spec.arguments`, or a `default`"
            )
        ],
    ),
    (
        spec(
            f"  entrypoint: takes\n  arguments: {{parameters: [{{name: os, value: linux}}]}}\n  templates:{TAKES}"
        ),
        [],
    ),
    (
        spec(
            "  arguments: {parameters: [{name: os}, {name: revision}]}\n  templates: [{name: a, suspend: {}}]"
        ),
        ["missing-input", "unused-parameter"],
    ),
    (spec("  arguments: {parameters: [{name: os}]}\n  workflowTemplateRef: {name: shared}"), []),
]

ORDER = [
    (
        tasks("{name: a, template: build, dependencies: [b]}", "{name: b, template: build, depends: a.Succeeded}"),
        ["error 4:5 dependency-cycle: the tasks wait for each other: a -> b -> a; one of them must not wait"],
    ),
    (tasks("{name: a, template: build, dependencies: [a]}"), ["error 4:5 dependency-cycle: the tasks wait for each other: a -> a; one of them must not wait"]),
    (
        tasks("{name: lint, template: build}", "{name: b, template: build, depends: '(lnt && !lint.Failed) || lint.Done'}"),
        [
            "error 5:32 dependency: the task `b` waits for `lnt`, which is no task here; did you mean `lint`?",
            ("error 5:32 dependency: `Done` is not a result of a task; "
            "the results are Succeeded, Failed, Errored, Skipped, Omitted, Daemoned, AnySucceeded, AllFailed"),
        ],
    ),
    (
        tasks("{name: a, template: build}", "{name: b, template: build, depends: a, dependencies: [a]}"),
        ["error 5:32 dependency: the task `b` has `depends` and `dependencies`; choose one"],
    ),
    (
        spec(f"  templates:\n  - name: main\n    dag: {{target: 'a c', tasks: [{{name: a, template: build}}]}}{BUILD}"),
        ["error 4:11 dependency: the target `c` is no task here"],
    ),
    (
        steps("[{name: a, template: main}]"),
        ["warning 3:5 endless-recursion: the templates call each other for ever: main -> main; a `when` at one of the calls ends it"],
    ),
    (steps("[{name: a, template: main, when: '1 == 2'}]"), []),
    (steps("[{name: a, template: main, withParam: '[]'}]"), []),
]  # fmt: skip

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

UNUSED = [
    (
        spec("  templates:\n  - {name: a, inputs: {parameters: [{name: os}, {name: environment}]}, container: {image: a}}"),
        ["warning 3:38 unused-parameter: the input `os` of the template `a` is not used"],
    ),
    (spec("  templates:\n  - {name: a, inputs: {parameters: [{name: os}]}, container: {args: ['{{=inputs.parameters[\"os\"]}}']}}"), []),
    (spec("  templates:\n  - {name: a, inputs: {parameters: [{name: os}]}, container: {args: ['{{inputs.parameters}}']}}"), []),
    (spec("  templates:\n  - {name: a, inputs: {parameters: [{name: os}]}, container: {args: ['{{=toJson(inputs)}}']}}"), []),
    (
        spec("  templates:\n  - {name: a, container: {volumeMounts: [{name: cahe, mountPath: /c}]}}\n  volumes: [{name: cache, persistentVolumeClaim: {}}]"),
        [
            "warning 3:43 unknown-volume: there is no volume `cahe` to mount; did you mean `cache`?",
            "warning 4:27 unknown-volume: the volume `cache` names no claim; set `claimName`",
        ],
    ),
    (spec("  templates:\n  - {name: a, container: {volumeMounts: [{name: c, mountPath: /c}]}}\n  volumeClaimTemplates: [{metadata: {name: c}}]"), []),
    (spec("  templates:\n  - {name: a, podSpecPatch: x, container: {volumeMounts: [{name: c, mountPath: /c}]}}"), []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [*NAMES, *CALLS, *ORDER, *VARIABLES, *UNUSED])
def test_what_leads_nowhere_is_told_with_its_place(text: str, expected: list[str]) -> None:
    found = told(text)
    if expected and " " not in expected[0]:
        found = [line.split()[2].removesuffix(":") for line in found]
    assert found == expected


def test_a_run_gives_its_own_parameters() -> None:
    text = spec(
        "  templates:\n  - {name: a, container: {args: ['{{workflow.parameters.tag}} {{workflow.parameters.x}}']}}"
    )
    (found,) = told(text, Run(parameters=frozenset({"branch", "x"})))
    assert found.endswith("the workflow has no parameter `tag`; `refName` is there for branches and tags")


def test_without_positions_the_file_is_named() -> None:
    (problem,) = reference_problems({"spec": {"onExit": "x"}}, {}, "ci.star")
    assert problem.where == Location("ci.star")


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.name)
def test_what_a_controller_ran_has_no_error_and_what_it_refused_has_one(recording: Path) -> None:
    if not (recording / "workflow.yaml").exists():
        pytest.skip("no manifest kept")
    errors = [line for line in told((recording / "workflow.yaml").read_text()) if line.startswith("error")]
    expected = {
        "12-invalid-undefined-template": [
            "error 14:32 undefined-template: there is no template `deploy`; the templates are `pipeline`, `build`"
        ]
    }
    assert errors == expected.get(recording.name, [])


def test_many_templates_are_judged_in_a_second() -> None:
    templates: list[Any] = [
        {"name": f"t{n}", "steps": [[{"name": "s", "template": f"t{n + 1}", "when": "{{steps.x.status}}"}]]}
        for n in range(10_000)
    ]
    chain = [
        {
            "name": f"n{n}",
            "template": "t",
            "dependencies": [f"n{n - 1}"] if n else [],
            "when": "{{tasks.n0.id}}",
        }
        for n in range(5_000)
    ]
    templates.append({"name": "dag", "dag": {"tasks": chain}})
    templates.append({"name": "braces", "container": {"args": ["{{" * 300_000, "inputs" * 50_000]}})
    start = time.perf_counter()
    assert len(reference_problems({"spec": {"templates": templates}}, {}, "ci.yaml")) == LIMIT
    assert time.perf_counter() - start < 2


def test_depth_is_no_matter() -> None:
    deep: Any = "{{inputs.parameters.x}}"
    for _ in range(50_000):
        deep = [deep]
    (problem,) = reference_problems(
        {"spec": {"templates": [{"name": "a", "container": deep}]}}, {}, "ci.yaml"
    )
    assert problem.rule == "unknown-variable"
    while isinstance(deep, list):  # taken apart by hand: Python would do it by recursion
        deep = deep.pop()


WORDS = st.sampled_from(
    ["spec", "templates", "name", "steps", "dag", "tasks", "container", "script", "inputs", "outputs", "parameters", "artifacts", "arguments", "value", "template", "templateRef", "inline", "hooks", "exit", "depends", "dependencies", "when", "withItems", "withParam", "volumes", "volumeMounts", "metadata", "entrypoint", "onExit", "{{inputs.parameters.a}}", "{{steps.a.outputs.result}}", "{{tasks.a.status}}", "{{item.a}}", "{{workflow.x}}", "a", "b"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=40,
)


@settings(max_examples=60)  # making them takes ten times as long as looking at them
@given(JSON, st.dictionaries(WORDS, JSON, max_size=8))
def test_no_manifest_raises(anything: Any, template: dict[str, Any]) -> None:
    reference_problems(anything, {}, "ci.yaml")
    manifest = {"spec": {"templates": [{"name": "a", **template}, anything], "arguments": anything}}
    for problem in reference_problems(manifest, {}, "ci.yaml"):
        assert problem.message
        assert "\n" not in str(problem)


@pytest.mark.skipif(
    not EXAMPLES.is_dir(),
    reason="the examples of argo-workflows are not here: set KUBECI_ARGO_EXAMPLES to the folder `examples` of a checkout of v4.1.2",
)
def test_every_example_of_argo_passes() -> None:
    refused: dict[str, list[str]] = {}
    for path in sorted(EXAMPLES.rglob("*.yaml")):
        for text in path.read_text().split("\n---\n"):
            if "\nkind: Workflow\n" not in f"\n{text}":
                continue
            errors = [line for line in told(text) if line.startswith("error")]
            if errors:
                refused[path.name] = errors
    assert refused == {}
