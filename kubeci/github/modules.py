"""Files of other repositories, for definitions that load them."""

from __future__ import annotations

import base64
import re
from collections import OrderedDict
from typing import TypeAlias

from kubeci.errors import Forbidden, Invalid, NotFound
from kubeci.github.app import GitHubApp
from kubeci.github.errors import of_graphql
from kubeci.github.request import Request
from kubeci.model.json import JsonObject
from kubeci.model.module import ModuleFile
from kubeci.model.repository import Repository

MODULE_QUERY = """
query Module($owner: String!, $name: String!, $revision: String!, $file: String!) {
  repository(owner: $owner, name: $name) {
    nameWithOwner
    commit: object(expression: $revision) {
      __typename
      oid
      ... on Tag { target { __typename oid ... on Tag { target { __typename oid } } } }
    }
    file: object(expression: $file) { __typename ... on Blob { oid text isBinary isTruncated byteSize } }
  }
}
"""
BLOB = "/repos/{owner}/{repo}/git/blobs/{file_sha}"
MAX_FILE_BYTES = 1_000_000
CACHED_BYTES = 16_000_000
_SHA = re.compile(r"[0-9a-f]{40}")
_Key: TypeAlias = tuple[Repository, str, str]


class GitHubModules:
    """Fulfils the port `RepositoryFiles`.

    A file is one GraphQL request, which tells the commit too; at a full sha, it is kept, and costs nothing again.
    """

    def __init__(self, app: GitHubApp) -> None:
        self._app = app
        self._cache = _Cache(CACHED_BYTES)

    async def read(self, build: Repository, full_name: str, revision: str, path: str) -> ModuleFile:
        """Read a file of a repository of the build's installation, with a token that reads that repository alone.

        An installation has one owner, so that another owner's repositories are `NotFound`, as is what the App was not
        given. `Invalid` says that the file is no text or too large.
        """
        owner, _, name = full_name.partition("/")
        if owner.lower() != build.owner.lower():
            raise NotFound(f"{full_name} is not reached by the App's installation for {build.owner}")
        repository = Repository(build.owner, name, build.installation_id)
        key = repository, revision, path
        known = self._cache.get(key)
        if known:
            return known
        found = await self._query(repository, revision or "HEAD", path)
        if str(found.get("nameWithOwner", "")).lower() != full_name.lower():
            raise NotFound(f"{full_name} is now {found.get('nameWithOwner')}")
        sha = _commit(found.get("commit"))
        if not sha:
            raise NotFound(f"{full_name} has no branch, tag or commit `{revision or 'HEAD'}`")
        text = await self._text(repository, found.get("file"), f"`{path}` of {full_name}")
        if text is None:
            raise NotFound(f"{full_name} has no file `{path}` at {sha[:7]}")
        file = ModuleFile(text, sha)
        self._cache.put((repository, sha, path), file)
        return file

    async def _query(self, repository: Repository, revision: str, path: str) -> JsonObject:
        variables = {
            "owner": repository.owner,
            "name": repository.name,
            "revision": revision,
            "file": f"{revision}:{path}",
        }
        unreached = f"{repository.full_name} is not there, or the App may not read it"
        try:
            answer = await self._app.graphql(repository, MODULE_QUERY, variables, reading=True)
        except Forbidden as error:
            # GitHub narrows no token to a repository that the installation does not have.
            if error.status in {404, 422}:
                raise NotFound(unreached) from error
            raise
        errors = [error for error in answer.get("errors") or () if isinstance(error, dict)]
        if errors:
            refusal = of_graphql(errors, {}, now=self._app.now())
            if isinstance(refusal, NotFound):
                raise NotFound(unreached) from refusal
            raise refusal
        found = (answer.get("data") or {}).get("repository")
        if not isinstance(found, dict):
            raise NotFound(unreached)
        return found

    async def _text(self, repository: Repository, file: JsonObject | None, what: str) -> str | None:
        if not file or file.get("__typename") != "Blob":
            return None
        if file["byteSize"] > MAX_FILE_BYTES:
            raise Invalid(f"{what} has {file['byteSize']:,} bytes; at most {MAX_FILE_BYTES:,} are read")
        if file["isBinary"]:
            raise Invalid(f"{what} is binary")
        if not file["isTruncated"]:
            return str(file["text"] or "")
        request = Request("GET", BLOB, parameters={"file_sha": file["oid"]}, repeatable=True)
        content = base64.b64decode((await self._app.send(repository, request, reading=True))["content"])
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise Invalid(f"{what} is no UTF-8 text") from error


def _commit(found: JsonObject | None) -> str:
    """Give the sha of the commit that a revision stands for, a tag of a tag at most; empty: there is none."""
    while found and found.get("__typename") == "Tag":
        found = found.get("target")
    return str(found["oid"]) if found and found.get("__typename") == "Commit" else ""


class _Cache:
    """The files read last, bounded by the bytes of their texts."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0
        self._files: OrderedDict[_Key, ModuleFile] = OrderedDict()

    def get(self, key: _Key) -> ModuleFile | None:
        if not _SHA.fullmatch(key[1]) or key not in self._files:
            return None
        self._files.move_to_end(key)
        return self._files[key]

    def put(self, key: _Key, file: ModuleFile) -> None:
        if key in self._files:
            return
        self._files[key] = file
        self._bytes += _weight(key, file)
        while self._bytes > self._limit:
            self._bytes -= _weight(*self._files.popitem(last=False))


def _weight(key: _Key, file: ModuleFile) -> int:
    return len(file.text) + len(key[2]) + 500  # an empty file has its price, too
