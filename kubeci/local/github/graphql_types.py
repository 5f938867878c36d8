"""The objects behind the GraphQL types; fields are attributes and methods by GitHub's names."""
# ruff: noqa: N802, N803 - the names are GitHub's

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeAlias

from kubeci.local.github import git
from kubeci.local.github.auth import grants
from kubeci.local.github.calls import Call
from kubeci.local.github.git import Objects
from kubeci.local.github.git_content import TreeEntry, is_binary, read_commit, read_tag, read_tree
from kubeci.local.github.graphql_checks import suites
from kubeci.local.github.graphql_compare import compared
from kubeci.local.github.graphql_pulls import PullRequestNode, Span, bounds, connection, refused
from kubeci.local.github.payloads import node_id
from kubeci.local.github.pulls import PullNode, pulls_with
from kubeci.local.github.state import Repository, timestamp
from kubeci.model.json import JsonObject

TEXT_LIMIT = 512_000  # a longer text comes truncated


class Session:
    """One query's reads: each repository's objects come through one process."""

    def __init__(self, call: Call, stack: AsyncExitStack) -> None:
        self.call = call
        self._stack = stack
        self._open: dict[Path, Objects] = {}
        self._opening = asyncio.Lock()  # fields of one query are resolved at once

    async def objects(self, repository: Repository) -> Objects:
        """Open a repository's object database, once a query."""
        async with self._opening:
            if repository.path not in self._open:
                opened = await self._stack.enter_async_context(git.objects(repository.path))
                self._open[repository.path] = opened
        return self._open[repository.path]

    def need(self, permission: str) -> None:
        """Refuse a field whose permission the token lacks; the rest of the query is answered."""
        token = self.call.token
        if token is not None and not grants(token.permissions, permission):
            raise refused("FORBIDDEN", "Resource not accessible by integration")

    async def node(self, repository: Repository, expression: str, path: str = "") -> ObjectNode | None:
        """Give the object that an expression names."""
        found = await (await self.objects(repository)).get(expression)
        return None if found is None else _KINDS[found.type](self, repository, found.oid, found.content, path)


class ObjectNode:
    """What all git objects have."""

    kind = ""

    def __init__(self, session: Session, repository: Repository, oid: str, content: bytes, path: str) -> None:
        self._session, self._of, self._content, self._path = session, repository, content, path
        self.oid = oid
        self.id = node_id(self.kind, f"{repository.id}:{oid}")
        self.abbreviatedOid = oid[:7]
        self.commitUrl = f"{session.call.state.base_url}/{repository.full_name}/commit/{oid}"
        self.repository = RepositoryNode(session, repository)


class BlobNode(ObjectNode):
    """A file's content, or a symbolic link's target."""

    kind = "Blob"

    def byteSize(self) -> int:
        """Count the bytes."""
        return len(self._content)

    def isBinary(self) -> bool:
        """Say whether it is no text."""
        return is_binary(self._content)

    def isTruncated(self) -> bool:
        """Say whether `text` is cut."""
        return len(self._content) > TEXT_LIMIT

    def text(self) -> str | None:
        """Give the text; null for a binary file."""
        return None if is_binary(self._content) else self._content[:TEXT_LIMIT].decode("utf-8", "replace")


class TreeNode(ObjectNode):
    """A folder."""

    kind = "Tree"

    def entries(self) -> list[JsonObject]:
        """List what is in the folder."""
        return [self._entry(entry) for entry in read_tree(self._content)]

    def _entry(self, entry: TreeEntry) -> JsonObject:
        path = f"{self._path}/{entry.name}" if self._path else entry.name

        async def target() -> ObjectNode | None:
            if entry.type == "commit":
                return None  # a submodule's commit is in another repository
            return await self._session.node(self._of, entry.oid, path)

        async def size() -> int:
            node = await target()
            return node.byteSize() if isinstance(node, BlobNode) else 0

        row = {
            "name": entry.name,
            "type": entry.type,
            "mode": int(entry.mode, 8),
            "oid": entry.oid,
            "path": path,
        }
        return {**row, "object": target, "size": size}


class CommitNode(ObjectNode):
    """A commit."""

    kind = "Commit"

    def __init__(self, session: Session, repository: Repository, oid: str, content: bytes, path: str) -> None:
        super().__init__(session, repository, oid, content, path)
        commit = read_commit(oid, content)
        self._tree = commit.tree
        self.message = commit.message.rstrip("\n")
        self.messageHeadline = self.message.split("\n", 1)[0]
        self.committedDate = timestamp(commit.committer.date)
        self.url = self.commitUrl

    async def tree(self) -> ObjectNode | None:
        """Give the root folder."""
        return await self._session.node(self._of, self._tree)

    async def associatedPullRequests(
        self, first: int | None = None, last: int | None = None, **_: Any
    ) -> JsonObject:
        """List the pull requests that the commit is part of."""
        self._session.need("pull_requests:read")
        count = bounds("associatedPullRequests", first, last)
        pulls = await pulls_with(self._session.call.state, self._of, self.oid)
        nodes = [pull_node(self._session, pull) for pull in pulls[:count]]
        return connection(nodes, Span("associatedPullRequests", count)) | {"totalCount": len(pulls)}

    async def checkSuites(
        self, filterBy: JsonObject | None = None, first: int | None = None, last: int | None = None, **_: Any
    ) -> JsonObject:
        """List the check suites of the commit."""
        self._session.need("checks:read")
        state = self._session.call.state
        return suites(
            state, state.suite_of(self._of, self.oid), filterBy, Span("checkSuites", first, last=last)
        )


