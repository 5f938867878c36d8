"""The few fields of GitHub's payloads that decide something (docs.github.com/webhooks/webhook-events-and-payloads)."""
# ruff: noqa: D101 - names and fields are GitHub's, whose page explains them

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from kubeci.model.json import JsonObject

Sha = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{40}([0-9a-f]{24})?$")]
Time = Annotated[datetime, msgspec.Meta(tz=True)]


class Account(msgspec.Struct):
    login: str
    type: str = "User"


class Repository(msgspec.Struct):
    name: str
    owner: Account


class Installation(msgspec.Struct):
    id: int


class App(msgspec.Struct):
    id: int


class Envelope(msgspec.Struct):
    action: str | None = None


class Scoped(msgspec.Struct, kw_only=True):
    """What every event of a repository has; the owner comes from the repository, as users are no organization."""

    repository: Repository
    installation: Installation | None = None
    sender: Account | None = None


class CheckSuite(msgspec.Struct):
    head_sha: Sha
    app: App | None = None
    head_branch: str | None = None


class CheckSuitePayload(Scoped):
    check_suite: CheckSuite


class SuiteOfRun(msgspec.Struct):
    head_branch: str | None = None


class CheckRun(msgspec.Struct):
    id: int
    head_sha: Sha
    app: App | None = None
    external_id: str | None = None
    check_suite: SuiteOfRun | None = None


class RequestedAction(msgspec.Struct):
    identifier: str = ""


class CheckRunPayload(Scoped):
    check_run: CheckRun
    requested_action: RequestedAction | None = None


class RefPayload(Scoped):
    """`create` and `delete` of a branch or a tag."""

    ref: str
    ref_type: str


class HeadCommit(msgspec.Struct):
    id: Sha
    message: str


class PushPayload(Scoped):
    ref: str
    deleted: bool = False
    head_commit: HeadCommit | None = None


class NamedRepository(msgspec.Struct):
    full_name: str


class Head(msgspec.Struct):
    ref: str
    sha: Sha
    repo: NamedRepository | None = None


class Base(msgspec.Struct):
    ref: str
    sha: Sha


class PullRequest(msgspec.Struct):
    number: int
    head: Head
    base: Base
    title: str = ""
    html_url: str = ""
    draft: bool = False
    merged: bool | None = None
    merge_commit_sha: str | None = None
    user: Account | None = None
    author_association: str = "NONE"


class Changes(msgspec.Struct):
    base: JsonObject | None = None


class PullRequestPayload(Scoped):
    pull_request: PullRequest
    changes: Changes | None = None


class MergeGroup(msgspec.Struct):
    head_sha: Sha
    head_ref: str


class MergeGroupPayload(Scoped):
    merge_group: MergeGroup


class Deployment(msgspec.Struct):
    id: int
    sha: Sha
    ref: str
    task: str
    environment: str
    payload: object = None
    created_at: Time | None = None


class DeploymentPayload(Scoped):
    deployment: Deployment


class About(Scoped):
    """Where an event of any kind names the commit that it is about."""

    after: Sha | None = None
    check_suite: CheckSuite | None = None
    check_run: CheckRun | None = None
    pull_request: PullRequest | None = None
    merge_group: MergeGroup | None = None
    deployment: Deployment | None = None


class KubeCI(msgspec.Struct):
    """What the payload of a deployment tells us under `kube_ci`."""

    run: bool = False
    ref_type: str | None = None
    ref_name: str | None = None


class Written(msgspec.Struct, kw_only=True):
    html_url: str
    created_at: Time
    body: str | None = None
    user: Account | None = None


class Issue(Written):
    number: int
    pull_request: JsonObject | None = None


class Comment(Written):
    id: int


class IssuePayload(Scoped):
    issue: Issue


class CommentPayload(IssuePayload):
    comment: Comment
