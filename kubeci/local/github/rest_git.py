"""Reads of a repository: itself, its refs and objects, its files."""

from __future__ import annotations

import base64

from starlette.responses import Response

from kubeci.local.github import git
from kubeci.local.github.calls import Call, Operation
from kubeci.local.github.changes import commit_files
from kubeci.local.github.errors import ApiError, not_found
from kubeci.local.github.git_content import Commit, Signature, read_commit, read_tag, read_tree
from kubeci.local.github.git_files import GitObject
from kubeci.local.github.payloads import api_url, node_id, repository_json
from kubeci.local.github.pull_payloads import file_json
from kubeci.local.github.rest_contents import get_contents
from kubeci.local.github.state import Repository, State, timestamp
from kubeci.model.json import JsonObject

FILES_LISTED = 300  # on a page: docs.github.com/rest/commits/commits
TREE_LIMIT = 100_000  # entries of a recursive tree: docs.github.com, "REST API endpoints for Git trees"
_UNSIGNED = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


async def get_repository(call: Call) -> Response:
    """Answer `GET /repos/{owner}/{repo}`."""
    return call.answer(repository_json(call.state, call.repository))


def _url(call: Call, path: str) -> str:
    return api_url(call.state, f"/repos/{call.repository.full_name}{path}")


def _ref_json(call: Call, ref: str, found: GitObject) -> JsonObject:
    return {
        "ref": ref,
        "node_id": node_id("Ref", f"{call.repository.id}:{ref}"),
        "url": _url(call, f"/git/{ref}"),
        "object": {
            "sha": found.oid,
            "type": found.type,
            "url": _url(call, f"/git/{found.type}s/{found.oid}"),
        },
    }


async def get_ref(call: Call) -> Response:
    """Answer `GET …/git/ref/{ref}`; the ref is `heads/…` or `tags/…`, an annotated tag is its own object."""
    ref = f"refs/{call.text('ref')}"
    async with git.objects(call.repository.path) as objects:
        known = await git.refs(call.repository.path, ref)
        found = await objects.get(known[ref]) if ref in known else None
    if found is None:
        raise not_found()
    return call.answer(_ref_json(call, ref, found))


async def matching_refs(call: Call) -> Response:
    """Answer `GET …/git/matching-refs/{ref}` and `GET …/git/refs`."""
    prefix = f"refs/{call.request.path_params.get('ref', '')}"
    known = {
        ref: oid for ref, oid in (await git.refs(call.repository.path)).items() if ref.startswith(prefix)
    }
    entries = []
    async with git.objects(call.repository.path) as objects:
        for ref in call.page(list(known)):
            found = await objects.get(known[ref])
            if found is not None:
                entries.append(_ref_json(call, ref, found))
    return call.answer(entries)


async def _object(call: Call, kind: str) -> GitObject:
    async with git.objects(call.repository.path) as objects:
        found = await objects.get(call.text("sha"))
    if found is None or found.type != kind:
        raise not_found()
    return found


async def get_tag(call: Call) -> Response:
    """Answer `GET …/git/tags/{sha}`: an annotated tag."""
    found = await _object(call, "tag")
    tag = read_tag(found.oid, found.content)
    return call.answer(
        {
            "node_id": node_id("Tag", tag.oid),
            "tag": tag.name,
            "sha": tag.oid,
            "url": _url(call, f"/git/tags/{tag.oid}"),
            "message": tag.message,
            "tagger": _who(tag.tagger),
            "object": {
                "sha": tag.object,
                "type": tag.type,
                "url": _url(call, f"/git/{tag.type}s/{tag.object}"),
            },
            "verification": _UNSIGNED,
        }
    )


async def get_blob(call: Call) -> Response:
    """Answer `GET …/git/blobs/{sha}`, raw when the Accept header asks for it."""
    found = await _object(call, "blob")
    if _wants(call, "raw"):
        return Response(found.content, media_type="application/vnd.github.raw; charset=utf-8")
    return call.answer(
        {
            "sha": found.oid,
            "node_id": node_id("Blob", found.oid),
            "size": len(found.content),
            "url": _url(call, f"/git/blobs/{found.oid}"),
            "content": base64.encodebytes(found.content).decode(),
            "encoding": "base64",
        }
    )


async def get_tree(call: Call) -> Response:
    """Answer `GET …/git/trees/{sha}`, with `recursive` the whole of it."""
    entries: list[JsonObject] = []
    async with git.objects(call.repository.path) as objects:
        root = await objects.get(f"{call.text('sha')}^{{tree}}")
        if root is None:
            raise not_found()
        waiting = [("", root)]
        while waiting and len(entries) < TREE_LIMIT:
            prefix, tree = waiting.pop(0)
            for entry in read_tree(tree.content):
                found = None if entry.type == "commit" else await objects.get(entry.oid)
                path = f"{prefix}{entry.name}"
                row = {"path": path, "mode": entry.mode, "type": entry.type, "sha": entry.oid}
                if found is not None:
                    row["url"] = _url(call, f"/git/{entry.type}s/{entry.oid}")
                if found is not None and entry.type == "blob":
                    entries.append({**row, "size": len(found.content)})
                    continue
                entries.append(row)
                if found is not None and call.query("recursive"):
                    waiting.append((f"{path}/", found))
    entries.sort(key=lambda row: row["path"])
    return call.answer(
        {
            "sha": root.oid,
            "url": _url(call, f"/git/trees/{root.oid}"),
            "tree": entries,
            "truncated": bool(waiting),
        }
    )


