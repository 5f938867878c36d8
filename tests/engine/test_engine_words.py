"""The names of nodes and pods, the items of loops, and durations, as Argo writes them."""

from __future__ import annotations

from typing import Any

import pytest

from kubeci.local.engine.items import LoopError, expand
from kubeci.local.engine.names import fnv32a, node_id, pod_name
from kubeci.local.engine.times import seconds_of


def test_names() -> None:
    assert fnv32a("ci-qjnw2[0].checkout") == 2554799674
    assert node_id("wf", "wf") == "wf"
    assert pod_name("wf", "wf", "main") == "wf"
    assert pod_name("w" * 200, "x", "t" * 100) == ("w" * 200 + "-" + "t" * 41) + f"-{fnv32a('x')}"


@pytest.mark.parametrize(
    ("loop", "names", "values"),
    [
        ({"withItems": [1, "a", True]}, ["s(0:1)", "s(1:a)", "s(2:true)"], ["1", "a", "true"]),
        ({"withItems": [{"k": "(v)"}]}, ["s(0:k:v)"], ['{"k":"(v)"}']),
        ({"withParam": '["x", 2.5]'}, ["s(0:x)", "s(1:2.5)"], ["x", "2.5"]),
        ({"withSequence": {"count": "2", "start": 5}}, ["s(0:5)", "s(1:6)"], ["5", "6"]),
        (
            {"withSequence": {"start": "2", "end": "1", "format": "n%02d"}},
            ["s(0:n02)", "s(1:n01)"],
            ["n02", "n01"],
        ),
        ({"withParam": "[]"}, [], []),
    ],
)
def test_loops(loop: dict[str, Any], names: list[str], values: list[str]) -> None:
    expanded = expand({"name": "s", "when": "{{item}}", **loop})
    assert [one["name"] for one in expanded] == names
    assert [one["when"] for one in expanded] == values


@pytest.mark.parametrize(
    "loop",
    [
        {"withParam": "no list"},
        {"withParam": '{"a": 1}'},
        {"withSequence": {"count": "many"}},
        {"withItems": list(range(1001))},
        {"withSequence": {"count": "100000000000"}},
        {"withSequence": {"count": 1, "format": "none"}},
    ],
)
def test_loops_that_cannot_be(loop: dict[str, Any]) -> None:
    with pytest.raises(LoopError):
        expand({"name": "s", **loop})


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90.0), ("30s", 30.0), ("1h30m", 5400.0), ("500ms", 0.5)]
)
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "x", "1y", "1s!", "-1s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        seconds_of(text)
