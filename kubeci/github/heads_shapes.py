"""The shapes of GraphQL's answer to the query of heads (docs.github.com/graphql/reference/objects)."""
# ruff: noqa: D101 - names and fields are GitHub's, whose page explains them

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Pusher(Struct, rename="camel"):
    login: str


class Push(Struct, rename="camel"):
    pusher: Pusher | None = None
    previous_sha: str | None = None


class Runs(Struct, rename="camel"):
    total_count: int = 0


class Suite(Struct, rename="camel"):
    created_at: datetime
    push: Push | None = None
    check_runs: Runs | None = None


class Suites(Struct, rename="camel"):
    nodes: list[Suite | None] | None = None


class Commit(Struct, rename="camel"):
    oid: str = ""
    """Empty: the branch stands at no commit."""
    committed_date: datetime | None = None
    check_suites: Suites | None = None


class PageInfo(Struct, frozen=True, rename="camel"):
    has_next_page: bool = False
    end_cursor: str | None = None


class Ref(Struct, rename="camel"):
    name: str
    target: Commit | None = None


class Refs(Struct, rename="camel"):
    nodes: list[Ref | None] | None = None
    page_info: PageInfo = PageInfo()


class PullCommit(Struct, rename="camel"):
    commit: Commit


class PullCommits(Struct, rename="camel"):
    nodes: list[PullCommit | None] | None = None


class Pull(Struct, rename="camel"):
    number: int
    created_at: datetime
    updated_at: datetime
    head_ref_name: str
    head_ref_oid: str
    commits: PullCommits | None = None


class Pulls(Struct, rename="camel"):
    nodes: list[Pull | None] | None = None
    page_info: PageInfo = PageInfo()


class Heads(Struct, rename="camel"):
    refs: Refs | None = None
    pull_requests: Pulls | None = None
