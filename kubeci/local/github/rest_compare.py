"""Two commits compared over REST: what changed since they parted."""

from __future__ import annotations

from starlette.responses import Response

from kubeci.local.github import git
from kubeci.local.github.calls import Call, Operation
from kubeci.local.github.changes import changed_files, commits_between
from kubeci.local.github.errors import ApiError, not_found
from kubeci.local.github.git_content import Commit, read_commit
from kubeci.local.github.history import merge_base
from kubeci.local.github.payloads import api_url
from kubeci.local.github.pull_payloads import file_json
from kubeci.local.github.rest_git import commit_json
from kubeci.local.github.state import Repository
from kubeci.model.json import JsonObject

FILES_COMPARED = 300  # docs.github.com, "Compare two commits"
COMMITS_COMPARED = 250
_STATUS = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}


async def compare(call: Call) -> Response:
    """Answer `GET …/compare/{base}...{head}`: commits by the page, the files on the first one.

    A side is a branch, tag or sha, of this repository or, written `owner:ref` or `owner:repo:ref`, of a fork.
    """
    left, dots, right = call.text("basehead").partition("...")
    if not (left and dots and right):
        raise not_found()
    base_side, head_side = _side(call, left), _side(call, right)
    where = git.Network(call.repository.path, (base_side[0].path, head_side[0].path))
    base, head = await _tip(*base_side), await _tip(*head_side)
    start = await merge_base(where, base.oid, head.oid)
    if start is None:
        raise ApiError(404, f"No common ancestor between {left} and {right}.")
    ahead = await commits_between(where, base.oid, head.oid)
    behind = await commits_between(where, head.oid, base.oid)
    paged = bool(call.query("per_page") or call.query("page"))
    commits = call.page(ahead) if paged else ahead[-COMMITS_COMPARED:]
    files = await changed_files(where, start, head.oid) if call.query("page", "1") == "1" else []
    common = await _tip(call.repository, start, where)

    def commit(each: Commit) -> JsonObject:
        return commit_json(call.state, call.repository, each)

    path = f"{call.repository.full_name}/compare/{left}...{right}"
    page = f"{call.state.base_url}/{path}"
    return call.answer(
        {
            "url": api_url(call.state, f"/repos/{path}"),
            "html_url": page,
            "permalink_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "base_commit": commit(base),
            "merge_base_commit": commit(common),
            "status": _STATUS.get((bool(ahead), bool(behind)), "identical"),
            "ahead_by": len(ahead),
            "behind_by": len(behind),
            "total_commits": len(ahead),
            "commits": [commit(each) for each in commits],
            "files": [
                file_json(call.state, call.repository, head.oid, each) for each in files[:FILES_COMPARED]
            ],
        }
    )


def _side(call: Call, side: str) -> tuple[Repository, str]:
    """Find the repository of a side; only those of one network may be compared."""
    *names, ref = side.split(":")
    if not names:
        return call.repository, side
    name = names[1] if len(names) > 1 else call.repository.name
    found = call.state.repository(f"{names[0]}/{name}")
    if found is None or _root(found) is not _root(call.repository):
        raise not_found()
    return found, ref


def _root(repository: Repository) -> Repository:
    return repository if repository.parent is None else _root(repository.parent)


async def _tip(repository: Repository, ref: str, where: git.Location | None = None) -> Commit:
    async with git.objects(where or repository.path) as objects:
        found = await objects.peel(ref)
    if found is None:
        raise not_found()
    return read_commit(found.oid, found.content)


OPERATIONS = [Operation("GET", "/repos/{owner}/{repo}/compare/{basehead:path}", compare, "contents:read")]
