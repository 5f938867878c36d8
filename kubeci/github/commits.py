"""Reads of a repository's content at one commit."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kubeci.errors import Conflict, Invalid, NotFound, UpstreamError
from kubeci.github.app import GitHubApp
from kubeci.github.commit_query import COMMIT_QUERY
from kubeci.github.errors import of_graphql
from kubeci.github.request import Request
from kubeci.github.tree import TreeFile, entries
from kubeci.model.context import MAX_FILE_BYTES, MAX_TOTAL_BYTES, Entry, assemble
from kubeci.model.json import JsonObject
from kubeci.model.repository import Commit, Repository
from kubeci.model.source import CommitSource, PullRequest

BLOB = "/repos/{owner}/{repo}/git/blobs/{file_sha}"
REF = "/repos/{owner}/{repo}/git/ref/{ref}"
COMMIT = "/repos/{owner}/{repo}/commits/{ref}"
COMPARE = "/repos/{owner}/{repo}/compare/{basehead}"
MAX_COMPARED_FILES = 300  # docs.github.com/rest/commits/commits, "Compare two commits"
TAG = "/repos/{owner}/{repo}/git/tags/{tag_sha}"
MAX_TAG_HOPS = 5  # a tag may stand for a tag


class GitHubCommits:
    """Fulfils the port `Commits`."""

    def __init__(self, app: GitHubApp) -> None:
        self._app = app

    async def read(self, commit: Commit, context_path: str) -> CommitSource:
        """Read the CI context, the open pull requests and the message of a commit, in one GraphQL request.

        Files that GraphQL cuts short cost a REST request each. What the App may not read besides the folder is
        left empty with a sentence in `problems`. Raises `NotFound` when repository or commit are gone.
        """
        repository = commit.repository
        variables = {
            "owner": repository.owner,
            "name": repository.name,
            "oid": commit.sha,
            "folder": f"{commit.sha}:{context_path.strip('/')}",
        }
        answer = await self._app.graphql(repository, COMMIT_QUERY, variables)
        found = _repository(answer, self._app.now())
        head = found.get("commit") or {}
        if not head and not found.get("folder"):
            raise NotFound(f"GitHub knows no commit {commit.sha} of {repository.full_name}", status=404)
        source = await self._context(repository, found.get("folder"))
        return replace(
            source,
            message=head.get("message") or "",
            pull_requests=tuple(_pull_requests(head, commit.sha)),
            problems=source.problems + _refused_parts(answer),
        )

    async def changed_files(self, repository: Repository, base: str, head: str) -> tuple[str, ...] | None:
        """List the files that `head` changed since its merge base with `base`, renamed ones by both names.

        None: more than GitHub lists, or it knows no such base.
        """
        # The files stand on the first page whatever the number of commits is.
        request = Request(
            "GET",
            COMPARE,
            parameters={"basehead": f"{base}...{head}"},
            query={"per_page": 1},
            repeatable=True,
        )
        try:
            files = (await self._app.send(repository, request)).get("files") or ()
        except NotFound:
            return None
        if len(files) >= MAX_COMPARED_FILES:
            return None
        names = {name for file in files for name in (file["filename"], file.get("previous_filename")) if name}
        return tuple(sorted(names))

    async def tag_commit(self, repository: Repository, tag: str) -> str:
        """Give the sha of the commit that a lightweight or annotated tag stands for; `NotFound` for others."""
        request = Request("GET", REF, parameters={"ref": f"tags/{tag}"}, repeatable=True)
        target = (await self._app.send(repository, request))["object"]
        for _ in range(MAX_TAG_HOPS):
            if target["type"] == "commit":
                return str(target["sha"])
            if target["type"] != "tag":
                break
            request = Request("GET", TAG, parameters={"tag_sha": target["sha"]}, repeatable=True)
            target = (await self._app.send(repository, request))["object"]
        raise NotFound(f"the tag {tag} of {repository.full_name} stands for no commit")

    async def resolve(self, repository: Repository, ref: str) -> str:
        """Give the sha of the commit that a ref (`heads/x`, `tags/x`) or a sha stands for; `NotFound` when it is none."""
        # Of the commit's files one is the fewest that can be asked for.
        request = Request("GET", COMMIT, parameters={"ref": ref}, query={"per_page": 1}, repeatable=True)
        try:
            return str((await self._app.send(repository, request))["sha"])
        except (NotFound, Invalid, Conflict) as error:  # 409: the repository has no commit at all
            raise NotFound(f"{repository.full_name} has no {ref}: {error}", status=404) from error

    async def _context(self, repository: Repository, folder: JsonObject | None) -> CommitSource:
        if not folder or folder.get("__typename") != "Tree":
            return CommitSource(files=None)
        read: list[Entry] = []
        budget = MAX_TOTAL_BYTES
        for found in entries(folder):
            entry = found.entry
            if found.truncated and entry.size <= min(MAX_FILE_BYTES, budget):
                budget -= entry.size
                entry = await self._whole(repository, found)
            read.append(entry)
        return assemble(read)

    async def _whole(self, repository: Repository, found: TreeFile) -> Entry:
        """Read a file that GraphQL cut short."""
        request = Request("GET", BLOB, parameters={"file_sha": found.oid}, repeatable=True)
        answer = await self._app.send(repository, request)
        content = base64.b64decode(answer["content"])
        try:
            return replace(found.entry, text=content.decode("utf-8"))
        except UnicodeDecodeError:
            return replace(found.entry, text=None, binary=True)


def _repository(answer: JsonObject, now: float) -> JsonObject:
    """Take the repository out of an answer; raise when what decides a build is missing."""
    errors = [error for error in answer.get("errors") or () if isinstance(error, dict)]
    fatal = [error for error in errors if not _is_about_pull_requests(error)]
    if fatal:
        raise of_graphql(fatal, {}, now=now)
    repository = (answer.get("data") or {}).get("repository")
    if not isinstance(repository, dict):
        raise UpstreamError("GitHub's GraphQL answer holds no repository", status=200, retryable=True)
    return repository


def _is_about_pull_requests(error: Mapping[str, Any]) -> bool:
    return error.get("type") == "FORBIDDEN" and "associatedPullRequests" in (error.get("path") or ())


def _refused_parts(answer: JsonObject) -> tuple[str, ...]:
    """Say which part could not be read; a head's repository is often private, and then merely nameless."""
    refused = [error for error in answer.get("errors") or () if error["path"][-1] != "headRepository"]
    if not refused:
        return ()
    return ("the commit's pull requests cannot be read: the App lacks the permission pull_requests: read",)


def _pull_requests(head: JsonObject, sha: str) -> list[PullRequest]:
    """List the open pull requests whose head is the commit; others only contain it."""
    nodes = (head.get("associatedPullRequests") or {}).get("nodes") or ()
    return [
        PullRequest(
            number=node["number"],
            title=node["title"],
            url=node["url"],
            draft=node["isDraft"],
            base_ref=node["baseRefName"],
            base_sha=((node.get("baseRef") or {}).get("target") or {}).get("oid", ""),
            head_repository=(node.get("headRepository") or {}).get("nameWithOwner", ""),
        )
        for node in nodes
        if node and node["state"] == "OPEN" and node["headRefOid"] == sha
    ]