class TagNode(ObjectNode):
    """An annotated tag."""

    kind = "Tag"

    def __init__(self, session: Session, repository: Repository, oid: str, content: bytes, path: str) -> None:
        super().__init__(session, repository, oid, content, path)
        tag = read_tag(oid, content)
        self.name, self.message, self._target = tag.name, tag.message, tag.object

    async def target(self) -> ObjectNode | None:
        """Give what is tagged."""
        return await self._session.node(self._of, self._target)


_KINDS: dict[str, type[ObjectNode]] = {
    "blob": BlobNode,
    "tree": TreeNode,
    "commit": CommitNode,
    "tag": TagNode,
}
GraphQLRow: TypeAlias = JsonObject


class RepositoryNode:
    """A repository."""

    def __init__(self, session: Session, repository: Repository) -> None:
        self._session, self._of = session, repository
        base = session.call.state.base_url
        owner = repository.owner
        self.databaseId = repository.id
        self.id = node_id("Repository", repository.id)
        self.isArchived = repository.archived
        self.isPrivate = repository.private
        self.name = repository.name
        self.nameWithOwner = repository.full_name
        self.url = f"{base}/{repository.full_name}"
        self.owner = {
            "__typename": owner.type,
            "id": node_id(owner.type, owner.id),
            "login": owner.login,
            "url": f"{base}/{owner.login}",
        }

    async def object(self, expression: str | None = None, oid: str | None = None) -> ObjectNode | None:
        """Find an object by revision expression or id; null when there is no such thing."""
        self._session.need("contents:read")
        return await self._session.node(
            self._of, oid or expression or "", (expression or "").partition(":")[2]
        )

    async def ref(self, qualifiedName: str) -> GraphQLRow | None:
        """Find a ref by its full name, or a branch or tag by its short one."""
        self._session.need("contents:read")
        known = await git.refs(self._of.path)
        for prefix in ("", "refs/", "refs/heads/", "refs/tags/"):
            if (full := f"{prefix}{qualifiedName}") in known:
                return await self._ref(full, known[full])
        return None

    async def defaultBranchRef(self) -> GraphQLRow | None:
        """Give the default branch; null while the repository is empty."""
        return await self.ref(f"refs/heads/{self._of.default_branch}")

    async def pullRequest(self, number: int) -> PullRequestNode:
        """Find a pull request by its number."""
        self._session.need("pull_requests:read")
        state = self._session.call.state
        for pull in state.pull_requests:
            if pull.base is self._of and pull.number == number:
                return pull_node(self._session, await PullNode.read(pull))
        raise refused("NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}.")

    async def refs(
        self, refPrefix: str, first: int | None = None, after: str | None = None, **_: Any
    ) -> JsonObject:
        """Page through the refs under a prefix, by name."""
        self._session.need("contents:read")
        known = await git.refs(self._of.path, refPrefix)
        page = connection(sorted(known), Span("refs", first, after))
        return {**page, "nodes": [await self._ref(full, known[full]) for full in page["nodes"]]}

    async def pullRequests(
        self,
        states: list[str] | None = None,
        orderBy: JsonObject | None = None,
        first: int | None = None,
        after: str | None = None,
        **_: Any,
    ) -> JsonObject:
        """Page through the pull requests; ordered by their times, or as they were opened."""
        self._session.need("pull_requests:read")
        pulls = [
            pull_node(self._session, await PullNode.read(pull))
            for pull in self._session.call.state.pull_requests
            if pull.base is self._of
        ]
        pulls = [pull for pull in pulls if not states or pull.state in states]
        if orderBy:
            by = {"CREATED_AT": "createdAt", "UPDATED_AT": "updatedAt"}.get(orderBy["field"], "number")
            pulls.sort(
                key=lambda pull: (getattr(pull, by), pull.number), reverse=orderBy["direction"] == "DESC"
            )
        return connection(pulls, Span("pullRequests", first, after))

    async def _ref(self, full: str, oid: str) -> GraphQLRow:
        kind, _, name = full.removeprefix("refs/").partition("/")
        target = await self._session.node(self._of, oid)

        async def compare(headRef: str) -> GraphQLRow | None:
            return await compared(self._session, self._of, full, headRef)

        return {
            "id": node_id("Ref", f"{self._of.id}:{full}"),
            "name": name,
            "prefix": f"refs/{kind}/",
            "target": target,
            "compare": compare,
        }


def pull_node(session: Session, read: PullNode) -> PullRequestNode:
    """Give a pull request; its head is of no repository when the fork was deleted."""
    head, base = read.pull.head, read.pull.base
    sides = None if head.deleted else RepositoryNode(session, head), RepositoryNode(session, base)
    return PullRequestNode(session, read, sides)
