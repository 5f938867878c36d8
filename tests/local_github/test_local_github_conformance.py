from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import graphql
import httpx
import jsonschema_rs
import pytest
from githubkit import AppAuthStrategy
from local_github_kit import key_of, kit, token

from kubeci.local.github.app_manifest import EVENTS, PERMISSIONS, Manifest
from kubeci.local.github.graphql import schema
from kubeci.local.github.server import LocalGitHub
from kubeci.model.app_needs import EVENTS as WANTED
from kubeci.model.app_needs import wanted_permissions

pytestmark = pytest.mark.conformance
PUBLISHED = Path(__file__).parents[2] / ".conformance" / "node_modules" / "@octokit"
REPO = "/repos/{owner}/{repo}"
NOTE = {"path": "a/b.txt", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m"}


def described(value: Any) -> Any:
    """OpenAPI 3.0's `nullable` as JSON Schema says it."""
    if isinstance(value, list):
        return [described(each) for each in value]
    if not isinstance(value, dict):
        return value
    plain = {key: described(each) for key, each in value.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if value.get("nullable") is True else plain


class Description:
    def __init__(self) -> None:
        text = (PUBLISHED / "openapi" / "generated" / "api.github.com.json").read_text()
        self.whole = described(json.loads(text))

    def complaints(self, method: str, path: str, status: int, body: Any) -> list[str]:
        answer = self.whole["paths"][path][method.lower()]["responses"][str(status)]
        if "$ref" in answer:
            answer = self.whole["components"]["responses"][answer["$ref"].rpartition("/")[2]]
        if "content" not in answer:
            return []
        return self._problems(answer["content"]["application/json"]["schema"], body)

    def complaints_of_event(self, event: str, payload: Any) -> list[str]:
        name = "-".join(["webhook", event, *([payload["action"]] if "action" in payload else [])])
        return self._problems({"$ref": f"#/components/schemas/{name.replace('_', '-')}"}, payload)

    def _problems(self, schema: Any, body: Any) -> list[str]:
        root = {"components": self.whole["components"], "allOf": [schema]}
        validator = jsonschema_rs.Draft202012Validator(root)
        return [f"{error.message[:200]} at {error.instance_path}" for error in validator.iter_errors(body)]


def test_our_graphql_schema_is_a_part_of_the_published_one() -> None:
    text = (PUBLISHED / "graphql-schema" / "schema.graphql").read_text()
    published = graphql.build_schema(text, assume_valid_sdl=True)
    for name, ours in schema().type_map.items():
        if name.startswith("__"):
            continue
        theirs: Any = published.type_map[name]
        for field, definition in getattr(ours, "fields", {}).items():
            assert str(definition.type) == str(theirs.fields[field].type), f"{name}.{field}"
            for argument, value in getattr(definition, "args", {}).items():  # fields of inputs have none
                assert str(value.type) == str(theirs.fields[field].args[argument].type), f"{name}.{field}"


class Caller:
    """Calls what the description describes, and gathers its complaints about the answers."""

    def __init__(self, http: httpx.AsyncClient, **names: Any) -> None:
        self._http, self._names, self._description = http, names, Description()
        self.wrong: list[str] = []

    async def __call__(self, method: str, path: str, json: Any = None, /, **values: Any) -> Any:
        answer = await self._http.request(method, path.format(**self._names, **values), json=json)
        body = answer.json() if answer.content else None
        complaints = self._description.complaints(method, path, answer.status_code, body)
        self.wrong.extend(f"{method} {path}: {text}" for text in complaints)
        return body


async def test_answers_are_as_published(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    sha = await github.push("acme/widgets", {"a/b.txt": "x\n"})
    topic = await github.push("acme/widgets", {"c": "x\n"}, branch="topic")
    await github.open_pull_request("acme/widgets", head="topic")
    tag = await github.tag("acme/widgets", "v1", sha, message="First")
    installation = github.installation("acme/widgets").id
    call = Caller(http, owner="acme", repo="widgets", installation_id=installation)
    output = {"title": "t", "summary": "s", "annotations": [NOTE]}
    run = await call("POST", f"{REPO}/check-runs", {"name": "x", "head_sha": sha, "output": output})
    await call("POST", f"{REPO}/check-runs", {"name": "x", "head_sha": topic, "conclusion": "skipped"})
    one = {"check_run_id": run["id"], "check_suite_id": run["check_suite"]["id"]}
    await call("PATCH", f"{REPO}/check-runs/{{check_run_id}}", {"conclusion": "failure"}, **one)
    for path in ("check-runs/{check_run_id}", "check-runs/{check_run_id}/annotations"):
        await call("GET", f"{REPO}/{path}", **one)
    for path in ("check-suites/{check_suite_id}", "check-suites/{check_suite_id}/check-runs"):
        await call("GET", f"{REPO}/{path}", **one)
    for path in ("check-runs/{check_run_id}/rerequest", "check-suites/{check_suite_id}/rerequest"):
        await call("POST", f"{REPO}/{path}", **one)
    for path in ("commits/{ref}", "commits/{ref}/check-runs", "commits/{ref}/check-suites"):
        await call("GET", f"{REPO}/{path}", ref="topic")
    for path in ("", "/branches", "/git/matching-refs/tags"):
        await call("GET", (REPO + path).replace("/tags", "/{ref}"), ref="tags")
    await call("GET", f"{REPO}/branches/{{branch}}", branch="main")
    await call("GET", f"{REPO}/git/ref/{{ref}}", ref="heads/main")
    await call("GET", f"{REPO}/git/tags/{{tag_sha}}", tag_sha=tag)
    tree = await call("GET", f"{REPO}/git/trees/{{tree_sha}}", tree_sha=topic)
    await call("GET", f"{REPO}/git/blobs/{{file_sha}}", file_sha=tree["tree"][1]["sha"])
    for path in ("a", "a/b.txt"):
        await call("GET", f"{REPO}/contents/{{path}}", path=path)
    for path in ("/rate_limit", "/installation/repositories"):
        await call("GET", path)
    await github.settled()
    async with kit(github, AppAuthStrategy(github.app.id, key_of(github.app))) as client:
        strategy: Any = client.auth.get_auth_flow(client)
        http.headers["authorization"] = f"Bearer {await strategy.aget_jwt()}"
    # `GET /app/installations` is left out: its description wants an account to be user and enterprise at once.
    for path in ("/app", "/app/hook/config", "/app/hook/deliveries", f"{REPO}/installation"):
        await call("GET", path)
    await call("GET", "/app/installations/{installation_id}")
    narrowed = {"repositories": ["widgets"], "permissions": {"checks": "read"}}
    await call("POST", "/app/installations/{installation_id}/access_tokens", narrowed)
    delivery = github.deliveries.sent[0].id
    await call("GET", "/app/hook/deliveries/{delivery_id}", delivery_id=delivery)
    await call("POST", "/app/hook/deliveries/{delivery_id}/attempts", delivery_id=delivery)
    http.headers["authorization"] = f"Bearer {await token(github)}"
    await call("DELETE", "/installation/token")
    assert call.wrong == []


async def test_answers_about_pull_requests_and_people(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    await github.push("acme/widgets", {"a/b.txt": "x\n", "old": "1\n2\n3\n"})
    await github.fork("acme/widgets", "mona")
    github.user = "mona"
    head = await github.push("mona/widgets", {"a/b.txt": "y\n", "old": None, "new": "1\n2\n3\n"})
    pull = await github.open_pull_request("acme/widgets", head="mona:main", body="Please")
    await github.label(pull, "bug")
    github.member("acme", "mona")
    call = Caller(http, owner="acme", repo="widgets", username="mona", org="acme", pull_number=1)
    for path in ("pulls", "pulls/{pull_number}", "pulls/{pull_number}/files", "pulls/{pull_number}/commits"):
        await call("GET", f"{REPO}/{path}")
    await call("GET", f"{REPO}/commits/{{commit_sha}}/pulls", commit_sha=head)
    await call("GET", f"{REPO}/compare/{{basehead}}", basehead="main...mona:main")
    for path in ("collaborators/{username}", "collaborators/{username}/permission"):
        await call("GET", f"{REPO}/{path}")
    await call("GET", "/orgs/{org}/members/{username}")
    await call("GET", "/orgs/{org}/public_members/{username}")
    await github.merge_pull_request(pull)
    await call("GET", f"{REPO}/pulls/{{pull_number}}")
    assert call.wrong == []


async def test_answers_about_conversations(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    await github.open_issue("acme/widgets", "Broken", "It is")
    call = Caller(http, owner="acme", repo="widgets", issue_number=1)
    comment = await call("POST", f"{REPO}/issues/{{issue_number}}/comments", {"body": "Hello"})
    one, heart = {"comment_id": comment["id"]}, {"content": "heart"}
    await call("PATCH", f"{REPO}/issues/comments/{{comment_id}}", {"body": "Bye"}, **one)
    await call("POST", f"{REPO}/issues/comments/{{comment_id}}/reactions", heart, **one)
    await call("POST", f"{REPO}/issues/comments/{{comment_id}}/reactions", heart, **one)
    await call("POST", f"{REPO}/issues/{{issue_number}}/reactions", heart)
    for path in ("", "/comments", "/reactions"):
        await call("GET", f"{REPO}/issues/{{issue_number}}{path}")
    for path in ("", "/reactions"):
        await call("GET", f"{REPO}/issues/comments/{{comment_id}}{path}", **one)
    await call("DELETE", f"{REPO}/issues/comments/{{comment_id}}", **one)
    assert call.wrong == []


async def test_answers_about_deployments(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    base = await github.push("acme/widgets", {"a": "1\n"})
    await github.push("acme/widgets", {"b": "1\n"}, branch="topic")
    await github.push("acme/widgets", {"a": "2\n"}, branch="clash", base=base)
    await github.push("acme/widgets", {"a": "3\n"})
    call = Caller(http, owner="acme", repo="widgets")
    for body in ({"ref": "topic"}, {"ref": "clash"}, {"ref": "main", "required_contexts": ["ci"]}, {}):
        await call("POST", f"{REPO}/deployments", body)
    made = await call("POST", f"{REPO}/deployments", {"ref": "main", "payload": {"a": 1}})
    one = {"deployment_id": made["id"]}
    for body in ({"state": "success", "log_url": "https://example.com"}, {"state": "done"}):
        await call("POST", f"{REPO}/deployments/{{deployment_id}}/statuses", body, **one)
    for path in ("", "/{deployment_id}", "/{deployment_id}/statuses"):
        await call("GET", f"{REPO}/deployments{path}", **one)
    assert call.wrong == []


async def test_an_app_that_is_made_from_a_manifest(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    permissions: dict[str, str] = dict(wanted_permissions())
    events = tuple(each.event for each in WANTED)
    url = "https://ci.example.com"
    manifest = Manifest(
        "Our CI", url, url, url, "Builds", public=False, permissions=permissions, events=events
    )
    owner = github.state.account("acme")
    call = Caller(http, code=github.made_apps.promise(manifest, "Our CI", owner))
    del http.headers["authorization"]
    made = await call("POST", "/app-manifests/{code}/conversions")
    assert made["pem"].startswith("-----BEGIN")
    await call("POST", "/app-manifests/{code}/conversions")
    assert call.wrong == []


def test_what_a_manifest_may_ask_for_is_published() -> None:
    published = Description().whole["components"]["schemas"]["app-permissions"]["properties"]
    # The description lets metadata be written, which no App can ask for.
    assert {name: set(levels) - set(published[name]["enum"]) for name, levels in PERMISSIONS.items()} == {
        name: set() for name in PERMISSIONS
    }
    listed = json.loads((PUBLISHED / "webhooks-examples" / "api.github.com" / "index.json").read_text())
    assert EVENTS.keys() - {event["name"] for event in listed} == set()


@pytest.mark.usefixtures("github")
async def test_answers_about_written_files(http: httpx.AsyncClient) -> None:
    call = Caller(http, owner="acme", repo="widgets", path="a/b.txt")
    body = {"message": "Write", "content": "eA=="}
    made = await call("PUT", f"{REPO}/contents/{{path}}", body)
    for more in ({"sha": made["content"]["sha"]}, {}, {"branch": "nowhere"}):
        await call("PUT", f"{REPO}/contents/{{path}}", {**body, **more})
    assert call.wrong == []


def holes(example: Any, ours: Any, path: str = "") -> list[str]:
    """The keys of an example payload that ours lacks; what the App may do is its own affair."""
    if not isinstance(example, dict) or not isinstance(ours, dict):
        return []
    return [
        hole
        for key, value in example.items()
        if key not in {"permissions", "organization"}
        for hole in ([f"{path}{key}"] if key not in ours else holes(value, ours[key], f"{path}{key}."))
    ]


async def _everything_people_do(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    sha = await github.push("acme/widgets", {"a": "1"})
    body = {"name": "x", "head_sha": sha, "conclusion": "success"}
    run = (await http.post("/repos/acme/widgets/check-runs", json=body)).json()
    await github.rerequest(run["id"])
    await github.rerequest_suite(run["check_suite"]["id"])
    await github.tag("acme/widgets", "v1", sha)
    await github.delete("acme/widgets", "refs/tags/v1")
    await github.fork("acme/widgets", "mona")
    await github.push("mona/widgets", {"c": "1"}, branch="topic")
    pull = await github.open_pull_request("acme/widgets", head="mona:topic")
    await github.push("mona/widgets", {"c": "2"}, branch="topic")
    await github.push("acme/widgets", {"d": "1"}, branch="release")
    await github.edit_pull_request(pull, title="Better", body="Because", base="release")
    await github.label(pull, "bug")
    await github.unlabel(pull, "bug")
    await github.convert_to_draft(pull)
    await github.ready_for_review(pull)
    await github.close_pull_request(pull)
    await github.reopen_pull_request(pull)
    await github.open_issue("acme/widgets", "Broken", "It is")
    comment = await github.comment("acme/widgets", 1, "Hello")
    await http.post("/repos/acme/widgets/issues/2/comments", json={"body": "Hello"})
    await github.edit_comment("acme/widgets", comment.id, "Bye")
    await github.delete_comment("acme/widgets", comment.id)
    await github.deploy("acme/widgets", "main", payload={"a": 1})
    wanted = {"ref": "main", "payload": "x", "required_contexts": []}
    deployment = (await http.post("/repos/acme/widgets/deployments", json=wanted)).json()
    for state in ("in_progress", "success"):
        await http.post(deployment["statuses_url"], json={"state": state})
    await github.enqueue(pull)
    await github.dequeue(pull)
    await github.enqueue(pull)
    await github.merge_queued(pull)
    github.archive("acme/widgets")
    github.unarchive("acme/widgets")
    github.remove_from_installation("acme/widgets")
    github.add_to_installation("acme/widgets")
    github.suspend("acme")
    github.unsuspend("acme")
    github.grant("acme", checks="write")
    await github.delete_repository("acme/widgets")
    github.uninstall("acme")
    github.install("acme")


async def test_payloads_hold_what_all_examples_hold(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    listed = json.loads((PUBLISHED / "webhooks-examples" / "api.github.com" / "index.json").read_text())
    examples: dict[tuple[str, str | None], list[Any]] = {}
    for event in listed:
        for example in event["examples"]:
            examples.setdefault((event["name"], example.get("action")), []).append(example)
    await _everything_people_do(github, http)
    description = Description()
    for delivery in github.deliveries.sent:
        key = delivery.event, delivery.payload.get("action")
        missing = [set(holes(example, delivery.payload)) for example in examples.get(key, [])]
        assert not missing or set.intersection(*missing) == set(), key
        assert description.complaints_of_event(delivery.event, delivery.payload) == [], key
