"""Webhook payloads in, our events out; only the few fields that decide something are read."""

from __future__ import annotations

from collections.abc import Callable

from kubeci.github import events_asked, events_gone, shapes
from kubeci.github.decoding import known, no_installation, person_of, read, repository_of
from kubeci.model.event import (
    CheckRunEvent,
    CheckSuiteEvent,
    Event,
    IgnoredEvent,
    MergeGroupEvent,
    PullRequestEvent,
    PushEvent,
    TagCreatedEvent,
)
from kubeci.model.json import JsonObject
from kubeci.model.source import PullRequest

PULL_REQUEST_ACTIONS = ("opened", "reopened", "synchronize", "ready_for_review", "edited", "closed")
FIRST_TIME = frozenset({"FIRST_TIME_CONTRIBUTOR", "FIRST_TIMER", "NONE"})
"""Values of `author_association` that know of no contribution."""


def decode(event: str, payload: bytes) -> Event:
    """Read one delivery: `event` is the header `X-GitHub-Event`, `payload` the JSON document.

    What asks nothing of us becomes an `IgnoredEvent` that names the event and says why.
    Raises `Invalid` (status 400) for a document that is not JSON, or not what GitHub documents for the event.
    """
    action = read(payload, shapes.Envelope).action or ""
    name = f"{event} {action}".strip()[:100]
    reader = _READERS.get((event, action))
    if reader is None:
        return IgnoredEvent(f"{name}: nothing is due for it")
    decoded = reader(name, action, payload)
    return known(decoded, payload) if isinstance(decoded, IgnoredEvent) else decoded


def _check_suite(name: str, action: str, payload: bytes) -> Event:
    body = read(payload, shapes.CheckSuitePayload)
    repository = repository_of(body)
    if repository is None:
        return no_installation(name)
    suite = body.check_suite
    return CheckSuiteEvent(
        repository=repository,
        action=action,
        app_id=suite.app.id if suite.app else 0,
        head_sha=suite.head_sha,
        head_branch=suite.head_branch or "",
        sender=person_of(body.sender),
        payload=read(payload, JsonObject),
    )


def _check_run(name: str, action: str, payload: bytes) -> Event:
    body = read(payload, shapes.CheckRunPayload)
    repository = repository_of(body)
    if repository is None:
        return no_installation(name)
    run = body.check_run
    return CheckRunEvent(
        repository=repository,
        action=action,
        app_id=run.app.id if run.app else 0,
        check_run_id=run.id,
        external_id=run.external_id or "",
        head_sha=run.head_sha,
        head_branch=(run.check_suite.head_branch or "") if run.check_suite else "",
        identifier=body.requested_action.identifier if body.requested_action else "",
        sender=person_of(body.sender),
        payload=read(payload, JsonObject),
    )


def _create(name: str, _action: str, payload: bytes) -> Event:
    body = read(payload, shapes.RefPayload)
    if body.ref_type != "tag":
        return IgnoredEvent(f"{name} of a {body.ref_type[:40]}: only tags are built by it")
    repository = repository_of(body)
    if repository is None:
        return no_installation(name)
    return TagCreatedEvent(repository=repository, tag=body.ref, payload=read(payload, JsonObject))


def _push(name: str, _action: str, payload: bytes) -> Event:
    body = read(payload, shapes.PushPayload)
    branch = body.ref.removeprefix("refs/heads/")
    if body.deleted or body.head_commit is None or branch == body.ref:
        return IgnoredEvent(f"{name} of {body.ref[:80]}: only commits on branches are built by it")
    repository = repository_of(body)
    if repository is None:
        return no_installation(name)
    commit = body.head_commit
    return PushEvent(repository, branch, commit.id, commit.message, read(payload, JsonObject))


def _pull_request(name: str, action: str, payload: bytes) -> Event:
    body = read(payload, shapes.PullRequestPayload)
    repository = repository_of(body)
    if repository is None:
        return no_installation(name)
    if action == "edited" and (body.changes is None or body.changes.base is None):
        return IgnoredEvent(f"{name}: its base is the same, so what is built is too")
    pull = body.pull_request
    return PullRequestEvent(
        repository=repository,
        action=action,
        pull_request=PullRequest(
            number=pull.number,
            title=pull.title,
            url=pull.html_url,
            draft=pull.draft,
            base_ref=pull.base.ref,
            head_repository=pull.head.repo.full_name if pull.head.repo else "",
            base_sha=pull.base.sha,
        ),
        head_sha=pull.head.sha,
        head_ref=pull.head.ref,
        merge_sha=(pull.merge_commit_sha or "") if pull.merged else "",
        author=person_of(pull.user),
        first_time=pull.author_association in FIRST_TIME,
        payload=read(payload, JsonObject),
    )


def _merge_group(name: str, _action: str, payload: bytes) -> Event:
    body = read(payload, shapes.MergeGroupPayload)
    repository = repository_of(body)
    if repository is None:
        return no_installation(name)
    branch = body.merge_group.head_ref.removeprefix("refs/heads/")
    return MergeGroupEvent(repository, branch, body.merge_group.head_sha, read(payload, JsonObject))


_READERS: dict[tuple[str, str], Callable[[str, str, bytes], Event]] = {
    ("check_suite", "requested"): _check_suite,
    ("check_suite", "rerequested"): _check_suite,
    ("check_run", "rerequested"): _check_run,
    ("check_run", "requested_action"): _check_run,
    ("create", ""): _create,
    ("push", ""): _push,
    **{("pull_request", action): _pull_request for action in PULL_REQUEST_ACTIONS},
    ("merge_group", "checks_requested"): _merge_group,
    ("deployment", "created"): events_asked.deployment,
    # An edited comment is not read again on purpose: its author may not be who edited it.
    ("issue_comment", "created"): events_asked.comment,
    ("issues", "opened"): events_asked.issue_opened,
    ("delete", ""): events_gone.deleted_ref,
    ("repository", "archived"): events_gone.gone_repository,
    ("repository", "deleted"): events_gone.gone_repository,
}

ACTIONS = tuple(_READERS)
"""Events with the actions that are read; all others are ignored by name."""
ASKED = (
    ("check_suite", "rerequested"),
    ("check_run", "rerequested"),
    ("check_run", "requested_action"),
    ("deployment", "created"),
    ("issue_comment", "created"),
    ("issues", "opened"),
)
"""Those by which somebody asks for something, and waits for it."""
