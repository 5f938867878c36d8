from __future__ import annotations

from typing import Any

import httpx
import pytest
from local_github_kit import Receiver

from kubeci.local.github.server import LocalGitHub

RUNS = "/repos/acme/widgets/check-runs"
NOTE = {"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m"}
OUTPUT = {"title": "t", "summary": "s"}
ACTION = {"label": "Run", "description": "run it", "identifier": "run"}


@pytest.fixture
async def sha(github: LocalGitHub) -> str:
    return await github.push("acme/widgets", {"a": "1\n2\n"})


def note(**changes: Any) -> dict[str, Any]:
    return {"output": {**OUTPUT, "annotations": [{**NOTE, **changes}]}}


TAKEN: list[dict[str, Any]] = [
    {},
    {"status": "in_progress"},
    {"conclusion": "success"},
    {"status": "in_progress", "conclusion": "neutral"},
    {"conclusion": "action_required"},
    {
        "completed_at": "2026-01-01T00:00:00Z",
        "conclusion": "failure",
        "started_at": "2026-01-01T00:00:00+02:00",
    },
    {"output": {**OUTPUT, "text": "x" * 65_535}},
    {"output": {**OUTPUT, "annotations": [NOTE] * 50}},
    note(start_column=1, end_column=3, title="x" * 255),
    {"actions": [ACTION] * 3},
    {"actions": [{"label": "x" * 20, "description": "é" * 40, "identifier": "x" * 20}]},
]


async def test_taken(http: httpx.AsyncClient, sha: str) -> None:
    for body in TAKEN:
        answer = await http.post(RUNS, json={"name": "ci", "head_sha": sha, **body})
        assert answer.status_code == 201, (body, answer.text)
        status = "completed" if "conclusion" in body else body.get("status", "queued")
        assert answer.json()["status"] == status, body


REFUSED: list[dict[str, Any]] = [
    {"name": ""},
    {"name": None},
    {"head_sha": "1" * 40},
    {"head_sha": "main"},
    {"head_sha": 5},
    {"external_id": 5},
    {"external_id": None},
    {"status": "completed"},
    {"completed_at": "2026-01-01T00:00:00Z"},
    {"status": "done"},
    {"status": "waiting"},
    {"conclusion": "stale"},
    {"conclusion": None},
    {"started_at": "yesterday"},
    {"started_at": "2026-13-01T00:00:00Z"},
    {"details_url": "javascript:alert(1)"},
    {"details_url": "argo/workflows"},
    {"conclusoin": "success"},
    {"output": {"title": "t"}},
    {"output": {"summary": "s"}},
    {"output": {**OUTPUT, "sumary": "s"}},
    {"output": {**OUTPUT, "text": None}},
    {"output": {**OUTPUT, "text": "x" * 65_536}},
    {"output": {**OUTPUT, "summary": "é" * 32_768}},
    {"output": {**OUTPUT, "annotations": [NOTE] * 51}},
    {"output": {**OUTPUT, "annotations": NOTE}},
    {"output": []},
    note(start_line=0),
    note(start_line=2),
    note(start_line="1"),
    note(annotation_level="error"),
    note(message=""),
    note(path=None),
    note(start_column=1, end_line=2),
    note(start_column=0),
    note(start_column=3, end_column=1),
    note(end_column=1),
    note(title="x" * 256),
    note(message="é" * 32_769),
    note(level="notice"),
    {"output": {**OUTPUT, "annotations": [{"path": "a"}]}},
    {"actions": [ACTION] * 4},
    {"actions": [{**ACTION, "label": "x" * 21}]},
    {"actions": [{**ACTION, "description": "x" * 41}]},
    {"actions": [{**ACTION, "identifier": "x" * 21}]},
    {"actions": [{**ACTION, "url": "x"}]},
    {"actions": [{"label": "Run"}]},
]


async def test_refused(github: LocalGitHub, http: httpx.AsyncClient, sha: str) -> None:
    made = (await http.post(RUNS, json={"name": "ci", "head_sha": sha})).json()
    for body in REFUSED:
        answer = await http.post(RUNS, json={"name": "ci", "head_sha": sha, **body})
        assert answer.status_code == 422, (body, answer.text)
        assert answer.json()["message"], body
        if not body.keys() & {"name", "head_sha"}:
            assert (await http.patch(f"{RUNS}/{made['id']}", json=body)).status_code == 422, body
    assert list(github.state.runs) == [made["id"]]


