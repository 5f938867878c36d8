"""The law of a retry: whatever shape a workflow has and whatever failed, the second attempt runs what did not succeed, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kubeci.local.engine.nodes import FULFILLED
from kubeci.local.engine.operate import operate
from kubeci.local.engine.operation import PodState
from kubeci.local.engine.retry import formulate

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ENDED = "2026-11-21T00:00:01Z"
FAILED = PodState("Failed", "main: Error (exit code 1)", exit_code=1, finished_at=ENDED)
SUCCEEDED = PodState("Succeeded", exit_code=0, finished_at=ENDED)

Shape = Any
"""A leaf is "pod" or "tries"; else ("steps" or "tries", groups of shapes) or ("dag", [(shape, numbers of earlier tasks)])."""


def _inner(shapes: st.SearchStrategy[Shape]) -> st.SearchStrategy[Shape]:
    groups = st.lists(st.lists(shapes, min_size=1, max_size=2), min_size=1, max_size=3)
    tasks = st.lists(st.tuples(shapes, st.sets(st.integers(0, 3))), min_size=1, max_size=4)
    return st.tuples(st.sampled_from(["steps", "tries"]), groups) | st.tuples(st.just("dag"), tasks)


SHAPES = st.recursive(st.sampled_from(["pod", "tries"]), _inner, max_leaves=8)


def workflow_of(shape: Shape) -> dict[str, Any]:
    templates: list[dict[str, Any]] = []

    def add(one: Shape) -> str:
        name = f"t{len(templates)}"
        template: dict[str, Any] = {"name": name}
        templates.append(template)
        if isinstance(one, str):
            template["container"] = {"image": "any", "command": ["true"]}
        elif one[0] in {"steps", "tries"}:
            template["steps"] = [
                [{"name": f"s{index}-{number}", "template": add(step)} for number, step in enumerate(group)]
                for index, group in enumerate(one[1])
            ]
        else:
            tasks = [
                {
                    "name": f"k{number}",
                    "template": add(task),
                    "dependencies": [f"k{i}" for i in sorted(needs) if i < number],
                }
                for number, (task, needs) in enumerate(one[1])
            ]
            template["dag"] = {"tasks": tasks}
        if "tries" in (one, one[0]):
            template["retryStrategy"] = {"limit": 1}
        return name

    entrypoint = add(shape)
    templates.append({"name": "bye", "container": {"image": "any", "command": ["true"]}})
    metadata = {
        "name": "wf",
        "namespace": "ci",
        "uid": "u",
        "creationTimestamp": "2026-11-21T00:00:00Z",
    }
    return {"metadata": metadata, "spec": {"entrypoint": entrypoint, "templates": templates, "onExit": "bye"}}


def play(workflow: dict[str, Any], failing: set[int]) -> tuple[dict[str, Any], list[str]]:
    """Run to the end; the pods with these numbers, in the order of their start, fail. Gives the names of all nodes run."""
    started: list[str] = []
    pods: dict[str, PodState] = {}
    now = NOW
    for _ in range(100):
        outcome = operate(workflow, pods, now)
        workflow = outcome.workflow
        if "finishedAt" in workflow["status"]:
            return workflow, started
        for request in outcome.start:
            failed = len(started) in failing and request.template["name"] != "bye"
            pods[request.node_id] = FAILED if failed else SUCCEEDED
            started.append(request.node_name)
        now += timedelta(seconds=1)
    raise AssertionError(workflow["status"])


@settings(max_examples=150, deadline=None)
@given(SHAPES, st.sets(st.integers(0, 9)))
@example(("steps", [[("tries", [["pod"]])], ["pod"]]), {0, 2})
def test_a_retry_runs_what_did_not_succeed(shape: Shape, failing: set[int]) -> None:
    first, ran = play(workflow_of(shape), failing)
    if first["status"]["phase"] == "Succeeded":
        return
    succeeded = {
        node["name"]
        for node in first["status"]["nodes"].values()
        if node["type"] == "Pod" and node["phase"] == "Succeeded" and node["name"] != "wf.onExit"
    }
    retried = formulate(first, NOW).workflow
    nodes = retried["status"]["nodes"]
    for node in nodes.values():
        linked = [*node.get("children", []), *node.get("outboundNodes", [])]
        assert all(one in nodes for one in linked)
    kept = {node["name"] for node in nodes.values() if node["type"] == "Pod"}
    assert kept <= set(ran)

    last, again = play(retried, set())
    assert last["status"]["phase"] == "Succeeded"
    assert again[-1:] == ["wf.onExit"]
    assert len(again) == len(set(again))
    assert not kept & set(again), "what is kept does not run again"
    assert {node["phase"] for node in last["status"]["nodes"].values()} <= FULFILLED
    assert {name for name in succeeded if "(" not in name} <= kept, "what succeeded is kept"
    for node in first["status"]["nodes"].values():
        if node["type"] == "Retry" and node["phase"] == "Succeeded" and "(" not in node["name"]:
            assert nodes[node["id"]].get("children") == node["children"], "a later attempt succeeded"
