from __future__ import annotations

import re

import httpx
import pytest
from local_github_kit import Receiver

from kubeci.local.github.server import LocalGitHub
from kubeci.local.github.state import PullRequest

HOSTILE = "<script>alert(1)</script>"
BROWSER = {"accept": "text/html"}


@pytest.fixture
async def pull(github: LocalGitHub) -> PullRequest:
    """Pull request 1, which `ada` may write and `mona` may not."""
    base = await github.push("acme/widgets", {"a": "1\n"})
    await github.push("acme/widgets", {"b": "1\n"}, branch="topic", base=base)
    github.collaborator("acme/widgets", "ada", "write")
    github.state.user("mona")
    return await github.open_pull_request("acme/widgets", head="topic")


async def shown(github: LocalGitHub, http: httpx.AsyncClient, path: str) -> str:
    page = await http.get(f"{github.base_url}/acme/widgets{path}")
    assert page.status_code == 200
    assert HOSTILE not in page.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.text))


async def send(github: LocalGitHub, http: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    return await http.post(f"{github.base_url}/acme/widgets{path}", data=form)


async def act_as(github: LocalGitHub, http: httpx.AsyncClient, login: str) -> None:
    answer = await http.post(f"{github.base_url}/acting-as", data={"login": login})
    assert answer.status_code == 303


@pytest.mark.usefixtures("pull")
async def test_a_conversation_is_held_on_pages(
    github: LocalGitHub, http: httpx.AsyncClient, receiver: Receiver
) -> None:
    assert "Nobody has said anything yet." in await shown(github, http, "/pull/1")
    await act_as(github, http, "ada")
    answer = await send(github, http, "/issues/1/comments", body="/kube-ci run\r\n/kube-ci help")
    assert answer.headers["location"].startswith("/acme/widgets/pull/1#issuecomment-")
    number = answer.headers["location"].rpartition("-")[2]
    api = "/repos/acme/widgets/issues"
    await http.post(f"{api}/comments/{number}/reactions", json={"content": "rocket"})
    said = (await http.post(f"{api}/1/comments", json={"body": HOSTILE})).json()
    await http.patch(f"{api}/comments/{said['id']}", json={"body": f"**Done** {HOSTILE}"})
    page = (await http.get(f"{github.base_url}/acme/widgets/pull/1")).text
    assert "/kube-ci run<br />" in page
    assert 'title="rocket by kubeci-local[bot]">🚀 1<' in page
    assert "<strong>Done</strong> &lt;script&gt;" in page
    assert page.count('<span class="pill">bot</span>') == 1
    assert "Comment as ada" in await shown(github, http, "/pull/1")
    await github.settled()
    told = [(body["comment"]["body"], body["sender"]["login"]) for body in receiver.named("issue_comment")]
    assert told[0] == ("/kube-ci run\r\n/kube-ci help", "ada")


@pytest.mark.usefixtures("pull")
async def test_issues_are_opened_on_pages(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    assert "No issues yet." in await shown(github, http, "/issues")
    await act_as(github, http, "mona")
    opened = await send(github, http, "/issues", title=HOSTILE, body=HOSTILE)
    assert opened.headers["location"] == "/acme/widgets/issues/2"
    assert (await send(github, http, "/issues/2/comments", body="x" * 30_000)).status_code == 303
    assert "#2 by mona" in await shown(github, http, "/issues")
    assert "mona opened this issue" in await shown(github, http, "/issues/2")
    led = await http.get(f"{github.base_url}/acme/widgets/issues/1")
    assert (led.status_code, led.headers["location"]) == (302, "/acme/widgets/pull/1")
    github.archive("acme/widgets")
    assert "New issue" not in await shown(github, http, "/issues")
    assert "nobody can comment" in await shown(github, http, "/issues/2")
    assert "archived" in await shown(github, http, "/pull/1")


@pytest.mark.usefixtures("pull")
async def test_deployments_are_made_and_shown(
    github: LocalGitHub, http: httpx.AsyncClient, receiver: Receiver
) -> None:
    assert "Nothing was deployed yet." in await shown(github, http, "/deployments")
    await act_as(github, http, "ada")
    form = {"ref": "topic", "task": "ship", "environment": HOSTILE, "payload": '{"kube_ci": {"run": "ship"}}'}
    made = await send(github, http, "/deployments", **form)
    assert (made.status_code, made.headers["location"]) == (303, "/acme/widgets/deployments")
    deployment = next(iter(github.state.deployments.values()))
    for state in ("in_progress", "success"):
        links = {"log_url": f"https://ci.example/{state}", "environment_url": "https://app.example"}
        body = {"state": state, "description": HOSTILE, **links}
        at = f"/repos/acme/widgets/deployments/{deployment.id}/statuses"
        assert (await http.post(at, json=body)).status_code == 201
    text = await shown(github, http, "/deployments")
    assert f"ada deployed topic at {deployment.sha[:7]}" in text
    assert text.index(" success ") < text.index(" in progress ")
    page = (await http.get(f"{github.base_url}/acme/widgets/deployments")).text
    assert 'href="https://ci.example/success"' in page
    assert page.count('href="https://app.example"') == 2
    await github.settled()
    [told] = receiver.named("deployment")
    assert (told["sender"]["login"], told["deployment"]["payload"]) == ("ada", {"kube_ci": {"run": "ship"}})
    await act_as(github, http, "mona")
    assert "mona may not write here" in await shown(github, http, "/deployments")


@pytest.mark.parametrize(
    ("path", "form", "login", "status", "reason"),
    [
        ("/deployments", {"ref": "nowhere"}, "ada", 422, "No ref found for: nowhere"),
        ("/deployments", {"ref": "main", "payload": "{"}, "ada", 422, "the payload is no JSON"),
        ("/deployments", {"ref": "main", "payload": "[]"}, "ada", 422, "must be a JSON object or string"),
        ("/deployments", {"ref": "main"}, "mona", 422, "mona may not deploy"),
        ("/issues", {"title": " "}, "mona", 422, "an issue needs a title"),
        ("/issues/1/comments", {"body": " "}, "mona", 422, "a comment cannot be blank"),
        ("/issues/9/comments", {"body": "x"}, "mona", 404, "Not Found"),
    ],
)
@pytest.mark.usefixtures("pull")
async def test_a_person_reads_why_not(
    github: LocalGitHub,
    http: httpx.AsyncClient,
    path: str,
    form: dict[str, str],
    login: str,
    status: int,
    reason: str,
) -> None:
    await act_as(github, http, login)
    address = f"{github.base_url}/acme/widgets{path}"
    page = await http.post(address, data=form, headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert reason in page.text
    plain = await http.post(address, data=form)
    assert (plain.status_code, plain.headers["content-type"]) == (status, "text/plain; charset=utf-8")
    assert plain.text.startswith(reason) or reason in plain.text


@pytest.mark.usefixtures("pull")
async def test_another_site_writes_nothing(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    evil = {"origin": "https://evil.example"}
    for path, form in (
        ("/issues", {"title": "x"}),
        ("/issues/1/comments", {"body": "x"}),
        ("/deployments", {"ref": "main"}),
    ):
        answer = await http.post(f"{github.base_url}/acme/widgets{path}", data=form, headers=evil)
        assert answer.status_code == 403, path
    too_long = await send(github, http, "/issues/1/comments", body="x" * 500_000)
    assert too_long.status_code == 413
    assert (github.state.issues, github.state.comments, github.state.deployments) == ([], {}, {})


@pytest.mark.usefixtures("pull")
async def test_a_running_check_has_its_button(
    github: LocalGitHub, http: httpx.AsyncClient, receiver: Receiver
) -> None:
    sha = (await http.get("/repos/acme/widgets/pulls/1")).json()["head"]["sha"]
    names = ("Cancel", "Skip", "Clear Cache")
    actions = [{"label": name, "description": name, "identifier": name[:6]} for name in names]
    body = {"name": "ci", "head_sha": sha, "status": "in_progress", "actions": actions}
    run = (await http.post("/repos/acme/widgets/check-runs", json=body)).json()["html_url"]
    page = (await http.get(run)).text
    assert re.findall(r"<button [^>]*>([^<]+)</button>", page) == list(names)
    assert "Re-run</button>" not in page
    await act_as(github, http, "mona")
    assert (await http.post(f"{run}/action", data={"identifier": "Cancel"})).status_code == 303
    await github.settled()
    [pressed] = receiver.named("check_run", "requested_action")
    assert (pressed["sender"]["login"], pressed["requested_action"]["identifier"]) == ("mona", "Cancel")
