from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kubeci.model.check_run import Annotation, CheckRun, Conclusion, Status
from kubeci.model.report import NodeLog
from kubeci.report.check_run import Subject, report
from kubeci.workflow.status import WorkflowState, nodes_with_logs, read_state

RECORDINGS = sorted((Path(__file__).parents[1] / "data" / "argo-recordings").iterdir())
GOLDEN = Path(__file__).parent / "golden"
SUBJECT = Subject("Workflow - ci", "ci", "http://argo/workflows/ci/x")
FAILURE = {2, 4, 9, 10, 12, 13, 14, 19, 20, 22, 26, 29, 30, 31, 32, 36, 37}
CANCELLED = {11, 27}
DEEP = 400


def events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "workflow-events.jsonl").read_text().splitlines()]


def states(folder: Path) -> list[WorkflowState]:
    return [read_state(event["object"], deleted=event["type"] == "DELETED") for event in events(folder)]


def recording(number: int) -> Path:
    return next(folder for folder in RECORDINGS if folder.name.startswith(f"{number:02}-"))


def logs_of(state: WorkflowState) -> dict[str, NodeLog]:
    tail = ("collecting ...", "", "tests/test_app.py:12: error: assert 1 == 2", "1 failed in 0.01s", "")
    annotation = Annotation("tests/test_app.py", 12, "failure", "assert 1 == 2")
    return {
        node.id: NodeLog(node.id, annotations=(annotation,), tail=tail) for node in nodes_with_logs(state)
    }


def written(check: CheckRun) -> str:
    state = f"{check.status.value}, {check.conclusion.value}" if check.conclusion else check.status.value
    return f"<!-- {check.name}: {state} -->\n# {check.title}\n\n{check.summary}"


def build(nodes: Mapping[str, dict[str, Any]], phase: str = "Running", **status: Any) -> WorkflowState:
    full = {node_id: {"name": node_id, "displayName": node_id, **node} for node_id, node in nodes.items()}
    return read_state(
        {"metadata": {"name": "wf", "namespace": "ci"}, "status": {"nodes": full, "phase": phase, **status}}
    )


@pytest.mark.parametrize("folder", RECORDINGS, ids=lambda folder: folder.name)
def test_every_recording_ends_as_it_should(folder: Path) -> None:
    *before, last = states(folder)
    number = int(folder.name[:2])
    wanted = (
        Conclusion.FAILURE
        if number in FAILURE
        else Conclusion.CANCELLED
        if number in CANCELLED
        else Conclusion.SUCCESS
    )
    check = report(SUBJECT, last, {})
    assert (check.status, check.conclusion) == (Status.COMPLETED, wanted)
    assert check.title == f"Workflow Run ({last.namespace}/{last.name})"
    assert (check.name, check.external_id, check.details_url) == (
        SUBJECT.check_name,
        SUBJECT.external_id,
        SUBJECT.details_url,
    )
    assert report(SUBJECT, before[0], {}).title == "Workflow Setup"
    for state in before:
        under_way = report(SUBJECT, state, {})
        assert (under_way.conclusion is None) == (under_way.status is not Status.COMPLETED)
        assert "' failed" not in under_way.summary
    assert "' failed" not in check.summary


@pytest.mark.parametrize("number", [2, 4, 10, 12, 14, 25, 29, 32, 34, 38])
def test_the_end_reads_as_in_the_golden_file(number: int, update_golden: bool) -> None:
    folder = recording(number)
    last = states(folder)[-1]
    compare(GOLDEN / f"{folder.name}.md", written(report(SUBJECT, last, logs_of(last))), update=update_golden)


@pytest.mark.parametrize(("number", "event"), [(8, 3), (15, 7), (19, 2), (20, 4), (24, 1), (28, 3)])
def test_progress_reads_as_in_the_golden_file(number: int, event: int, update_golden: bool) -> None:
    folder = recording(number)
    state = states(folder)[event]
    path = GOLDEN / f"{folder.name}-event-{event}.md"
    compare(path, written(report(SUBJECT, state, logs_of(state))), update=update_golden)


def compare(path: Path, content: str, *, update: bool) -> None:
    if update:
        path.write_text(content)
    assert path.read_text() == content


def test_a_superseded_workflow_is_cancelled_once_it_ended() -> None:
    subject = Subject("n", "ci", "", superseded_by="b-2")
    running, *_, ended = (build({}, phase, shutdown="Stop") for phase in ("Running", "Failed"))
    assert report(subject, running, {}).conclusion is None
    assert "superseded by `b-2`" in report(subject, running, {}).summary
    check = report(subject, ended, {})
    assert check.conclusion is Conclusion.CANCELLED
    assert "superseded by `b-2`" in check.summary
    assert report(subject, build({}, "Succeeded"), {}).conclusion is Conclusion.SUCCESS