async def get_commit(call: Call) -> Response:
    """Answer `GET …/commits/{ref}`; the sha alone when the Accept header asks for it."""
    commit = await find_commit(call.repository, call.text("ref"))
    if _wants(call, "sha"):
        return Response(commit.oid, media_type="application/vnd.github.sha; charset=utf-8")
    files = await commit_files(call.repository.path, commit)
    listed = [file_json(call.state, call.repository, commit.oid, each) for each in files[:FILES_LISTED]]
    return call.answer({**commit_json(call.state, call.repository, commit), "files": listed})


async def find_commit(repository: Repository, ref: str) -> Commit:
    """Find the commit of a branch, tag or sha; ApiError 422 as GitHub says it."""
    async with git.objects(repository.path) as objects:
        found = await objects.peel(ref)
    if found is None:
        raise ApiError(422, f"No commit found for SHA: {ref}")
    return read_commit(found.oid, found.content)


def commit_json(state: State, repository: Repository, commit: Commit) -> JsonObject:
    """Give a commit as the REST API answers it."""
    url = api_url(state, f"/repos/{repository.full_name}")
    page = f"{state.base_url}/{repository.full_name}/commit"
    return {
        "sha": commit.oid,
        "node_id": node_id("Commit", commit.oid),
        "url": f"{url}/commits/{commit.oid}",
        "html_url": f"{page}/{commit.oid}",
        "comments_url": f"{url}/commits/{commit.oid}/comments",
        "commit": {**_written(url, commit), "comment_count": 0},
        "author": None,
        "committer": None,
        "parents": [
            {"sha": sha, "url": f"{url}/commits/{sha}", "html_url": f"{page}/{sha}"} for sha in commit.parents
        ],
    }


def git_commit_json(state: State, repository: Repository, commit: Commit) -> JsonObject:
    """Give a commit as git has it: what a written file is answered with."""
    url = api_url(state, f"/repos/{repository.full_name}")
    page = f"{state.base_url}/{repository.full_name}/commit"
    return {
        **_written(url, commit),
        "sha": commit.oid,
        "node_id": node_id("Commit", commit.oid),
        "html_url": f"{page}/{commit.oid}",
        "parents": [
            {"sha": sha, "url": f"{url}/git/commits/{sha}", "html_url": f"{page}/{sha}"}
            for sha in commit.parents
        ],
    }


def _written(url: str, commit: Commit) -> JsonObject:
    return {
        "url": f"{url}/git/commits/{commit.oid}",
        "author": _who(commit.author),
        "committer": _who(commit.committer),
        "message": commit.message.rstrip("\n"),
        "tree": {"sha": commit.tree, "url": f"{url}/git/trees/{commit.tree}"},
        "verification": _UNSIGNED,
    }


async def list_branches(call: Call) -> Response:
    """Answer `GET …/branches`."""
    heads = await git.refs(call.repository.path, "refs/heads/")
    page = call.page(list(heads.items()))
    return call.answer([_branch_json(call, ref.removeprefix("refs/heads/"), oid) for ref, oid in page])


def _branch_json(call: Call, name: str, oid: str) -> JsonObject:
    commit = {"sha": oid, "url": _url(call, f"/commits/{oid}")}
    return {"name": name, "commit": commit, "protected": False}


async def get_branch(call: Call) -> Response:
    """Answer `GET …/branches/{branch}`."""
    name = call.text("branch")
    heads = await git.refs(call.repository.path, "refs/heads/")
    oid = heads.get(f"refs/heads/{name}")
    if oid is None:
        raise ApiError(404, "Branch not found")
    commit = await find_commit(call.repository, oid)
    page = f"{call.state.base_url}/{call.repository.full_name}/tree/{name}"
    return call.answer(
        {
            "name": name,
            "commit": commit_json(call.state, call.repository, commit),
            "_links": {"self": _url(call, f"/branches/{name}"), "html": page},
            "protected": False,
            "protection": {"enabled": False},
            "protection_url": _url(call, f"/branches/{name}/protection"),
        }
    )


def _who(signature: Signature) -> JsonObject:
    return {"name": signature.name, "email": signature.email, "date": timestamp(signature.date)}


def _wants(call: Call, form: str) -> bool:
    accept = call.request.headers.get("accept", "")
    return any(f"vnd.github.{version}{form}" in accept for version in ("", "v3."))


_REPO = "/repos/{owner}/{repo}"
OPERATIONS = [
    Operation("GET", _REPO, get_repository),
    Operation("GET", f"{_REPO}/git/ref/{{ref:path}}", get_ref, "contents:read"),
    Operation("GET", f"{_REPO}/git/refs", matching_refs, "contents:read"),
    Operation("GET", f"{_REPO}/git/matching-refs/{{ref:path}}", matching_refs, "contents:read"),
    Operation("GET", f"{_REPO}/git/tags/{{sha}}", get_tag, "contents:read"),
    Operation("GET", f"{_REPO}/git/blobs/{{sha}}", get_blob, "contents:read"),
    Operation("GET", f"{_REPO}/git/trees/{{sha:path}}", get_tree, "contents:read"),
    Operation("GET", f"{_REPO}/contents/{{path:path}}", get_contents, "contents:read"),
    Operation("GET", f"{_REPO}/contents", get_contents, "contents:read"),
    Operation("GET", f"{_REPO}/branches", list_branches, "contents:read"),
    Operation("GET", f"{_REPO}/branches/{{branch:path}}", get_branch, "contents:read"),
    Operation("GET", f"{_REPO}/commits/{{ref:path}}", get_commit, "contents:read"),
]
