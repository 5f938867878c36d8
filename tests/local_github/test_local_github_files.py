from __future__ import annotations

from typing import Any

import httpx
import pytest
from test_local_github_graphql import ask

from kubeci.local.github.git import git
from kubeci.local.github.repositories import executable, symlink
from kubeci.local.github.server import LocalGitHub

REPO = "/repos/acme/widgets"
LINES = "".join(f"line {n}\n" for n in range(20))
EXPECTED = {
    "a name with blanks and ü": ("added", 1, 0),
    "changed": ("modified", 1, 1),
    "gone": ("removed", 0, 1),
    "logo": ("added", 0, 0),
    "mode": ("modified", 0, 0),
    "new": ("renamed", 0, 0),
    "type": ("changed", 1, 1),
}


@pytest.fixture
async def shas(github: LocalGitHub) -> tuple[str, str]:
    files = {"changed": "1\n", "gone": "going\n", "mode": "1\n", "old": LINES, "type": "1\n"}
    base = await github.push("acme/widgets", files)
    changes: dict[str, Any] = {
        "a name with blanks and ü": "1\n",
        "changed": "2\n",
        "gone": None,
        "logo": b"\x89PNG\0",
        "mode": executable("1\n"),
        "old": None,
        "new": LINES,
        "type": symlink("changed"),
    }
    head = await github.push("acme/widgets", changes, branch="topic/x")
    await github.push("acme/widgets", {"elsewhere": "main moved on\n"})
    return base, head


def rows(listed: list[dict[str, Any]]) -> dict[str, tuple[str, int, int]]:
    return {row["filename"]: (row["status"], row["additions"], row["deletions"]) for row in listed}


async def test_files_since_the_head_parted_from_its_base(
    github: LocalGitHub, http: httpx.AsyncClient, shas: tuple[str, str]
) -> None:
    await github.open_pull_request("acme/widgets", head="topic/x")
    listed = (await http.get(f"{REPO}/pulls/1/files")).json()
    assert rows(listed) == EXPECTED
    assert [row["previous_filename"] for row in listed if row["status"] == "renamed"] == ["old"]
    first = await http.get(f"{REPO}/pulls/1/files", params={"per_page": 4})
    second = await http.get(first.links["next"]["url"])
    assert [row["filename"] for row in [*first.json(), *second.json()]] == list(EXPECTED)
    compared = (await http.get(f"{REPO}/compare/main...topic/x")).json()
    assert rows(compared["files"]) == EXPECTED
    assert (compared["status"], compared["ahead_by"], compared["behind_by"]) == ("diverged", 1, 1)
    assert compared["merge_base_commit"]["sha"] == shas[0]
    assert [commit["sha"] for commit in compared["commits"]] == [shas[1]]


async def test_comparisons(github: LocalGitHub, http: httpx.AsyncClient, shas: tuple[str, str]) -> None:
    base, head = shas
    await github.fork("acme/widgets", "mona")
    await github.push("mona/widgets", {"fork": "1"}, branch="theirs")
    await github.create_repository("other/widgets")
    await github.push("other/widgets", {"x": "1"})
    await github.push("acme/widgets", {"x": "1"}, branch="also")
    expected = {
        f"{base}...{head}": "ahead",
        f"{head}...{base}": "behind",
        f"{base}...{base}": "identical",
        "main...mona:theirs": "ahead",
        "mona:theirs...main": "behind",
        "mona:widgets:theirs...also": "diverged",
        "main...other:main": None,
        "main...mona:nothing": None,
        "main...nothing": None,
        "main..topic/x": None,
        "main": None,
    }
    for path, status in expected.items():
        answer = await http.get(f"{REPO}/compare/{path}")
        assert answer.status_code == (404 if status is None else 200), path
        assert status is None or answer.json()["status"] == status, path
    for number in range(3):
        await github.push("acme/widgets", {"n": str(number)}, branch="long")
    pages = [f"{REPO}/compare/main...long?per_page=2&page={page}" for page in (1, 2)]
    first, second = [(await http.get(page)).json() for page in pages]
    assert [len(page["commits"]) for page in (first, second)] == [2, 1]
    assert [len(page["files"]) for page in (first, second)] == [1, 0]
    folder = github.state.repository("acme/widgets").path  # type: ignore[union-attr]  # it was just made
    alien = (await git(folder, "commit-tree", f"{head}^{{tree}}", "-m", "Alien")).decode().strip()
    answer = await http.get(f"{REPO}/compare/main...{alien}")
    assert answer.json()["message"] == f"No common ancestor between main and {alien}."


