from __future__ import annotations

from typing import Any

import httpx
import pytest
from local_github_kit import Clock, Receiver, token

from kubeci.local.github.git import git, refs
from kubeci.local.github.server import LocalGitHub

REPO = "/repos/acme/widgets"
AT = f"{REPO}/deployments"
ANYHOW = {"required_contexts": [], "auto_merge": False}


@pytest.fixture
async def sha(github: LocalGitHub) -> str:
    return await github.push("acme/widgets", {"a": "1\n"})


async def made(http: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await http.post(AT, json={"ref": "main", **ANYHOW, **body})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def say(http: httpx.AsyncClient, deployment: dict[str, Any], **body: Any) -> httpx.Response:
    return await http.post(f"{AT}/{deployment['id']}/statuses", json=body)


async def test_people_and_the_app_deploy(
    github: LocalGitHub, http: httpx.AsyncClient, receiver: Receiver, sha: str
) -> None:
    await github.tag("acme/widgets", "v1", sha, message="First")
    github.user = "ada"
    github.collaborator("acme/widgets", "ada", "write")
    wanted = {"kube_ci": {"run": "ship"}}
    theirs = await github.deploy("acme/widgets", "v1", task="ship", environment="staging", payload=wanted)
    ours = await made(http, ref=sha, description="Ours", payload="text", transient_environment=True)
    assert theirs.sha == ours["sha"] == sha
    status = {"state": "success", "log_url": "https://ci.example/1", "environment_url": "https://example.com"}
    assert (await say(http, ours, **status)).status_code == 201
    await github.settled()
    first, second = receiver.named("deployment", "created")
    told = first["deployment"]
    assert (told["task"], told["environment"], told["payload"]) == ("ship", "staging", wanted)
    assert (told["ref"], told["production_environment"], first["sender"]["login"]) == ("v1", False, "ada")
    assert told["performed_via_github_app"] is None
    assert second["deployment"]["creator"]["login"] == second["sender"]["login"] == "kubeci-local[bot]"
    assert second["deployment"]["performed_via_github_app"]["id"] == github.app.id
    assert (second["deployment"]["payload"], second["deployment"]["production_environment"]) == ("text", True)
    [told] = receiver.named("deployment_status", "created")
    assert told["deployment"]["id"] == ours["id"]
    assert told["deployment_status"]["target_url"] == "https://ci.example/1"
    assert told["deployment_status"]["environment"] == "production"


async def test_a_success_ends_the_earlier_ones(
    github: LocalGitHub, http: httpx.AsyncClient, receiver: Receiver, sha: str
) -> None:
    assert sha
    old = [
        await made(http, environment="staging"),
        await made(http, environment="staging"),
        await made(http, environment="staging", transient_environment=True),
        await made(http, environment="staging", production_environment=True),
        await made(http, environment="qa"),
    ]
    for each, state in zip(old, ("success", "failure", "success", "success", "success"), strict=True):
        await say(http, each, state=state, auto_inactive=False)
    newest = await made(http, environment="staging")
    await say(http, newest, state="success", auto_inactive=False)
    assert github.state.deployments[old[0]["id"]].state == "success"
    await say(http, newest, state="success")
    assert [github.state.deployments[each["id"]].state for each in old] == [
        "inactive",
        "failure",
        "success",
        "success",
        "success",
    ]
    listed = (await http.get(f"{AT}/{old[0]['id']}/statuses")).json()
    assert [each["state"] for each in listed] == ["inactive", "success"]
    assert (await http.get(listed[0]["url"])).json() == listed[0]
    await github.settled()
    assert len(receiver.named("deployment_status")) == 7  # none of the inactive one


async def test_deployments_are_found(
    github: LocalGitHub, http: httpx.AsyncClient, sha: str, clock: Clock
) -> None:
    topic = await github.push("acme/widgets", {"b": "1"}, branch="topic")
    one = await made(http)
    two = await made(http, ref="topic", task="ship", environment="qa")
    clock.advance(minutes=1)
    await say(http, two, state="in_progress", environment="qa-2")
    for query, found in (
        ({}, [two, one]),
        ({"sha": topic}, [two]),
        ({"ref": "main"}, [one]),
        ({"task": "ship"}, [two]),
        ({"environment": "qa-2"}, [two]),
        ({"environment": "qa", "sha": sha}, []),
        ({"per_page": "1", "page": "2"}, [one]),
    ):
        listed = (await http.get(AT, params=query)).json()
        assert [each["id"] for each in listed] == [each["id"] for each in found], query
    read = (await http.get(f"{AT}/{two['id']}")).json()
    assert (read["environment"], read["original_environment"]) == ("qa-2", "qa")
    assert read["updated_at"] > read["created_at"]
    assert (await http.get(f"{AT}/1")).status_code == 404


@pytest.mark.parametrize(
    ("conclusions", "contexts", "refused"),
    [
        ({}, None, []),
        ({"ci": "success", "docs": "skipped"}, None, []),
        ({"ci": "failure"}, None, [{"context": "ci", "state": "failure"}]),
        ({"ci": None}, None, [{"context": "ci", "state": "pending"}]),
        ({"ci": "failure"}, [], []),
        ({"ci": "success", "lint": "failure"}, ["ci"], []),
        ({"ci": "success"}, ["ci", "lint"], [{"context": "lint", "state": "missing"}]),
    ],
)
async def test_checks_that_must_have_passed(
    http: httpx.AsyncClient,
    sha: str,
    conclusions: dict[str, str | None],
    contexts: list[str] | None,
    refused: list[dict[str, str]],
) -> None:
    for name, conclusion in conclusions.items():
        body = {"name": name, "head_sha": sha, **({"conclusion": conclusion} if conclusion else {})}
        await http.post(f"{REPO}/check-runs", json=body)
    wanted = {"ref": "main"} | ({} if contexts is None else {"required_contexts": contexts})
    answer = await http.post(AT, json=wanted)
    assert answer.status_code == (409 if refused else 201)
    if refused:
        assert answer.json()["message"] == "Conflict: Commit status checks failed for main."
        assert answer.json()["errors"][0]["contexts"] == refused


async def test_the_default_branch_is_merged_first(
    github: LocalGitHub, http: httpx.AsyncClient, receiver: Receiver, sha: str
) -> None:
    path = (await github.create_repository("acme/widgets")).path
    topic = await github.push("acme/widgets", {"b": "1\n"}, branch="topic", base=sha)
    clash = await github.push("acme/widgets", {"a": "2\n"}, branch="clash", base=sha)
    await github.push("acme/widgets", {"a": "3\n"})
    answer = await http.post(AT, json={"ref": "topic"})
    assert answer.status_code == 202
    assert answer.json() == {"message": "Auto-merged main into topic on deployment."}
    merged = (await refs(path))["refs/heads/topic"]
    assert topic in (await git(path, "rev-list", "--parents", "-1", merged)).decode()
    assert (await http.post(AT, json={"ref": "topic"})).status_code == 201
    assert (await http.post(AT, json={"ref": topic})).status_code == 201  # nothing is merged into a sha
    conflict = await http.post(AT, json={"ref": "clash"})
    assert (conflict.status_code, conflict.json()["message"]) == (409, "Conflict merging main into clash.")
    assert (await http.post(AT, json={"ref": "clash", "auto_merge": False})).status_code == 201
    assert (await refs(path))["refs/heads/clash"] == clash
    await github.settled()
    assert len(receiver.named("deployment")) == 3
    assert receiver.named("push")[-1]["after"] == merged
    assert receiver.named("push")[-1]["sender"]["login"] == "kubeci-local[bot]"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, 'Invalid request.\n\n"ref" wasn'),
        ({"ref": 1}, "Invalid request.\n\nFor 'properties/ref'"),
        ({"ref": "nowhere"}, "No ref found for: nowhere"),
        ({"ref": "main~1"}, "No ref found for: main~1"),
        ({"ref": "0" * 40}, "No ref found for: 000"),
        ({"ref": "main", "payload": 1}, "Invalid request.\n\nFor 'properties/payload'"),
        (
            {"ref": "main", "required_contexts": "ci"},
            "Invalid request.\n\nFor 'properties/required_contexts'",
        ),
        ({"ref": "main", "description": 1}, "Invalid request.\n\nFor 'properties/description'"),
        ({"ref": "main", "description": "x" * 141}, "Validation Failed"),
    ],
)
@pytest.mark.usefixtures("sha")
async def test_what_is_no_deployment(http: httpx.AsyncClient, body: dict[str, Any], message: str) -> None:
    answer = await http.post(AT, json=body)
    assert answer.status_code == 422
    assert answer.json()["message"].startswith(message)
    assert (await http.get(AT)).json() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"state": "done"}, 422),
        ({"state": 1}, 422),
        ({"state": "success", "description": "x" * 141}, 422),
        ({"state": "success", "log_url": "javascript:alert(1)"}, 422),
        ({"state": "success", "auto_inactive": "no"}, 422),
        ({"state": "success", "description": "x" * 140, "log_url": ""}, 201),
    ],
)
@pytest.mark.usefixtures("sha")
async def test_what_is_no_status(http: httpx.AsyncClient, body: dict[str, Any], status: int) -> None:
    deployment = await made(http)
    assert (await say(http, deployment, **body)).status_code == status
    assert len((await http.get(f"{AT}/{deployment['id']}/statuses")).json()) == (status == 201)


@pytest.mark.usefixtures("sha")
async def test_who_may_not_deploy(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    with pytest.raises(ValueError, match="stranger may not deploy"):
        await github.deploy("acme/widgets", "main", by="stranger")
    with pytest.raises(ValueError, match="No ref found for: nowhere"):
        await github.deploy("acme/widgets", "nowhere")
    http.headers["authorization"] = f"Bearer {await token(github, permissions={'deployments': 'read'})}"
    assert (await http.get(AT)).json() == []
    refused = await http.post(AT, json={"ref": "main"})
    assert (refused.status_code, refused.json()["message"]) == (403, "Resource not accessible by integration")
