"""The log of a container that ended: the same three lines from a process of this machine and from KWOK."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from contract_requests import refusal
from contract_statuses import Stage
from contract_target import Target
from contract_workflows import Play

LINES = (Path(__file__).parents[1] / "real_cluster" / "main.log").read_text().splitlines()
RECORDED = Path(__file__).parents[1] / "data" / "contract-logs.json"
SAID = "\n".join(line.split(" ", 3)[3] for line in LINES)
SPEAKER = (
    f"- {{name: main, script: {{image: busybox, command: [cat], source: {json.dumps(SAID + chr(10))}}}}}"
)
QUERIES = (
    "container=main",
    "",
    "container=odd",
    "container=main&tailLines=1",
    "container=main&tailLines=0",
    "container=main&tailLines=9",
    "container=main&tailLines=-1",
    "container=main&limitBytes=5",
    "container=main&limitBytes=10&tailLines=2",
    "container=main&limitBytes=0",
    "container=main&limitBytes=1000000",
    "container=main&sinceSeconds=99999999",
    "container=main&sinceTime=2020-01-01T00:00:00Z",
    "container=main&timestamps=true",
    "container=main&timestamps=true&tailLines=1",
    "container=main&timestamps=true&limitBytes=12",
    "container=main&tailLines=1&follow=false",
    "container=main&previous=false",
)


@pytest.fixture(scope="module")
def logs(controlled: Target) -> dict[str, Any]:
    """Ask the log of a workflow's pod in every way."""
    stage = Stage(controlled, {"speaker": Play(SPEAKER)})
    assert stage.told("speaker")["phase"] == "Succeeded"
    name = stage.workflow_name("speaker")
    found = {}
    for query in QUERIES:
        answer = controlled.http.get(f"{controlled.pods}/{name}/log", params=query)
        kind = answer.headers["content-type"]
        body = refusal(answer.json()) if kind == "application/json" else answer.text
        shown = json.dumps({"status": answer.status_code, "type": kind, "body": body}).replace(name, "WF")
        found[query] = json.loads(re.sub(r"\d{4}-\d\d-\d\dT[\d:.]*Z?", "TIME", shown))
    return found


@pytest.mark.parametrize("query", QUERIES)
def test_both_read_logs_alike(
    query: str, logs: dict[str, Any], controlled: Target, update_golden: bool
) -> None:
    if update_golden and not controlled.local:
        RECORDED.write_text(json.dumps(logs, indent=1, sort_keys=True) + "\n")
    assert logs[query] == json.loads(RECORDED.read_text())[query]
