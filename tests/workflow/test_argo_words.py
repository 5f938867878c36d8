from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.workflow.argo_words import pointed_at
from kubeci.workflow.faults import Path

MANIFEST: dict[str, Any] = {
    "spec": {
        "entrypoint": "main",
        "onExit": "gone",
        "arguments": {"parameters": [{"name": "a"}, {"name": "b"}]},
        "templates": [
            {"name": "main", "steps": [[{"name": "one"}], [{"name": "two"}, {"name": "three"}]]},
            {"name": "graph", "dag": {"tasks": [{"name": "x"}, {"name": "y"}]}},
            {"name": "leaf", "inputs": {"parameters": [{"name": "p"}]}, "container": {}},
        ],
    }
}


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("templates.main.steps[1].three template reference a.b not found", ("templates", 0, "steps", 1, 1)),
        ("templates.main.steps[1].four is new", ("templates", 0, "steps", 1)),
        ("templates.main.steps[7].one is far", ("templates", 0, "steps")),
        ("templates.graph.tasks.y template name 'z' undefined", ("templates", 1, "dag", "tasks", 1)),
        ("templates.graph sorting failed: invalid dependency zz", ("templates", 1)),
        ("templates.leaf.inputs.parameters.p is odd", ("templates", 2, "inputs", "parameters", 0)),
        ("templates.leaf.container.image may not be empty", ("templates", 2, "container")),
        ("error in templates.leaf.outputs.artifacts: no", ("templates", 2)),
        ("templates.other.container is of the cluster's", ("templates",)),
        ("spec.arguments.b.value or spec.arguments.b.valueFrom is required", ("arguments", "parameters", 1)),
        ("spec.entrypoint is required", ("entrypoint",)),
        ("template name 'main' undefined", ("entrypoint",)),
        ("template name 'gone' undefined", ("onExit",)),
    ],
)
def test_places(words: str, path: Path) -> None:
    assert pointed_at(words, MANIFEST) == ("spec", *path)


@pytest.mark.parametrize("words", ["", "template name 'x' undefined", 'workflowtemplates "x" not found'])
def test_no_place(words: str) -> None:
    assert pointed_at(words, MANIFEST) == ()


_odd = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["spec", "templates", "steps", "dag", "tasks", "name", "a"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


@given(st.text(max_size=200) | st.from_regex(r"(spec|templates)(\.a|\.steps|\[\d{1,3}\]|\.tasks){1,6}"), _odd)
def test_a_place_is_always_one_of_the_manifest(words: str, spec: Any) -> None:
    manifest = {"spec": spec}
    at: Any = manifest
    for key in pointed_at(words, manifest):
        at = at[key]
