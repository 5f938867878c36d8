from __future__ import annotations

import json
from collections import Counter

import pytest
from driven import Driven
from published import Description

pytestmark = pytest.mark.conformance

CONTRADICTIONS = {("GET /app/installations", "account")}
"""Described as a user and an enterprise at once, where elsewhere it is either: nothing is both."""


def test_every_request_is_described(description: Description, driven: Driven) -> None:
    sent: Counter[str] = Counter()
    for request in driven.requests:
        if request.path == "/graphql":
            continue
        operation = description.operation(request.method, request.path)
        assert operation, f"{request.method} {request.path} is unknown"
        assert operation.request_problems(request.query, request.body) == [], operation.name
        sent[operation.name] += 1
    run = "/repos/{owner}/{repo}/check-runs/{check_run_id}"
    assert sent.keys() == {
        "GET /app/installations",
        "GET /app/hook/deliveries",
        "POST /app/hook/deliveries/{delivery_id}/attempts",
        "GET /installation/repositories",
        "POST /app/installations/{installation_id}/access_tokens",
        "POST /repos/{owner}/{repo}/check-runs",
        f"PATCH {run}",
        f"GET {run}",
        "GET /repos/{owner}/{repo}/commits/{ref}/check-runs",
        "GET /repos/{owner}/{repo}/git/ref/{ref}",
        "GET /repos/{owner}/{repo}/git/tags/{tag_sha}",
        "GET /repos/{owner}/{repo}/git/blobs/{file_sha}",
        "GET /repos/{owner}/{repo}/compare/{basehead}",
        "GET /repos/{owner}/{repo}/collaborators/{username}/permission",
        "GET /orgs/{org}/members/{username}",
        "GET /repos/{owner}/{repo}",
        "GET /repos/{owner}/{repo}/installation",
        "GET /repos/{owner}/{repo}/commits/{ref}",
        "GET /repos/{owner}/{repo}/pulls/{pull_number}",
        "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions",
        "POST /repos/{owner}/{repo}/issues/{issue_number}/reactions",
        "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
        "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
        "GET /repos/{owner}/{repo}/contents/{path}",
        "PUT /repos/{owner}/{repo}/contents/{path}",
        "GET /repos/{owner}/{repo}/deployments",
        "POST /repos/{owner}/{repo}/deployments",
        "POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses",
    }
    assert sent["POST /repos/{owner}/{repo}/check-runs"] >= 8


def test_every_answer_of_the_local_github_is_described(description: Description, driven: Driven) -> None:
    statuses: Counter[int] = Counter()
    for answer in driven.answers:
        operation = description.operation(answer.request.method, answer.request.path)
        assert operation
        found = operation.answer_problems(answer.status, answer.body)
        found = [
            each for each in found if (operation.name, each.where.partition("/")[2]) not in CONTRADICTIONS
        ]
        assert found == [], operation.name
        statuses[answer.status] += 1
    assert statuses.keys() == {200, 201, 202, 204, 404}


def test_every_delivery_of_the_local_github_is_described(description: Description, driven: Driven) -> None:
    seen: Counter[str] = Counter()
    for event, payload in driven.deliveries:
        name = " ".join(filter(None, (event, payload.get("action"))))
        schema = description.webhook(event, payload.get("action"))
        assert schema, f"{name} is unknown"
        # GitHub's own addresses of bots have brackets before the @, which the format does not know.
        judged = json.loads(json.dumps(payload).replace("[bot]@users.noreply", "@users.noreply"))
        assert description.problems(f"webhook {name}", schema, judged) == [], name
        seen[name] += 1
    assert seen.keys() >= {
        "check_run completed",
        "check_run created",
        "check_run rerequested",
        "check_suite completed",
        "check_suite requested",
        "check_suite rerequested",
        "create",
        "push",
    }


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("GET", "/repos/a/b/commits/abc/check-runs", "filter=newest", None),
        ("GET", "/repos/a/b/commits/abc/check-runs", "per-page=1", None),
        ("GET", "/repos/a/b/commits/abc/check-runs", "page=first", None),
        ("POST", "/repos/a/b/check-runs", "", None),
        ("POST", "/repos/a/b/check-runs", "", {"name": "x"}),
        ("POST", "/repos/a/b/check-runs", "", {"name": "x", "head_sha": "y", "external-id": "z"}),
        ("PATCH", "/repos/a/b/check-runs/1", "", {"status": "done"}),
        ("PATCH", "/repos/a/b/check-runs/1", "", {"output": {"titel": "x", "summary": "y"}}),
        (
            "PATCH",
            "/repos/a/b/check-runs/1",
            "",
            {"output": {"title": "x", "summary": "y", "annotations": [{}]}},
        ),
        ("PATCH", "/repos/a/b/check-runs/1", "", {"completed_at": "yesterday"}),
    ],
)
def test_the_judge_finds_what_is_wrong(
    description: Description, method: str, path: str, query: str, body: object
) -> None:
    operation = description.operation(method, path)
    assert operation
    assert operation.request_problems(query, body)


def test_the_judge_finds_what_is_unknown(description: Description) -> None:
    assert description.operation("GET", "/repos/a/b/check-run/1") is None
    assert description.operation("DELETE", "/repos/a/b/check-runs/1") is None
    listed = description.operation("GET", "/repos/a/b/commits/abc/check-runs")
    assert listed
    assert listed.request_problems("filter=all&app_id=1&per_page=100&page=1", None) == []
    assert listed.answer_problems(200, {"total_count": 1, "check_runs": [{}]})
    assert listed.answer_problems(418, {})
