"""Names of templates, steps and parameters: which are none, stand twice or stand for nothing."""

from __future__ import annotations

import pytest
from reference_kit import BUILD, spec, steps, tasks, told_like

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


@pytest.mark.parametrize(("text", "expected"), [*NAMES, *UNUSED])
def test_what_leads_nowhere_is_told_with_its_place(text: str, expected: list[str]) -> None:
    assert told_like(expected, text) == expected
