from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from kubeci.workflow.pod_names import containers_of, pod_name
from kubeci.workflow.status import WorkflowState, nodes_with_logs, read_state

RECORDINGS = sorted((Path(__file__).parents[1] / "data" / "argo-recordings").iterdir())


def events(folder: Path, prefix: str = "") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{prefix}workflow-events.jsonl").read_text().splitlines()]


def states(folder: Path, prefix: str = "") -> list[WorkflowState]:
    return [
        read_state(event["object"], deleted=event["type"] == "DELETED") for event in events(folder, prefix)
    ]


def expected(folder: Path, prefix: str = "") -> dict[str, Any]:
    return dict(json.loads((folder / f"{prefix}expected.json").read_text()))


def changes(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [pair for pair, _ in groupby(pairs)]


def test_all_recordings_are_here() -> None:
    assert len(RECORDINGS) == 39


@pytest.mark.parametrize("folder", RECORDINGS, ids=lambda folder: folder.name)
def test_phases_messages_and_nodes_are_those_of_the_recording(folder: Path) -> None:
    facts, seen = expected(folder), states(folder)
    steps = ((step["phase"] or "", step["message"] or "") for step in facts["phaseSequence"])
    assert changes((state.phase, state.message) for state in seen) == changes(steps)
    nodes = {node.id: node for node in seen[-1].nodes}
    assert set(nodes) == {node["id"] for node in facts["podNodes"] + facts["otherNodes"]}
    for fact in facts["podNodes"]:
        node = nodes[fact["id"]]
        assert (node.phase, node.message) == (fact["phase"], fact["message"] or "")
        assert node.exit_code == (fact.get("exitCode") or "")


@pytest.mark.parametrize("folder", RECORDINGS, ids=lambda folder: folder.name)
def test_each_node_follows_the_one_around_it(folder: Path) -> None:
    for state in states(folder):
        seen = {"": -1}
        for node in state.nodes:
            assert node.depth == seen[node.parent] + 1
            seen[node.id] = node.depth


def test_pod_names_are_those_of_the_recorded_pods() -> None:
    checked = 0
    for folder in RECORDINGS:
        for prefix in ("", "holder-"):
            if not (folder / f"{prefix}expected.json").exists():
                continue
            state = states(folder, prefix)[-1]
            nodes = {node.id: node for node in state.nodes}
            for fact in expected(folder, prefix)["podNodes"]:
                if fact["podName"]:
                    name = pod_name(state.name, nodes[fact["id"]], format_version=state.pod_name_format)
                    assert name == fact["podName"]
                    checked += 1
    assert checked == 139


@pytest.mark.parametrize(
    ("recording", "pods"),
    [
        ("04-dag-diamond-fails", ["checkout", "build", "test"]),
        ("10-stopped-with-onexit", ["build", "ci-xxm7h.onExit"]),
        ("12-invalid-undefined-template", []),
        ("29-uppercase-template-name", []),
    ],
)
def test_logs_are_asked_of_ended_pods_alone(recording: str, pods: list[str]) -> None:
    last = states(next(folder for folder in RECORDINGS if folder.name == recording))[-1]
    assert [node.display_name for node in nodes_with_logs(last)] == pods
    assert all(containers_of(last, node) == ("main",) for node in nodes_with_logs(last))


def test_a_retried_workflow_has_not_ended_though_its_label_says_failed() -> None:
    folder = next(folder for folder in RECORDINGS if folder.name == "15-retried")
    between = [
        state
        for event, state in zip(events(folder), states(folder), strict=True)
        if event["object"]["metadata"]["labels"].get("workflows.argoproj.io/phase") == "Failed"
        and not state.phase
    ]
    assert between
    assert not any(state.ended for state in between)


def test_deleted_while_running_has_ended() -> None:
    folder = next(folder for folder in RECORDINGS if folder.name == "11-deleted-while-running")
    last = states(folder)[-1]
    assert (last.phase, last.deleted, last.ended) == ("Running", True, True)
