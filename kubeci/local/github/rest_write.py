"""Writing a file by path: `PUT /repos/{owner}/{repo}/contents/{path}`, a commit and a push as any other."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from typing import Any

from starlette.responses import Response

from kubeci.local.github import git
from kubeci.local.github.calls import Call, Operation
from kubeci.local.github.errors import ApiError, invalid_field, invalid_request
from kubeci.local.github.git import Objects
from kubeci.local.github.git_content import TreeEntry
from kubeci.local.github.repositories import Change, Entry, Identity, push_change
from kubeci.local.github.rest_contents import file_row, find_entry
from kubeci.local.github.rest_git import find_commit, git_commit_json

_WRONG_PART = re.compile(r"\.{0,2}|\.git", re.IGNORECASE)
_WRONG_NAME = re.compile(r"[<>\n\0]")


async def put_contents(call: Call) -> Response:
    """Answer with the file and its commit: 201 for a new file, 200 for one that was there.

    404 for a branch that is not there, 409 for a `sha` that is not the file's, 422 without one and for a body that
    GitHub would not take (docs.github.com, "Create or update file contents").
    """
    path, message, content = _path(call), _message(call), _content(call)
    branch = _text(call, "branch") or call.repository.default_branch
    heads = await git.refs(call.repository.path, "refs/heads/")
    parent = heads.get(f"refs/heads/{branch}")
    # Into a repository without any commit GitHub writes the default branch's first one.
    if parent is None and (heads or branch != call.repository.default_branch):
        raise ApiError(404, f"Branch {branch} not found")
    mode, created = "100644", True
    if parent is not None:
        async with git.objects(call.repository.path) as objects:
            before = await _before(call, objects, parent, path)
        if before is not None:
            mode, created = ("100755" if before.mode == "100755" else mode), False
    change = Change(
        files={path: Entry(mode, content)},
        branch=branch,
        message=message,
        parent=parent,
        date=call.state.now(),
        author=call.sender.login,
        written_by=_identity(call, "author") or _identity(call, "committer"),
        committed_by=_identity(call, "committer"),
        forced=False,
    )
    try:
        sha = await push_change(call.repository.path, change)
    except git.GitError:
        raise ApiError(409, f"{branch} is no longer at {parent}") from None
    return await _answer(call, sha, path, status=201 if created else 200)


async def _answer(call: Call, sha: str, path: str, *, status: int) -> Response:
    commit = await find_commit(call.repository, sha)
    async with git.objects(call.repository.path) as objects:
        entry = await find_entry(objects, sha, path)
        assert entry is not None  # it was just written
        found = await objects.get(entry.oid)
    row = file_row(call, entry, path, sha, len(found.content) if found else 0)
    page = f"{call.state.base_url}/{call.repository.full_name}"
    row |= {"download_url": f"{page}/raw/{sha}/{path}"}
    body = {"content": row, "commit": git_commit_json(call.state, call.repository, commit)}
    return call.answer(body, status)


async def _before(call: Call, objects: Objects, commit: str, path: str) -> TreeEntry | None:
    """Find the file that is to be replaced, and hold its sha against the request's."""
    parts = path.split("/")
    for end in range(1, len(parts)):
        parent = await find_entry(objects, commit, "/".join(parts[:end]))
        if parent is not None and parent.type != "tree":
            raise invalid_request(f"{parent.name} is not a directory.")
    entry, sha = await find_entry(objects, commit, path), _text(call, "sha")
    if entry is None:
        return None
    if entry.type != "blob":
        raise invalid_request(f"{path} is a directory.")
    if not sha:
        raise invalid_request('"sha" wasn\'t supplied.')
    if sha != entry.oid:
        raise ApiError(409, f"{path} does not match {sha}")
    return entry


def _path(call: Call) -> str:
    path = call.text("path")
    if "\0" in path or any(_WRONG_PART.fullmatch(part) for part in path.split("/")):
        raise invalid_field("Commit", "path", "invalid", "path contains a malformed path component")
    return path


def _text(call: Call, name: str) -> str | None:
    value: Any = call.body.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid_request(f"For 'properties/{name}', {value!r} is not a string.")
    return value


def _needed(call: Call, name: str) -> str:
    value = _text(call, name)
    if value is None:
        raise invalid_request(f'"{name}" wasn\'t supplied.')
    return value


def _message(call: Call) -> str:
    message = _needed(call, "message")
    if "\0" in message:
        raise invalid_request("message contains a null byte.")
    return message


def _content(call: Call) -> bytes:
    try:
        return base64.b64decode("".join(_needed(call, "content").split()), validate=True)
    except (binascii.Error, ValueError):
        raise ApiError(422, "content is not valid Base64") from None


def _identity(call: Call, name: str) -> Identity | None:
    given: Any = call.body.get(name)
    if given is None:
        return None
    if not isinstance(given, dict):
        raise invalid_request(f"For 'properties/{name}', {given!r} is not an object.")
    for key in ("name", "email"):
        if not isinstance(given.get(key), str) or not given[key] or _WRONG_NAME.search(given[key]):
            raise invalid_request(f"For 'properties/{name}', \"{key}\" is missing or cannot be taken.")
    date = _moment(given.get("date"))
    if date is None and given.get("date") is not None:
        raise invalid_request(f"For 'properties/{name}', {given['date']!r} is not a date-time.")
    return Identity(given["name"], given["email"], date)


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is not None and moment.timestamp() >= 0 else None


OPERATIONS = [
    Operation(
        "PUT", "/repos/{owner}/{repo}/contents/{path:path}", put_contents, "contents:write", creates=True
    ),
]
