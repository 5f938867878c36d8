"""Files by path: `GET /repos/{owner}/{repo}/contents/{path}`."""

from __future__ import annotations

import base64
import posixpath
from urllib.parse import quote

from starlette.responses import Response

from kubeci.local.github import git
from kubeci.local.github.calls import Call
from kubeci.local.github.errors import ApiError, not_found
from kubeci.local.github.git import Objects
from kubeci.local.github.git_content import TreeEntry, read_tree
from kubeci.local.github.payloads import api_url
from kubeci.model.json import JsonObject

INLINE_LIMIT = 1024 * 1024  # a larger file has no content in JSON: docs.github.com, "Get repository content"


async def get_contents(call: Call) -> Response:
    """Answer with a file, a folder's entries, or the raw bytes, as the Accept header wants it."""
    path = call.request.path_params.get("path", "").strip("/")
    ref = call.query("ref") or call.repository.default_branch
    async with git.objects(call.repository.path) as objects:
        commit = await objects.peel(ref)
        if commit is None:
            raise ApiError(404, f"No commit found for the ref {ref}")
        if not path:
            return await _folder(call, objects, f"{commit.oid}^{{tree}}", "", ref)
        entry = await find_entry(objects, commit.oid, path)
        if entry is None:
            raise not_found()
        if entry.type == "tree":
            return await _folder(call, objects, entry.oid, path, ref)
        return await _file(call, objects, commit.oid, path, entry)


async def find_entry(objects: Objects, commit: str, path: str) -> TreeEntry | None:
    """Find the tree entry of a path at a commit."""
    folder, _, name = path.rpartition("/")
    tree = await objects.get(f"{commit}:{folder}" if folder else f"{commit}^{{tree}}")
    if tree is None or tree.type != "tree":
        return None
    return next((entry for entry in read_tree(tree.content) if entry.name == name), None)


async def _folder(call: Call, objects: Objects, expression: str, path: str, ref: str) -> Response:
    tree = await objects.get(expression)
    if tree is None:
        raise not_found()
    rows = []
    for entry in read_tree(tree.content):
        found = await objects.get(entry.oid) if entry.type == "blob" else None
        full = f"{path}/{entry.name}" if path else entry.name
        rows.append(file_row(call, entry, full, ref, len(found.content) if found else 0))
    if "object" in call.request.headers.get("accept", ""):
        root = TreeEntry("040000", path.rpartition("/")[2], tree.oid)
        return call.answer({**file_row(call, root, path, ref, 0), "entries": rows})
    return call.answer(rows)


async def _file(call: Call, objects: Objects, commit: str, path: str, entry: TreeEntry) -> Response:
    ref = call.query("ref") or call.repository.default_branch
    if entry.type == "commit":
        return call.answer({**file_row(call, entry, path, ref, 0), "submodule_git_url": ""})
    found = await objects.get(entry.oid)
    assert found is not None
    if entry.mode == "120000":
        # GitHub follows a link to a file of the repository, and describes any other link.
        text = found.content.decode("utf-8", "replace")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), text))
        aim = None if target.startswith(("..", "/")) else await find_entry(objects, commit, target)
        if aim is None or aim.mode not in {"100644", "100755"}:
            return call.answer({**file_row(call, entry, path, ref, len(found.content)), "target": text})
        found = await objects.get(aim.oid)
        assert found is not None
    if "raw" in call.request.headers.get("accept", ""):
        return Response(found.content, media_type="application/vnd.github.raw; charset=utf-8")
    whole = len(found.content) <= INLINE_LIMIT
    row = file_row(call, TreeEntry("100644", entry.name, found.oid), path, ref, len(found.content))
    content = base64.encodebytes(found.content).decode() if whole else ""
    return call.answer({**row, "content": content, "encoding": "base64" if whole else "none"})


def file_row(call: Call, entry: TreeEntry, path: str, ref: str, size: int) -> JsonObject:
    """Give what is said of a file, folder, link or submodule besides its content."""
    repository = call.repository.full_name
    url = f"{api_url(call.state, f'/repos/{repository}/contents/{quote(path)}')}?ref={quote(ref)}"
    kind = "dir" if entry.type == "tree" else "file"
    kind = {"120000": "symlink", "160000": "submodule"}.get(entry.mode, kind)
    git_url = api_url(call.state, f"/repos/{repository}/git/{entry.type}s/{entry.oid}")
    page = (
        f"{call.state.base_url}/{repository}/{'tree' if kind == 'dir' else 'blob'}/{quote(ref)}/{quote(path)}"
    )
    return {
        "name": entry.name,
        "path": path,
        "sha": entry.oid,
        "size": size,
        "url": url,
        "html_url": page,
        "git_url": git_url,
        "download_url": None,
        "type": kind,
        "_links": {"self": url, "git": git_url, "html": page},
    }