def test_the_same_state_gives_the_same_bytes() -> None:
    folder = recording(25)
    raw = events(folder)[-1]["object"]
    nodes = raw["status"]["nodes"]
    turned = {**raw, "status": {**raw["status"], "nodes": dict(reversed(nodes.items()))}}
    assert report(SUBJECT, read_state(raw), {}) == report(SUBJECT, read_state(turned), {})


def test_hundreds_of_steps_fit_with_the_failed_ones_first() -> None:
    names = [f"step-{number}-" + "✗" * 200 for number in range(600)]
    nodes = {name: {"type": "Pod", "phase": "Succeeded", "message": "x" * 900} for name in names}
    nodes[names[500]] = {"type": "Pod", "phase": "Failed", "message": "main: Error (exit code 3)"}
    nodes[names[599]] = {"type": "Pod", "phase": "Running"}
    state = build(nodes, "Failed")
    logs = {name: NodeLog(name, tail=("✗" * 4000,) * 30) for name in names}
    summary = report(SUBJECT, state, logs).summary
    assert len(summary.encode()) <= 65_535
    rows = [line for line in summary.splitlines() if line.startswith("| ")][2:]
    assert "step-500" in rows[0]
    assert "step-599" in rows[1]
    assert "more steps" in summary
    assert "… cut" not in summary


def test_many_failures_fit() -> None:
    nodes = {f"n{number}": {"type": "Pod", "phase": "Failed", "message": "`|" * 500} for number in range(300)}
    logs = {name: NodeLog(name, tail=("`" * 400 + "\ud800",) * 30) for name in nodes}
    summary = report(SUBJECT, build(nodes, "Failed"), logs).summary
    assert len(summary.encode()) <= 65_535
    assert "and 290 more failed steps" in summary
    assert "… cut" not in summary


def test_names_messages_and_logs_cannot_break_out() -> None:
    evil = "@admin ](http://x) <script> | ``` \n| a |"
    nodes = {"n": {"displayName": evil, "type": "Pod", "phase": "Failed", "message": evil}}
    summary = report(
        SUBJECT, build(nodes, "Failed"), {"n": NodeLog("n", tail=("```", "# @admin", evil))}
    ).summary
    outside = []
    fence = ""
    for line in summary.splitlines():
        # A backtick after the first run: a span, not a fence (github.github.com/gfm, section 4.5).
        if not fence and line.startswith("````") and "`" not in line.lstrip("`"):
            fence = line.removesuffix("text")
        elif line == fence:
            fence = ""
        elif not fence:
            outside.append(line)
    named = [line for line in outside if "@admin" in line]
    assert named
    # Three backticks inside: each span stands between runs of four.
    assert all("@admin" not in part for line in named for part in line.split("````")[::2])
    assert not fence


def test_a_missing_log_says_why_and_warnings_are_listed() -> None:
    subject = Subject("n", "ci", "", warnings=("`imge` is unknown",) * 25)
    nodes = {"wf": {"type": "Pod", "phase": "Failed", "templateName": "test"}}
    summary = report(
        subject, build(nodes, "Failed"), {"wf": NodeLog("wf", missing="the pod is gone")}
    ).summary
    assert "No log: `the pod is gone`" in summary
    assert "- `` `imge` is unknown ``" in summary
    assert "- … and 5 more" in summary


def test_a_circle_of_nodes_or_a_deep_chain_is_still_reported() -> None:
    nodes: dict[str, dict[str, Any]] = {
        f"n{number}": {
            "type": "Steps",
            "phase": "Failed",
            "boundaryID": f"n{number - 1}",
            "message": "child 'n3' failed",
        }
        for number in range(1, DEEP)
    }
    nodes["n1"]["boundaryID"] = "n2"
    nodes["x"] = {"type": "Retry", "phase": "Failed", "children": ["y"], "boundaryID": "y"}
    nodes["y"] = {"type": "Retry", "phase": "Odd", "children": ["x"], "boundaryID": "x"}
    check = report(SUBJECT, build(nodes, "Failed"), {})
    assert check.conclusion is Conclusion.FAILURE
    assert "step n3 failed" in check.summary


def test_steps_kept_elsewhere_are_named() -> None:
    state = read_state({"status": {"phase": "Running", "offloadNodeStatusVersion": "fnv:1"}})
    assert "cannot be shown" in report(SUBJECT, state, {}).summary
