"""Pull requests over REST."""

from __future__ import annotations

from starlette.responses import Response

from kubeci.local.github.calls import Call, Operation
from kubeci.local.github.errors import invalid_field, not_found
from kubeci.local.github.pull_payloads import file_json, pull_full, pull_simple
from kubeci.local.github.pulls import PullNode, pulls_with
from kubeci.local.github.rest_git import commit_json, find_commit
from kubeci.local.github.state import PullRequest

FILES_LISTED = 3_000  # docs.github.com, "List pull requests files"
COMMITS_LISTED = 250


async def _pull(call: Call) -> PullNode:
    number = call.number("pull_number")
    for pull in call.state.pull_requests:
        if pull.base is call.repository and pull.number == number:
            return await PullNode.read(pull)
    raise not_found()


async def get_pull(call: Call) -> Response:
    """Answer `GET …/pulls/{pull_number}`."""
    return call.answer(await pull_full(call.state, await _pull(call)))


async def list_pulls(call: Call) -> Response:
    """Answer `GET …/pulls`, newest first; `head` is `owner:branch`."""
    state, head, base = call.query("state", "open"), call.query("head"), call.query("base")
    if state not in {"open", "closed", "all"}:
        raise invalid_field("PullRequest", "state")
    found = [
        pull
        for pull in reversed(call.state.pull_requests)
        if pull.base is call.repository
        and state in {"all", pull.state}
        and (not head or ":" not in head or pull.label.lower() == head.lower())
        and base in {"", pull.base_ref}
    ]
    if call.query("direction") == "asc":
        found.reverse()
    return await _answer(call, call.page(found))


async def _answer(call: Call, pulls: list[PullRequest]) -> Response:
    reads = [await PullNode.read(pull) for pull in pulls]
    return call.answer([await pull_simple(call.state, read) for read in reads])


async def pull_files(call: Call) -> Response:
    """Answer `GET …/pulls/{pull_number}/files`."""
    read = await _pull(call)
    files = call.page((await read.files())[:FILES_LISTED])
    return call.answer([file_json(call.state, call.repository, read.head_sha, file) for file in files])


async def pull_commits(call: Call) -> Response:
    """Answer `GET …/pulls/{pull_number}/commits`, oldest first."""
    commits = call.page((await (await _pull(call)).commits())[:COMMITS_LISTED])
    return call.answer([commit_json(call.state, call.repository, commit) for commit in commits])


async def commit_pulls(call: Call) -> Response:
    """Answer `GET …/commits/{commit_sha}/pulls`: the pull requests that bring a commit, or a branch's head."""
    commit = await find_commit(call.repository, call.text("commit_sha"))
    found = await pulls_with(call.state, call.repository, commit.oid)
    return await _answer(call, call.page([read.pull for read in found]))


_REPO = "/repos/{owner}/{repo}"
_PULL = f"{_REPO}/pulls/{{pull_number}}"
OPERATIONS = [
    Operation("GET", f"{_REPO}/pulls", list_pulls, "pull_requests:read"),
    Operation("GET", _PULL, get_pull, "pull_requests:read"),
    Operation("GET", f"{_PULL}/files", pull_files, "pull_requests:read"),
    Operation("GET", f"{_PULL}/commits", pull_commits, "pull_requests:read"),
    Operation("GET", f"{_REPO}/commits/{{commit_sha:path}}/pulls", commit_pulls, "pull_requests:read"),
]
