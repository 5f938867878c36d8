"""Writes of a repository's content (docs.github.com/rest/repos/contents)."""

from __future__ import annotations

import base64
import binascii

from kubeci.errors import Conflict, Invalid, NotFound
from kubeci.github.app import GitHubApp
from kubeci.github.request import Request
from kubeci.model.json import JsonObject
from kubeci.model.repository import Repository

CONTENTS = "/repos/{owner}/{repo}/contents/{path}"


class GitHubContents:
    """Fulfils the port `Contents`."""

    def __init__(self, app: GitHubApp) -> None:
        self._app = app

    async def write(self, repository: Repository, branch: str, path: str, text: str, message: str) -> bool:
        """Commit a file to a branch; False: it has this text already.

        Where somebody else commits at the same moment, it is tried once more. Raises `Forbidden` where the App may not
        write, `NotFound` when there is no such branch, `Invalid` when the path is no file.
        """
        try:
            return await self._write(repository, branch, path, text.encode(), message)
        except Conflict:
            return await self._write(repository, branch, path, text.encode(), message)

    async def _write(
        self, repository: Repository, branch: str, path: str, content: bytes, message: str
    ) -> bool:
        found = await self._read(repository, branch, path)
        if found is not None and _content(found) == content:
            return False
        body: JsonObject = {
            "message": message,
            "content": base64.b64encode(content).decode(),
            "branch": branch,
            **({"sha": found["sha"]} if found else {}),
        }
        # Sent once: whether a lost answer was a yes is seen when the file is read again.
        await self._app.send(repository, Request("PUT", CONTENTS, parameters={"path": path}, body=body))
        return True

    async def _read(self, repository: Repository, branch: str, path: str) -> JsonObject | None:
        ref = f"refs/heads/{branch}"
        request = Request("GET", CONTENTS, parameters={"path": path}, query={"ref": ref}, repeatable=True)
        try:
            found = await self._app.send(repository, request)
        except NotFound:
            return None
        if not isinstance(found, dict) or found.get("type") != "file":
            raise Invalid(f"{path} is no file on {branch}")
        return found


def _content(found: JsonObject) -> bytes | None:
    """Give a file's bytes; None: GitHub left out what is larger than a megabyte."""
    if found.get("encoding") != "base64":
        return None
    try:
        return base64.b64decode(found["content"])
    except binascii.Error:
        return None