@pytest.mark.usefixtures("shas")
async def test_pull_requests_by_graphql(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    await github.fork("acme/widgets", "mona")
    github.user = "mona"
    head = await github.push("mona/widgets", {"fork": "1"}, branch="theirs")
    await github.open_pull_request("acme/widgets", head="topic/x")
    await github.open_pull_request("acme/widgets", head="mona:theirs", body="Please")
    body = await ask(
        http,
        """query($oid: GitObjectID!, $after: String) { repository(owner: "acme", name: "widgets") {
        pullRequest(number: 1) { changedFiles files(first: 4, after: $after) {
          nodes { path changeType } pageInfo { hasNextPage endCursor } totalCount } }
        fork: object(oid: $oid) { ... on Commit { associatedPullRequests(first: 10) { nodes {
          number body merged authorAssociation author { __typename login } } } } } } }""",
        oid=head,
    )
    assert "errors" not in body
    found = body["data"]["repository"]
    files = found["pullRequest"]["files"]
    assert (files["totalCount"], found["pullRequest"]["changedFiles"]) == (7, 7)
    assert [row["changeType"] for row in files["nodes"]] == ["ADDED", "MODIFIED", "DELETED", "ADDED"]
    assert files["pageInfo"]["hasNextPage"] is True
    assert found["fork"]["associatedPullRequests"]["nodes"] == [
        {
            "number": 2,
            "body": "Please",
            "merged": False,
            "authorAssociation": "FIRST_TIME_CONTRIBUTOR",
            "author": {"__typename": "User", "login": "mona"},
        }
    ]
    query = """query($after: String, $first: Int, $last: Int) { repository(owner: "acme", name: "widgets") {
        pullRequest(number: 1) { files(first: $first, last: $last, after: $after) {
        nodes { path changeType } pageInfo { hasNextPage hasPreviousPage } } } } }"""
    rest = await ask(http, query, first=100, after=files["pageInfo"]["endCursor"])
    page = rest["data"]["repository"]["pullRequest"]["files"]
    assert [row["changeType"] for row in page["nodes"]] == ["MODIFIED", "RENAMED", "CHANGED"]
    assert page["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": True}
    last = await ask(http, query, last=1)
    assert [row["path"] for row in last["data"]["repository"]["pullRequest"]["files"]["nodes"]] == ["type"]
    for variables, kind in (
        ({}, "MISSING_PAGINATION_BOUNDARIES"),
        ({"first": 101}, "EXCESSIVE_PAGINATION"),
        ({"first": 1, "after": "?"}, "INVALID_CURSOR_ARGUMENTS"),
    ):
        assert (await ask(http, query, **variables))["errors"][0]["type"] == kind


async def test_refs_compared_by_graphql(
    github: LocalGitHub, http: httpx.AsyncClient, shas: tuple[str, str]
) -> None:
    query = """query($head: String!) { repository(owner: "acme", name: "widgets") { ref(qualifiedName: "main") {
        compare(headRef: $head) { status aheadBy behindBy headTarget { oid } } } } }"""

    async def compared(head: str) -> Any:
        return (await ask(http, query, head=head))["data"]["repository"]["ref"]["compare"]

    assert await compared("topic/x") == {
        "status": "DIVERGED",
        "aheadBy": 1,
        "behindBy": 1,
        "headTarget": {"oid": shas[1]},
    }
    assert (await compared(shas[0]))["status"] == "BEHIND"
    assert (await compared("main"))["status"] == "IDENTICAL"
    for head in ("nothing", "--help"):
        assert await compared(head) is None, head
    main = await github.push("acme/widgets", {"more": "1"}, branch="more", base="main")
    assert (await compared(main))["status"] == "AHEAD"
