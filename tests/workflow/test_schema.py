from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.definition.yaml_reader import read_yaml
from kubeci.errors import Location
from kubeci.workflow.faults import FAULTS_LIMIT, Fault, _validator, faults
from kubeci.workflow.schema import LIMIT, problems

ROOT = Path(__file__).parents[2]
RECORDINGS = sorted((ROOT / "tests" / "data" / "argo-recordings").iterdir())
EXAMPLES = Path(os.environ.get("KUBECI_ARGO_EXAMPLES", ROOT.parent / "shared" / "data" / "argo-examples"))
HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n"


def told(text: str) -> list[str]:
    manifest, positions = read_yaml(text, "ci.yaml")
    return [
        f"{problem.severity} {problem.where}: {problem.message}"
        + (f"; {problem.hint}" if problem.hint else "")
        for problem in problems(manifest, positions, "ci.yaml")
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + "spec: {}\n", []),
        (
            HEAD + "spec:\n  entrypoint: null\n  arguments: {parameters: [{name: a, value: 1}]}\nstatus: 5\n",
            [],
        ),
        (
            HEAD + "spec:\n  templates:\n  - name: build\n    container:\n      imge: alpine\n",
            [
                "warning ci.yaml:7:7: `imge` is not a field of `container` in the template `build`; did you mean `image`?"
            ],
        ),
        (
            HEAD + "spec:\n  templates:\n  - name: build\n    containr: {}\n  - dga: {}\n",
            [
                "warning ci.yaml:6:5: `containr` is not a field of the template `build`; did you mean `container`?",
                "warning ci.yaml:7:5: `dga` is not a field of template 2",
            ],
        ),
        (
            HEAD + "spec:\n  entryPoint: x\n  bogus: 1\n",
            [
                "warning ci.yaml:4:3: `entryPoint` is not a field of `spec`; did you mean `entrypoint`?",
                "warning ci.yaml:5:3: `bogus` is not a field of `spec`",
            ],
        ),
        (
            HEAD + "specs: {}\nspec: {}\n",
            ["warning ci.yaml:3:1: `specs` is not a field of a Workflow; did you mean `spec`?"],
        ),
        (
            HEAD
            + "spec:\n  bogus: 1\n  parallelism: two\n  templates:\n  - name: t\n    container: {command: make, args: [1]}\n",
            [
                "error ci.yaml:5:3: `parallelism` in `spec` must be an integer, not text",
                "error ci.yaml:8:17: `command` in `container` in the template `t` must be a list, not text",
                "error ci.yaml:8:39: `args[0]` in `container` in the template `t` must be text, not an integer",
                "warning ci.yaml:4:3: `bogus` is not a field of `spec`",
            ],
        ),
        (
            HEAD + "spec:\n  templates:\n  - name: t\n    container: {env: [{name: A, value: true}]}\n",
            ["error ci.yaml:6:33: `value` in `env[0]` in the template `t` must be text, not true or false"],
        ),
        (
            "apiVersion: argoproj.io/v1alpha1\nkind: CronWorkflow\nspec: {}\n",
            ["error ci.yaml:2:1: `kind` is `CronWorkflow`; a definition has `Workflow`"],
        ),
        (
            "kind: Workflow\n",
            [
                "error ci.yaml:1:1: `apiVersion` is missing in a Workflow",
                "error ci.yaml:1:1: `spec` is missing in a Workflow",
            ],
        ),
        (HEAD + "spec: [1]\n", ["error ci.yaml:3:1: `spec` in a Workflow must be a mapping, not a list"]),
    ],
)
def test_problems_say_where_what_and_what_to_do(text: str, expected: list[str]) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    "spec",
    [
        "synchronization: {mutex: {name: a}}",
        "templates: [{synchronization: {semaphore: {configMapKeyRef: {name: a, key: b}}}}]",
        "podPriority: 5",
        "templates: [{sidecars: [{readinessProbe: {httpGet: {port: http}}}]}]",
        "templates: [{sidecars: [{readinessProbe: {httpGet: {port: 80}}}]}]",
        "templates: [{container: {resources: {limits: {cpu: 2, memory: 1Gi}}}}]",
        "templates: [{pendingTimeout: 5m, podResources: {limits: {cpu: 1}}, resourceClaims: [{name: gpu}]}]",
        "templates: [{plugin: {slack: {text: hello, deep: [1]}}}]",
        "templates: [{retryStrategy: {limit: 3}}, {retryStrategy: {limit: '{{inputs.parameters.n}}'}}]",
        "templates: [{steps: [[{name: a, template: b, withItems: [1, a, {b: c}]}]]}]",
        "templates: [{container: {imagePullPolicy: '{{inputs.parameters.policy}}'}}]",
    ],
)
def test_what_clusters_accept_is_no_problem(spec: str) -> None:
    assert told(f"{HEAD}spec:\n  {spec}\n") == []


