"""The pull request behind the GraphQL type; fields by GitHub's names."""
# ruff: noqa: N802 - the names are GitHub's

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

from kubeci.local.github.changes import STATUSES
from kubeci.local.github.memberships import association
from kubeci.local.github.payloads import node_id
from kubeci.local.github.pulls import PullNode
from kubeci.local.github.state import Repository, timestamp
from kubeci.model.json import JsonObject

if TYPE_CHECKING:
    from kubeci.local.github.graphql_types import RepositoryNode, Session

CONNECTION_LIMIT = 100


def refused(kind: str, message: str) -> GraphQLError:
    """Give an error with GitHub's `type`."""
    return GraphQLError(message, extensions={"type": kind})


def bounds(name: str, first: int | None, last: int | None) -> int:
    """Give the length of a page; GitHub wants one named, of at most 100."""
    count = first if first is not None else last
    if count is None:
        raise refused(
            "MISSING_PAGINATION_BOUNDARIES",
            f"You must provide a `first` or `last` value to properly paginate the `{name}` connection.",
        )
    if count > CONNECTION_LIMIT:
        raise refused(
            "EXCESSIVE_PAGINATION",
            f"Requesting {count} records exceeds the `first` limit of {CONNECTION_LIMIT} records.",
        )
    return count


class PullRequestNode:
    """A pull request; what needs git is read when it is asked for."""

    kind = "PullRequest"

    def __init__(
        self, session: Session, read: PullNode, sides: tuple[RepositoryNode | None, RepositoryNode]
    ) -> None:
        pull, base_url = read.pull, session.call.state.base_url
        self._session, self._read = session, read
        self.headRepository, self.baseRepository = sides
        self._base = sides[1]
        self.id = node_id(self.kind, pull.id)
        self.number, self.title, self.body = pull.number, pull.title, pull.body or ""
        self.isDraft, self.merged = pull.draft, pull.merged_at is not None
        self.state = "MERGED" if self.merged else pull.state.upper()
        self.url = f"{base_url}/{pull.base.full_name}/pull/{pull.number}"
        self.baseRefName, self.baseRefOid = pull.base_ref, read.base_sha
        self.headRefName, self.headRefOid = pull.head_ref, read.head_sha
        self.isCrossRepository = pull.from_fork
        self.createdAt, self.updatedAt = timestamp(pull.created_at), timestamp(read.updated_at)
        self.author = {
            "__typename": pull.user.type,
            "id": node_id(pull.user.type, pull.user.id),
            "login": pull.user.login.removesuffix("[bot]"),
            "url": f"{base_url}/{pull.user.login}",
        }

    async def baseRef(self) -> JsonObject | None:
        """Give the base branch as it stands now; None: it is gone."""
        return await self._base.ref(f"refs/heads/{self.baseRefName}")

    async def authorAssociation(self) -> str:
        """Say how the author is associated with the base repository."""
        return await association(self._session.call.state, self._read.pull)

    async def changedFiles(self) -> int:
        """Count the changed files."""
        return len(await self._read.files())

    async def files(
        self,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> JsonObject:
        """Page through the changed files."""
        self._session.need("contents:read")
        rows: list[JsonObject] = [
            {
                "path": file.path,
                "changeType": "DELETED" if file.status == "D" else STATUSES[file.status].upper(),
                "additions": file.additions,
                "deletions": file.deletions,
            }
            for file in await self._read.files()
        ]
        return connection(rows, Span("files", first, after, last, before))

    async def commits(
        self,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> JsonObject:
        """Page through the commits, oldest first."""
        self._session.need("contents:read")
        found = [each.oid for each in await self._read.commits()]
        page = connection(found, Span("commits", first, after, last, before))
        base = self._read.pull.base
        return {**page, "nodes": [await self._commit(base, oid) for oid in page["nodes"]]}

    async def _commit(self, base: Repository, oid: str) -> JsonObject:
        number = f"{self._read.pull.id}:{oid}"
        return {"id": node_id("PullRequestCommit", number), "commit": await self._session.node(base, oid)}


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a connection that is asked for."""

    name: str
    first: int | None
    after: str | None = None
    last: int | None = None
    before: str | None = None


def connection(rows: Sequence[Any], span: Span) -> JsonObject:
    """Cut a part out of a connection's nodes, with what leads to the next one."""
    count = bounds(span.name, span.first, span.last)
    low = _position(span.after) if span.after else 0
    high = _position(span.before) - 1 if span.before else len(rows)
    start, end = (low, min(high, low + count)) if span.first is not None else (max(low, high - count), high)
    info: dict[str, Any] = {"hasNextPage": end < len(rows), "hasPreviousPage": start > 0}
    info |= {"startCursor": _cursor(start + 1), "endCursor": _cursor(end)} if end > start else {}
    empty = {"startCursor": None, "endCursor": None}
    return {"nodes": list(rows[start:end]), "totalCount": len(rows), "pageInfo": {**empty, **info}}


def _cursor(position: int) -> str:
    return base64.b64encode(f"cursor:{position}".encode()).decode()


def _position(cursor: str) -> int:
    try:
        _, _, number = base64.b64decode(cursor, validate=True).decode().partition("cursor:")
        return int(number)
    except (ValueError, binascii.Error):
        raise refused(
            "INVALID_CURSOR_ARGUMENTS", f"`{cursor}` does not appear to be a valid cursor."
        ) from None
