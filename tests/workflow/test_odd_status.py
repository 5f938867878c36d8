from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.workflow.pod_names import containers_of, pod_name
from kubeci.workflow.status import Node, nodes_with_logs, read_state

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ids = st.sampled_from(["a", "b", "c", "d", "wf"])
nodes = st.dictionaries(
    ids,
    anything
    | st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(["wf", "wf[0]", "wf[0].x", "wf[0].x(0)"]),
            "type": st.sampled_from(["Steps", "StepGroup", "Retry", "Pod", "Container"]),
            "phase": st.sampled_from(["Running", "Failed", "Succeeded", "odd"]),
            "children": st.lists(ids | anything, max_size=3),
            "boundaryID": ids | anything,
            "startedAt": st.sampled_from(["2026-11-21T00:40:01Z", "2026-11-21T00:40:01", "soon"]) | anything,
            "outputs": anything,
            "inputs": anything,
        },
    ),
)


@given(st.fixed_dictionaries({"metadata": anything, "spec": anything, "status": anything}))
def test_reading_never_raises(workflow: dict[str, Any]) -> None:
    state = read_state(workflow)
    assert nodes_with_logs(state) == []


@given(nodes)
def test_every_node_is_kept_once_whatever_its_links(raw: dict[str, Any]) -> None:
    state = read_state({"metadata": {"name": "wf"}, "status": {"nodes": raw}})
    assert sorted(node.id for node in state.nodes) == sorted(raw)
    for node in state.nodes:
        containers_of(state, node)
        pod_name("wf", node)


def test_a_node_without_an_id_is_left_out() -> None:
    nodes = {"": {"phase": "Running"}, "a": {"boundaryID": ""}}
    state = read_state({"metadata": {"name": "wf"}, "status": {"nodes": nodes}})
    assert [node.id for node in state.nodes] == ["a"]


def compressed(content: bytes) -> dict[str, Any]:
    return {"status": {"compressedNodes": base64.b64encode(gzip.compress(content)).decode()}}


def test_compressed_nodes_are_read() -> None:
    state = read_state(compressed(json.dumps({"a": {"phase": "Running", "type": "Pod"}}).encode()))
    assert [(node.id, node.phase) for node in state.nodes] == [("a", "Running")]
    assert not state.nodes_missing


@pytest.mark.parametrize(
    "workflow",
    [
        compressed(b"[" * 100_000),
        compressed(b"[]"),
        {"status": {"compressedNodes": "not base64!"}},
        {"status": {"compressedNodes": "AAAA"}},
        {"status": {"compressedNodes": base64.b64encode(gzip.compress(b"{}" * 9)[:-9]).decode()}},
        {"status": {"offloadNodeStatusVersion": "fnv:123"}},
    ],
    ids=["deep", "list", "base64", "gzip", "cut short", "offloaded"],
)
def test_nodes_that_cannot_be_read_are_missing(workflow: dict[str, Any]) -> None:
    state = read_state(workflow)
    assert (state.nodes, state.nodes_missing) == ((), True)


def test_nodes_that_would_fill_the_memory_are_missing() -> None:
    state = read_state(compressed(b" " * 40 * 1024 * 1024 + b"{}"))
    assert (state.nodes, state.nodes_missing) == ((), True)


def test_pod_names_are_cut_before_their_hash() -> None:
    node = Node(id="w-1", name="w.x", display_name="x", type="Pod", phase="Running", template_name="t" * 300)
    name = pod_name("w", node)
    assert name.startswith("w-ttt")
    assert len(name.rpartition("-")[0]) == 242
    assert pod_name("w", node, format_version="v1") == "w-1"


def test_a_container_set_has_its_own_containers() -> None:
    status = {
        "nodes": {
            "wf": {"name": "wf", "type": "Pod", "phase": "Succeeded", "children": ["wf-1"]},
            "wf-1": {"name": "wf.first", "type": "Container", "boundaryID": "wf", "children": ["wf-2"]},
            "wf-2": {"name": "wf.second", "type": "Container", "boundaryID": "wf"},
        }
    }
    state = read_state({"metadata": {"name": "wf"}, "status": status})
    assert containers_of(state, state.nodes[0]) == ("first", "second")
    assert [node.depth for node in state.nodes] == [0, 1, 1]


def test_inputs_and_template_references_are_read() -> None:
    raw = {
        "inputs": {"parameters": [{"name": "environment", "value": "staging"}, {"name": "later"}, 7]},
        "templateRef": {"name": "shared", "template": "deploy"},
        "memoizationStatus": {"hit": True},
        "type": "Pod",
        "phase": "Succeeded",
    }
    state = read_state({"status": {"nodes": {"a": raw}}})
    assert state.nodes[0].inputs == {"environment": "staging"}
    assert state.nodes[0].template_name == "deploy"
    assert nodes_with_logs(state) == []