async def test_updates_append_annotations_and_an_end_is_an_end(http: httpx.AsyncClient, sha: str) -> None:
    run = (await http.post(RUNS, json={"name": "ci", "head_sha": sha, "external_id": "ci"})).json()
    path = f"{RUNS}/{run['id']}"
    for line in range(1, 4):
        body = {"output": {**OUTPUT, "annotations": [{**NOTE, "start_line": line, "end_line": line}] * 40}}
        assert (await http.patch(path, json=body)).status_code == 200
    first = await http.get(f"{path}/annotations", params={"per_page": 100})
    assert [each["start_line"] for each in first.json()] == [1] * 40 + [2] * 40 + [3] * 20
    assert 'rel="next"' in first.headers["link"]
    second = await http.get(first.links["next"]["url"])
    assert len(second.json()) == 20
    assert "next" not in second.links
    assert (await http.patch(path, json={"head_sha": sha})).status_code == 422
    done = (await http.patch(path, json={"conclusion": "failure"})).json()
    assert (done["status"], done["external_id"], done["output"]["annotations_count"]) == (
        "completed",
        "ci",
        120,
    )
    assert done["completed_at"]
    assert (await http.patch(path, json={"status": "in_progress"})).status_code == 422
    assert (await http.patch(path, json={"actions": [ACTION]})).json()["conclusion"] == "failure"
    assert (await http.get(f"{RUNS}/1")).status_code == 404
    assert (await http.patch(f"{RUNS}/x", json={})).status_code == 404


async def test_lists_of_a_ref_and_a_suite(github: LocalGitHub, http: httpx.AsyncClient, sha: str) -> None:
    ids = []
    for name, status in (("ci", "queued"), ("lint", "in_progress"), ("ci", "in_progress")):
        ids.append(
            (await http.post(RUNS, json={"name": name, "head_sha": sha, "status": status})).json()["id"]
        )

    async def listed(path: str, **query: Any) -> list[int]:
        body = (await http.get(path, params=query)).json()
        assert body["total_count"] == len(body["check_runs"])
        return sorted(run["id"] for run in body["check_runs"])

    of_ref = f"/repos/acme/widgets/commits/{sha}/check-runs"
    assert await listed(of_ref) == ids[1:]
    assert await listed("/repos/acme/widgets/commits/heads/main/check-runs", filter="all") == ids
    assert await listed(of_ref, check_name="ci", filter="all") == [ids[0], ids[2]]
    assert await listed(of_ref, status="queued", filter="all") == [ids[0]]
    assert await listed(of_ref, app_id=github.app.id) == ids[1:]
    assert await listed(of_ref, app_id=99) == []
    suites = (await http.get(f"/repos/acme/widgets/commits/{sha}/check-suites")).json()
    assert suites["total_count"] == 1
    assert (
        await listed(f"/repos/acme/widgets/check-suites/{suites['check_suites'][0]['id']}/check-runs")
        == ids[1:]
    )


async def test_rerequests_and_buttons_are_delivered(
    github: LocalGitHub, receiver: Receiver, http: httpx.AsyncClient, sha: str
) -> None:
    body = {"name": "ci", "head_sha": sha, "conclusion": "success", "external_id": "ci", "actions": [ACTION]}
    run = (await http.post(RUNS, json=body)).json()
    suite = f"/repos/acme/widgets/check-suites/{run['check_suite']['id']}"
    assert (await http.get(suite)).json()["conclusion"] == "success"
    assert (await http.post(f"{RUNS}/{run['id']}/rerequest")).status_code == 201
    assert (await http.post(f"{suite}/rerequest")).status_code == 201
    assert (await http.get(suite)).json()["status"] == "queued"
    github.user = "mona"
    await github.press(run["id"], "run")
    with pytest.raises(ValueError, match="no button"):
        await github.press(run["id"], "stop")
    await github.settled()
    assert receiver.named("check_run", "rerequested")[0]["check_run"]["external_id"] == "ci"
    assert receiver.named("check_suite", "rerequested")[0]["check_suite"]["head_branch"] == "main"
    pressed = receiver.named("check_run", "requested_action")[0]
    assert pressed["requested_action"] == {"identifier": "run"}
    assert pressed["sender"]["login"] == "mona"
    assert pressed["check_run"]["check_suite"]["head_branch"] == "main"
    actions = [(name, body.get("action")) for name, body, _ in receiver.events[3:]]
    assert actions[:3] == [("check_run", "created"), ("check_run", "completed"), ("check_suite", "completed")]
