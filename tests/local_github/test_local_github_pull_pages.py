from __future__ import annotations

import re

import httpx
import pytest
from local_github_kit import Receiver

from kubeci.local.github.server import LocalGitHub
from kubeci.local.github.state import PullRequest

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
async def pull(github: LocalGitHub) -> PullRequest:
    """A fork's pull request of a stranger, with two required checks."""
    await github.push("acme/widgets", {"a": "1\n"})
    await github.fork("acme/widgets", "mona")
    github.user = "mona"
    await github.push("mona/widgets", {HOSTILE: "1\n"}, branch="fix", message=HOSTILE)
    pull = await github.open_pull_request("acme/widgets", head="mona:fix", title=HOSTILE, body=HOSTILE)
    await github.label(pull, HOSTILE)
    github.require("acme/widgets", {"Workflow - ci", "lint"})
    github.collaborator("acme/widgets", "ada", "write")
    return pull


async def shown(
    github: LocalGitHub, http: httpx.AsyncClient, path: str, *, repository: str = "acme/widgets"
) -> str:
    page = await http.get(f"{github.base_url}/{repository}{path}")
    assert page.status_code == 200
    assert HOSTILE not in page.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.text))


async def act_as(github: LocalGitHub, http: httpx.AsyncClient, login: str) -> httpx.Response:
    form = {"login": login, "back": "/acme/widgets/pull/1"}
    return await http.post(f"{github.base_url}/acting-as", data=form)


async def check(http: httpx.AsyncClient, sha: str, name: str, conclusion: str) -> None:
    body = {"name": name, "head_sha": sha, "conclusion": conclusion}
    await http.post("/repos/acme/widgets/check-runs", json=body)


async def test_the_merge_box_says_what_blocks(
    github: LocalGitHub, http: httpx.AsyncClient, pull: PullRequest
) -> None:
    sha = (await http.get("/repos/acme/widgets/pulls/1")).json()["head"]["sha"]
    page = await shown(github, http, "/pull/1")
    assert "mona wants to merge 1 commit into main from mona:fix" in page
    assert "From a fork." in page
    assert "first time contributor" in page
    assert "Forked from acme/widgets. The App is not installed here." in await shown(
        github, http, "", repository="mona/widgets"
    )
    assert "pull request #1" in await shown(github, http, f"/commit/{sha}/checks")
    assert "Workflow - ci Expected, nothing was reported yet" in page
    assert "not successful, neutral or skipped: Workflow - ci, lint" in page
    assert "mona has the role read here" in page
    await check(http, sha, "Workflow - ci", "skipped")
    await check(http, sha, "Default Workflow", "action_required")
    assert "not successful, neutral or skipped: lint" in await shown(github, http, "/pull/1")
    await check(http, sha, "lint", "neutral")
    page = await shown(github, http, "/pull/1")
    assert "Merging is not blocked." in page
    assert "Merge pull request" not in page
    await github.convert_to_draft(pull)
    assert "This pull request is a draft." in await shown(github, http, "/pull/1")
    await github.ready_for_review(pull)
    await github.push("acme/widgets", {HOSTILE: "2\n"}, base="main")
    assert "It conflicts with main." in await shown(github, http, "/pull/1")
    listed = await shown(github, http, "/pulls")
    assert "Open" in listed
    assert "#1 by mona · mona:fix into main" in listed
    await github.delete_repository("mona/widgets")
    assert "a deleted repository" in await shown(github, http, "/pull/1")


async def test_who_acts_is_chosen_on_the_page(
    github: LocalGitHub, http: httpx.AsyncClient, receiver: Receiver, pull: PullRequest
) -> None:
    github.require("acme/widgets", ())
    github.state.user("stranger")
    at = f"{github.base_url}/acme/widgets/pull/1"

    async def press(verb: str) -> int:
        return (await http.post(f"{at}/{verb}")).status_code

    assert (await act_as(github, http, "stranger")).headers["location"] == "/acme/widgets/pull/1"
    assert [await press(verb) for verb in ("close", "merge", "draft", "enqueue", "burn")] == [403] * 4 + [404]
    await act_as(github, http, "mona")
    assert [await press(verb) for verb in ("draft", "ready", "close", "reopen")] == [303] * 4
    assert await press("merge") == 403
    await act_as(github, http, "ada")
    assert "Merge pull request" in await shown(github, http, "/pull/1")
    assert [await press(verb) for verb in ("enqueue", "enqueue", "dequeue", "merge", "close")] == [
        303,
        422,
        303,
        303,
        422,
    ]
    assert "Merged by ada" in await shown(github, http, "/pull/1")
    await github.settled()
    told = [(body["action"], body["sender"]["login"]) for body in receiver.named("pull_request")]
    assert told[2:] == [
        ("converted_to_draft", "mona"),
        ("ready_for_review", "mona"),
        ("closed", "mona"),
        ("reopened", "mona"),
        ("enqueued", "ada"),
        ("dequeued", "ada"),
        ("closed", "ada"),
    ]
    assert pull.merged_by == github.state.user("ada")


@pytest.mark.usefixtures("pull")
async def test_buttons_of_checks_are_pressed_by_who_was_chosen(
    github: LocalGitHub, http: httpx.AsyncClient, receiver: Receiver
) -> None:
    sha = (await http.get("/repos/acme/widgets/pulls/1")).json()["head"]["sha"]
    actions = [{"label": "Run", "description": "Run it", "identifier": "run"}]
    body = {"name": "Default Workflow", "head_sha": sha, "conclusion": "action_required", "actions": actions}
    run = (await http.post("/repos/acme/widgets/check-runs", json=body)).json()["html_url"]
    await act_as(github, http, "ada")
    assert (await http.post(f"{run}/action", data={"identifier": "run"})).status_code == 303
    # GitHub offers Re-run to those who may write alone; the App's own buttons are the App's to guard.
    assert (await http.post(f"{run}/rerequest")).status_code == 303
    await act_as(github, http, "mona")
    assert (await http.post(f"{run}/action", data={"identifier": "run"})).status_code == 303
    refused = await http.post(f"{run}/rerequest")
    await github.settled()
    told = {body["action"]: body["sender"]["login"] for body in receiver.named("check_run")}
    assert (told["requested_action"], told["rerequested"]) == ("mona", "ada")
    assert (refused.status_code, "it takes write permission" in refused.text) == (403, True)


@pytest.mark.usefixtures("pull")
async def test_nobody_acts_as_who_is_not_known(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    for login in ("nobody", "acme", "kubeci-local[bot]", ""):
        assert (await act_as(github, http, login)).status_code == 422, login
    for back, path in {
        "//evil.example/x": "/x",
        "https://evil.example/": "/",
        "////evil.example": "/",
    }.items():
        answer = await http.post(f"{github.base_url}/acting-as", data={"login": "ada", "back": back})
        assert answer.headers["location"] == path, back
    evil = {"origin": "https://evil.example"}
    for path in ("/acting-as", "/acme/widgets/pull/1/close"):
        assert (await http.post(f"{github.base_url}{path}", headers=evil)).status_code == 403
    assert (await http.get(f"{github.base_url}/acme/widgets/pull/2")).status_code == 404
    await github.create_repository("acme/empty")
    page = await http.get(f"{github.base_url}/acme/empty/pulls")
    assert "No pull requests yet." in page.text
