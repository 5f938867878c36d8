from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.workflow.canonical import any_string, canonical

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["parameters", "arguments", "inputs", "value", "enum", "valueFrom", "plugin", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)
manifests = st.dictionaries(st.sampled_from(["spec", "status", "metadata", "inputs"]), values)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("text", "text"),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (-3, "-3"),
        (0.1, "0.1"),
        (1e6, "1000000"),
        (1e21, "1000000000000000000000"),
        (1.5e-7, "0.00000015"),
        (-0.0, "-0"),
        (3.0, "3"),
        # A double holds no more: the value is read as one.
        (9007199254740993, "9007199254740992"),
        (10**400, 10**400),
        (float("inf"), float("inf")),
        ([1], [1]),
    ],
)
def test_scalars_are_written_as_argo_writes_them(value: object, written: object) -> None:
    assert any_string(value) == written
    assert type(any_string(value)) is type(written)


def test_parameters_become_text_and_nothing_else_does() -> None:
    manifest = {
        "kind": "Workflow",
        "status": {"phase": "Failed"},
        "metadata": {"labels": {"a": "b"}, "annotations": None},
        "spec": {
            "parallelism": 2,
            "arguments": {
                "parameters": [{"name": "n", "value": 1, "enum": [1, True, "x"], "description": 5}]
            },
            "templates": [
                {
                    "name": "t",
                    "inputs": {"parameters": [{"name": "n", "default": False, "value": None}]},
                    "outputs": {"parameters": [{"name": "o", "valueFrom": {"default": 1.50, "path": "/x"}}]},
                    "plugin": {"x": {"kept": None}},
                    "steps": [[{"name": "s", "withItems": [1, None, {"a": None, "b": 2}]}]],
                },
                None,
            ],
        },
    }
    before = copy.deepcopy(manifest)
    assert canonical(manifest) == {
        "kind": "Workflow",
        "metadata": {"labels": {"a": "b"}},
        "spec": {
            "parallelism": 2,
            "arguments": {
                "parameters": [{"name": "n", "value": "1", "enum": ["1", "true", "x"], "description": "5"}]
            },
            "templates": [
                {
                    "name": "t",
                    "inputs": {"parameters": [{"name": "n", "default": "false"}]},
                    "outputs": {"parameters": [{"name": "o", "valueFrom": {"default": "1.5", "path": "/x"}}]},
                    "plugin": {"x": {"kept": None}},
                    "steps": [[{"name": "s", "withItems": [1, None, {"a": None, "b": 2}]}]],
                },
                None,
            ],
        },
    }
    assert manifest == before


@given(manifests)
def test_the_canonical_form_is_its_own_and_leaves_the_manifest_alone(manifest: dict[str, Any]) -> None:
    before = repr(manifest)
    once = canonical(manifest)
    assert repr(canonical(once)) == repr(once)
    assert repr(manifest) == before
