"""Calls of templates: who is called, with what, and in which order."""

from __future__ import annotations

import pytest
from reference_kit import BUILD, TAKES, spec, steps, tasks, told_like

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


@pytest.mark.parametrize(("text", "expected"), [*CALLS, *ORDER])
def test_what_leads_nowhere_is_told_with_its_place(text: str, expected: list[str]) -> None:
    assert told_like(expected, text) == expected
