"""The engine's core without pods: what each pass makes of a workflow, and where it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from engine_recordings import comparable_nodes, facts, failures, last_object, manifest

from kubeci.local.engine.operate import Outcome, operate
from kubeci.local.engine.operation import PodState

START = datetime(2026, 11, 21, tzinfo=UTC)

ENDED = "2026-11-21T00:00:01Z"


def given(spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    created = {"name": "wf", "namespace": "ci", "uid": "u", "creationTimestamp": "2026-11-21T00:00:00Z"}
    return {"metadata": created | metadata, "spec": spec}


class Play:
    """Plays a workflow: each pass, every pod that was asked for ends as `ends` says."""

    def __init__(self, workflow: dict[str, Any], ends: dict[str, PodState] | None = None) -> None:
        self.workflow = workflow
        self.ends = ends or {}
        self.pods: dict[str, PodState] = {}
        self.started: list[list[str]] = []
        self._wanted: dict[str, PodState] = {}
        self.now = START

    def once(self) -> Outcome:
        outcome = operate(self.workflow, self.pods, self.now)
        self.workflow = outcome.workflow
        self.pods |= {request.node_id: PodState() for request in outcome.start}
        for request in outcome.start:
            succeeded = PodState("Succeeded", exit_code=0, finished_at=ENDED)
            self._wanted[request.node_id] = self.ends.get(request.template["name"], succeeded)
        self.started.append([request.node_name for request in outcome.start])
        self.now += timedelta(seconds=1)
        return outcome

    def to_the_end(self) -> dict[str, Any]:
        for _ in range(50):
            self.once()
            if "finishedAt" in self.workflow["status"]:
                return self.workflow
            self.pods |= self._wanted
        raise AssertionError(self.workflow["status"])


@pytest.mark.parametrize(
    "prefix",
    ["01", "02", "03", "04", "05", "06", "07", "12", "14", "16", "21", "22", "25", "29", "31", "34", "36"],
)
def test_the_core_alone_gives_the_recorded_status(prefix: str) -> None:
    workflow = manifest(prefix)
    recorded = last_object(prefix)
    workflow["metadata"] |= {"uid": "u", "namespace": "ci", "creationTimestamp": "2026-11-21T00:00:00Z"}
    ends = {
        name: PodState(
            "Failed", f"main: Error (exit code {code}): {message}", exit_code=code, finished_at=ENDED
        )
        for name, (code, message) in failures(workflow).items()
    }
    done = Play(workflow, ends).to_the_end()
    assert comparable_nodes(done) == comparable_nodes(recorded)
    assert facts(done) == facts(recorded)
    assert done["spec"] == recorded["spec"]


def test_parallelism_holds_pods_back() -> None:
    play = Play(manifest("21"))
    play.workflow["metadata"] |= {"uid": "u", "namespace": "ci", "creationTimestamp": "2026-11-21T00:00:00Z"}
    play.to_the_end()
    assert [len(names) for names in play.started] == [10, 10, 10, 10, 10, 10, 0]


def test_a_pass_that_changes_nothing_changes_nothing() -> None:
    play = Play(
        given(
            {
                "entrypoint": "main",
                "templates": [{"name": "main", "container": {"image": "i", "command": ["x"]}}],
            }
        )
    )
    play.once()
    play.once()
    before = play.workflow
    assert play.once().workflow == before


def test_a_lost_pod_is_an_error() -> None:
    play = Play(
        given(
            {
                "entrypoint": "main",
                "templates": [{"name": "main", "container": {"image": "i", "command": ["x"]}}],
            }
        )
    )
    play.once()
    play.pods.clear()
    status = play.once().workflow["status"]
    assert (status["phase"], status["message"]) == ("Error", "pod deleted")


def test_a_pending_pod_does_not_outlive_the_deadline() -> None:
    template = {"name": "main", "container": {"image": "i", "command": ["x"]}}
    play = Play(given({"entrypoint": "main", "templates": [template], "activeDeadlineSeconds": 8}))
    play.once()
    outcome = play.once()
    assert outcome.wake_at == START + timedelta(seconds=8)
    play.now = START + timedelta(seconds=8)
    outcome = play.once()
    assert outcome.workflow["status"]["message"] == "Step exceeded its deadline"
    assert outcome.stop == ("wf",)


@pytest.mark.parametrize(
    ("policy", "phase", "attempts", "message"),
    [
        (None, "Failed", 3, "No more retries left"),
        ("OnFailure", "Error", 1, "lost"),
        ("OnError", "Failed", 1, "lost"),
        ("OnError", "Error", 3, "No more retries left"),
        ("Always", "Error", 3, "No more retries left"),
    ],
)
def test_retry_policies(policy: str | None, phase: str, attempts: int, message: str) -> None:
    strategy = {"limit": 2} | ({"retryPolicy": policy} if policy else {})
    template = {
        "name": "main",
        "retryStrategy": strategy,
        "container": {"image": "i", "command": ["{{retries}}"]},
    }
    play = Play(
        given({"entrypoint": "main", "templates": [template]}),
        {"main": PodState(phase, "lost", finished_at=ENDED)},
    )
    status = play.to_the_end()["status"]
    assert (status["phase"], status["message"]) == (phase, message)
    assert sum(names != [] for names in play.started) == attempts


def test_endless_recursion_comes_to_an_end() -> None:
    templates = [{"name": "main", "steps": [[{"name": "again", "template": "main"}]]}]
    status = Play(given({"entrypoint": "main", "templates": templates})).to_the_end()["status"]
    assert status["phase"] == "Failed"
    assert any("nests templates at most" in node.get("message", "") for node in status["nodes"].values())


def test_a_loop_over_nothing_is_skipped() -> None:
    step = {"name": "s", "template": "ok", "withParam": "[]"}
    templates = [
        {"name": "main", "steps": [[step]]},
        {"name": "ok", "container": {"image": "i", "command": ["x"]}},
    ]
    status = Play(given({"entrypoint": "main", "templates": templates})).to_the_end()["status"]
    assert status["phase"] == "Succeeded"
    assert [node["phase"] for node in status["nodes"].values() if node["type"] == "Skipped"] == ["Skipped"]


def test_a_long_chain_of_tasks_is_no_recursion() -> None:
    tasks = [
        {"name": f"t{n}", "template": "ok", **({"dependencies": [f"t{n - 1}"]} if n else {})}
        for n in range(1500)
    ]
    templates = [
        {"name": "main", "dag": {"tasks": tasks}},
        {"name": "ok", "container": {"image": "i", "command": ["x"]}},
    ]
    play = Play(given({"entrypoint": "main", "templates": templates}))
    play.once()
    assert play.started == [["wf.t0"]]