def test_without_positions_the_file_is_named() -> None:
    (problem,) = problems(
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": 1}, {}, "ci.star"
    )
    assert problem.where == Location("ci.star")


def test_a_place_in_an_alias_is_that_of_what_is_around_it() -> None:
    manifest = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": {"a/b~": {}}}
    assert problems(manifest, {"/spec": (3, 1)}, "f")[0].where == Location("f", 3, 1)
    assert problems(manifest, {"/spec/a~1b~0": (4, 2)}, "f")[0].where == Location("f", 4, 2)


def test_faults_are_those_the_api_server_names() -> None:
    container = {"image": ["alpine"], "command": "make", "comand": []}
    manifest: dict[str, Any] = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "spec": {"templates": [{"name": "build", "container": container}, "oops"]},
    }
    found = faults(manifest)
    assert {(fault.path, fault.kind, fault.known[:1]) for fault in found if fault.kind == "type"} == {
        (("spec", "templates", 0, "container", "image"), "type", ("string",)),
        (("spec", "templates", 0, "container", "command"), "type", ("array",)),
        (("spec", "templates", 1), "type", ("object",)),
    }
    (unknown,) = (fault for fault in found if fault.kind == "unknown")
    assert unknown.path == ("spec", "templates", 0, "container", "comand")
    assert "command" in unknown.known
    assert faults({"kind": "Workflow", "apiVersion": "argoproj.io/v1alpha1"}) == [Fault(("spec",), "missing")]


def test_thousands_of_problems_are_bounded_and_errors_come_first() -> None:
    spec: dict[str, Any] = {f"field-{number}": number for number in range(500)}
    manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "spec": {**spec, "parallelism": "x"},
    }
    found = problems(manifest, {}, "f")
    assert len(found) == LIMIT
    assert [problem.severity for problem in found[:2]] == ["error", "warning"]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["spec", "templates", "name", "container", "image"]) | st.text(max_size=4),
            inner,
            max_size=3,
        )
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(["apiVersion", "kind", "metadata", "spec"]), anything))
def test_no_manifest_makes_the_check_fail(manifest: dict[str, Any]) -> None:
    for problem in problems(manifest, {}, "f"):
        assert "\n" not in problem.message
        assert len(problem.message) < 400


@given(
    st.dictionaries(
        st.sampled_from(["apiVersion", "kind", "metadata", "spec", "x"]), anything | st.just("Workflow")
    )
)
def test_faults_are_found_exactly_where_the_schema_is_left(manifest: dict[str, Any]) -> None:
    whole = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", **manifest}
    assert bool(faults(whole)) == (not _validator().is_valid(whole))


def test_a_field_that_is_no_unicode_is_unknown() -> None:
    manifest = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": {"\ud800": 1}}
    assert [problem.message for problem in problems(manifest, {}, "f")] == ["`?` is not a field of `spec`"]


def test_a_manifest_made_of_faults_is_bounded() -> None:
    spec = {"templates": [1] * 200_000}
    found = faults({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": spec})
    assert len(found) == FAULTS_LIMIT


@pytest.mark.parametrize("folder", RECORDINGS, ids=lambda folder: folder.name)
def test_recorded_workflows_have_no_problem(folder: Path) -> None:
    manifest, positions = read_yaml((folder / "workflow.yaml").read_text(), "workflow.yaml")
    assert problems(manifest, positions, "workflow.yaml") == ()
    last = json.loads((folder / "workflow-events.jsonl").read_text().splitlines()[-1])["object"]
    assert faults(last) == []


@pytest.mark.skipif(
    not EXAMPLES.is_dir(),
    reason="the examples of argo-workflows are not here: set KUBECI_ARGO_EXAMPLES to the folder `examples` of a checkout of v4.1.2",
)
def test_argos_own_examples_have_no_problem() -> None:
    seen = 0
    for path in sorted(EXAMPLES.glob("*.yaml")):
        text = path.read_text()
        if "\n---" in text.strip().removeprefix("---"):
            continue
        manifest, positions = read_yaml(text, path.name)
        if manifest.get("kind") == "Workflow":
            assert problems(manifest, positions, path.name) == (), path.name
            seen += 1
    assert seen > 50
