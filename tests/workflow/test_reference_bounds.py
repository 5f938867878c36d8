"""Whatever a manifest holds, it is judged in time, without an exception and with a place."""

from __future__ import annotations

import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kubeci.errors import Location
from kubeci.workflow.references import reference_problems
from kubeci.workflow.schema import LIMIT


def test_without_positions_the_file_is_named() -> None:
    (problem,) = reference_problems({"spec": {"onExit": "x"}}, {}, "ci.star")
    assert problem.where == Location("ci.star")


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
    start = time.thread_time()
    assert len(reference_problems({"spec": {"templates": templates}}, {}, "ci.yaml")) == LIMIT
    assert time.thread_time() - start < 2


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
