from __future__ import annotations

from typing import Any

import httpx
from local_github_kit import token

from kubeci.github.commit_query import COMMIT_QUERY
from kubeci.local.github.repositories import executable, submodule, symlink
from kubeci.local.github.server import LocalGitHub

ENTRIES = """query($at: String!) { repository(owner: "acme", name: "widgets") { object(expression: $at) {
  ... on Tree { entries { name type mode path object { ... on Blob { text isBinary isTruncated byteSize oid }
    ... on Tree { entries { name object { ... on Blob { text } } } } } } } } } }"""


async def ask(http: httpx.AsyncClient, query: str, **variables: Any) -> dict[str, Any]:
    base = str(http.base_url).replace("/v3/", "/")
    answer = await http.post(f"{base}graphql", json={"query": query, "variables": variables})
    assert answer.status_code == 200
    assert answer.headers["x-ratelimit-resource"] == "graphql"
    body: dict[str, Any] = answer.json()
    return body


async def test_a_folder_at_a_commit(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    sha = await github.push(
        "acme/widgets",
        {
            ".kube-ci/ci.star": "print('hello')\n",
            ".kube-ci/sub/file.txt": "deep\n",
            ".kube-ci/run": executable("#!/bin/sh\n"),
            ".kube-ci/link": symlink("ci.star"),
            ".kube-ci/logo": b"\x89PNG\0\x01",
            ".kube-ci/module": submodule("1" * 40),
            ".kube-ci/large.txt": "x" * 600_000,
        },
    )
    body = await ask(http, ENTRIES, at=f"{sha}:.kube-ci")
    rows = {row["name"]: row for row in body["data"]["repository"]["object"]["entries"]}
    assert {name: (row["type"], row["mode"]) for name, row in rows.items()} == {
        "ci.star": ("blob", 0o100644),
        "sub": ("tree", 0o040000),
        "run": ("blob", 0o100755),
        "link": ("blob", 0o120000),
        "logo": ("blob", 0o100644),
        "module": ("commit", 0o160000),
        "large.txt": ("blob", 0o100644),
    }
    assert rows["ci.star"]["object"]["text"] == "print('hello')\n"
    assert rows["link"]["object"]["text"] == "ci.star"
    assert rows["sub"]["object"]["entries"] == [{"name": "file.txt", "object": {"text": "deep\n"}}]
    assert rows["module"]["object"] is None
    assert (rows["logo"]["object"]["isBinary"], rows["logo"]["object"]["text"]) == (True, None)
    assert (rows["large.txt"]["object"]["isTruncated"], rows["large.txt"]["object"]["byteSize"]) == (
        True,
        600_000,
    )
    assert rows["run"]["path"] == ".kube-ci/run"


async def test_what_is_not_there_is_null(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    sha = await github.push("acme/widgets", {"a": "b"})
    for expression in (f"{sha}:.kube-ci", "0" * 40, "no such branch", "", "a\nb"):
        assert (await ask(http, ENTRIES, at=expression))["data"]["repository"]["object"] is None, expression
    body = await ask(http, '{ repository(owner: "acme", name: "other") { name } }')
    assert body["data"] == {"repository": None}
    assert body["errors"][0]["type"] == "NOT_FOUND"
    assert body["errors"][0]["path"] == ["repository"]
    body = await ask(http, '{ repository(owner: "acme", name: "widgets") { nmae } }')
    assert "data" not in body
    assert "Did you mean" in body["errors"][0]["message"]


async def test_the_servers_own_query_with_its_pull_request(
    github: LocalGitHub, http: httpx.AsyncClient
) -> None:
    await github.push("acme/widgets", {"a": "1"})
    sha = await github.push(
        "acme/widgets", {".kube-ci/ci.yaml": "x: 1\n"}, branch="topic", message="Topic\n\nMore."
    )
    await github.create_repository("fork/widgets", owner_type="User")
    await github.push("fork/widgets", {"b": "2"})
    await github.open_pull_request("acme/widgets", head="topic", title="A topic", draft=True)
    await github.open_pull_request("acme/widgets", head="fork/widgets:main")
    variables = {"owner": "acme", "name": "widgets", "oid": sha, "folder": f"{sha}:.kube-ci"}
    body = await ask(http, COMMIT_QUERY, **variables)
    assert "errors" not in body
    repository = body["data"]["repository"]
    assert repository["folder"]["entries"][0]["object"]["text"] == "x: 1\n"
    assert repository["commit"]["message"] == "Topic\n\nMore."
    pull = repository["commit"]["associatedPullRequests"]["nodes"][0]
    assert pull["url"] == f"{github.base_url}/acme/widgets/pull/1"
    assert (pull["isDraft"], pull["state"], pull["baseRefName"], pull["headRefOid"]) == (
        True,
        "OPEN",
        "main",
        sha,
    )
    assert pull["headRepository"] == {"nameWithOwner": "acme/widgets"}

    moved = await github.push("acme/widgets", {"c": "3"}, branch="topic")
    answer = await ask(
        http,
        """{ repository(owner: "acme", name: "widgets") { pullRequest(number: 1) { headRefOid }
        fork: pullRequest(number: 2) { isCrossRepository headRepository { nameWithOwner owner { login __typename } } }
        ref(qualifiedName: "topic") { name target { oid } } defaultBranchRef { name } } }""",
    )
    repository = answer["data"]["repository"]
    assert repository["pullRequest"]["headRefOid"] == moved
    assert repository["fork"]["isCrossRepository"] is True
    assert repository["fork"]["headRepository"]["owner"] == {"login": "fork", "__typename": "User"}
    assert repository["ref"] == {"name": "topic", "target": {"oid": moved}}
    assert repository["defaultBranchRef"] == {"name": "main"}


async def test_a_missing_permission_takes_only_its_part(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    sha = await github.push("acme/widgets", {".kube-ci/ci.yaml": "x: 1\n"})
    narrowed = await token(github, permissions={"contents": "read"})
    http.headers["authorization"] = f"Bearer {narrowed}"
    body = await ask(http, COMMIT_QUERY, owner="acme", name="widgets", oid=sha, folder=f"{sha}:.kube-ci")
    assert body["data"]["repository"]["commit"]["associatedPullRequests"] is None
    assert body["data"]["repository"]["folder"]["entries"]
    assert [error["type"] for error in body["errors"]] == ["FORBIDDEN"]
    assert body["errors"][0]["message"] == "Resource not accessible by integration"


async def test_annotated_tags_and_pages_without_bounds(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    sha = await github.push("acme/widgets", {"a": "1"})
    await github.tag("acme/widgets", "v1", sha, message="First")
    body = await ask(
        http,
        """{ repository(owner: "acme", name: "widgets") { ref(qualifiedName: "refs/tags/v1") {
        prefix target { ... on Tag { name message target { oid } } } } } rateLimit { cost remaining } }""",
    )
    tag = body["data"]["repository"]["ref"]
    assert tag["prefix"] == "refs/tags/"
    assert (tag["target"]["name"], tag["target"]["target"]) == ("v1", {"oid": sha})
    assert body["data"]["rateLimit"]["cost"] == 1
    body = await ask(
        http,
        'query($o: GitObjectID!) { repository(owner: "acme", name: "widgets") { object(oid: $o) '
        "{ ... on Commit { associatedPullRequests { totalCount } } } } }",
        o=sha,
    )
    assert body["errors"][0]["type"] == "MISSING_PAGINATION_BOUNDARIES"
