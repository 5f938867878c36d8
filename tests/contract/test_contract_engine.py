from __future__ import annotations

import json
from pathlib import Path

import pytest
from contract_calls import CALLS
from contract_ends import ENDS
from contract_invalid import INVALID
from contract_loops import LOOPS
from contract_statuses import Stage
from contract_target import Target, eventually
from contract_workflows import Play, manifest

PLAYED = CALLS | LOOPS | ENDS | INVALID
STATUSES = Path(__file__).parents[1] / "data" / "contract-engine"


@pytest.fixture(scope="session")
def stage(controlled: Target) -> Stage:
    return Stage(controlled, PLAYED)


@pytest.mark.parametrize("name", PLAYED)
def test_the_engine_says_what_the_controller_says(
    name: str, stage: Stage, controlled: Target, update_golden: bool
) -> None:
    told = stage.told(name)
    recorded = STATUSES / f"{name}.json"
    if update_golden and not controlled.local:
        recorded.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
    assert told == json.loads(recorded.read_text())


def test_a_workflow_whose_time_is_over_goes_with_its_pods(controlled: Target) -> None:
    name = f"{controlled.nonce}-ttl"
    spec = {"ttlStrategy": {"secondsAfterCompletion": 1}, "entrypoint": "ok"}
    body = manifest(Play("", spec), name, "ttl")
    assert controlled.http.post(controlled.workflows, json=body).status_code == 201

    def left() -> bool | None:
        pods = {"labelSelector": f"workflows.argoproj.io/workflow={name}"}
        gone = controlled.http.get(f"{controlled.workflows}/{name}").status_code == 404
        return True if gone and not controlled.got(controlled.pods, **pods)["items"] else None

    assert eventually(left, "end of a workflow's life")


def test_no_status_is_left_over() -> None:
    assert {path.stem for path in STATUSES.glob("*.json")} == PLAYED.keys()
