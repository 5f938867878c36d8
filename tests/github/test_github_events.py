from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.errors import Invalid
from kubeci.github.events import decode
from kubeci.model.event import (
    CheckRunEvent,
    CheckSuiteEvent,
    Event,
    IgnoredEvent,
    MergeGroupEvent,
    PullRequestEvent,
    PushEvent,
    TagCreatedEvent,
    about,
)
from kubeci.model.repository import Repository
from kubeci.model.source import PullRequest
from kubeci.model.trust import Person

PAYLOADS = Path(__file__).parent.parent / "data" / "webhooks"  # published by GitHub's Octokit team


SHA = "a" * 40
SCOPE: dict[str, Any] = {
    "repository": {"name": "widgets", "owner": {"login": "acme"}},
    "installation": {"id": 7},
    "sender": {"login": "ada", "type": "User"},
}
HERE = Repository("acme", "widgets", 7)
COMMIT = {"id": SHA, "message": "Fix it"}
PULL: dict[str, Any] = {
    "number": 5,
    "title": "Mine",
    "html_url": "https://example.com/pull/5",
    "draft": True,
    "head": {"ref": "patch", "sha": SHA, "repo": {"full_name": "stranger/widgets"}},
    "base": {"ref": "main", "sha": "b" * 40},
    "user": {"login": "stranger", "type": "User"},
    "author_association": "FIRST_TIME_CONTRIBUTOR",
}


def published(name: str) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text())
    return payload


def read(event: str, payload: object) -> object:
    return decode(event, json.dumps(payload).encode())


def test_check_suite_of_a_user_s_repository() -> None:
    payload = published("check_suite.requested")
    assert "organization" not in payload
    assert read("check_suite", payload) == CheckSuiteEvent(
        repository=Repository("Codertocat", "Hello-World", payload["installation"]["id"]),
        action="requested",
        app_id=payload["check_suite"]["app"]["id"],
        head_sha=payload["check_suite"]["head_sha"],
        head_branch="master",
        sender=Person("Codertocat"),
        payload=payload,
    )


def test_head_branch_of_a_fork_s_commit_is_null() -> None:
    payload = published("check_suite.rerequested")
    payload["check_suite"]["head_branch"] = None
    event = read("check_suite", payload)
    assert isinstance(event, CheckSuiteEvent)
    assert (event.action, event.head_branch) == ("rerequested", "")


def test_check_run_rerequested() -> None:
    payload = published("check_run.rerequested")
    payload["check_run"]["external_id"] = "build"
    payload["check_run"]["check_suite"]["head_branch"] = "feature"
    run = payload["check_run"]
    assert read("check_run", payload) == CheckRunEvent(
        repository=Repository(
            payload["repository"]["owner"]["login"],
            payload["repository"]["name"],
            payload["installation"]["id"],
        ),
        action="rerequested",
        app_id=run["app"]["id"],
        check_run_id=run["id"],
        external_id="build",
        head_sha=run["head_sha"],
        head_branch="feature",
        sender=Person(payload["sender"]["login"]),
        payload=payload,
    )


def test_create_of_a_tag() -> None:
    payload = published("create.tag")
    assert read("create", payload) == TagCreatedEvent(
        repository=Repository("Codertocat", "Hello-World", payload["installation"]["id"]),
        tag=payload["ref"],
        payload=payload,
    )


def test_a_button_names_itself_and_who_pressed_it() -> None:
    payload = published("check_run.rerequested") | {
        "action": "requested_action",
        "requested_action": {"identifier": "run"},
        "sender": {"login": "helper[bot]", "type": "Bot"},
    }
    event = read("check_run", payload)
    assert isinstance(event, CheckRunEvent)
    assert (event.action, event.identifier, event.sender) == (
        "requested_action",
        "run",
        Person("helper[bot]", bot=True),
    )


def test_push_of_a_branch() -> None:
    payload = SCOPE | {"ref": "refs/heads/feature/x", "head_commit": COMMIT}
    assert read("push", payload) == PushEvent(HERE, "feature/x", SHA, "Fix it", payload)


@pytest.mark.parametrize(
    ("action", "extra"),
    [
        ("opened", {}),
        ("reopened", {}),
        ("synchronize", {}),
        ("ready_for_review", {}),
        ("closed", {}),
        ("edited", {"changes": {"base": {"ref": {"from": "release"}}}}),
    ],
)
def test_pull_requests(action: str, extra: dict[str, Any]) -> None:
    payload = SCOPE | {"action": action, "pull_request": PULL} | extra
    assert read("pull_request", payload) == PullRequestEvent(
        repository=HERE,
        action=action,
        pull_request=PullRequest(
            5, "Mine", "https://example.com/pull/5", True, "main", "stranger/widgets", base_sha="b" * 40
        ),
        head_sha=SHA,
        head_ref="patch",
        author=Person("stranger"),
        first_time=True,
        merge_sha="",
        payload=payload,
    )


@pytest.mark.parametrize(("merged", "sha"), [(True, "c" * 40), (False, ""), (None, "")])
def test_only_a_merge_leaves_a_commit(merged: bool | None, sha: str) -> None:
    pull = PULL | {"merged": merged, "merge_commit_sha": "c" * 40}
    event = read("pull_request", SCOPE | {"action": "closed", "pull_request": pull})
    assert isinstance(event, PullRequestEvent)
    assert event.merge_sha == sha


def test_a_pull_request_whose_fork_and_author_are_gone() -> None:
    pull = PULL | {"head": PULL["head"] | {"repo": None}, "user": None, "author_association": "CONTRIBUTOR"}
    event = read("pull_request", SCOPE | {"action": "opened", "pull_request": pull})
    assert isinstance(event, PullRequestEvent)
    assert (event.pull_request.head_repository, event.author, event.first_time) == (
        "",
        Person("ghost"),
        False,
    )


def test_merge_groups() -> None:
    group = {"head_sha": SHA, "head_ref": "refs/heads/gh-readonly-queue/main/pr-5-b", "base_sha": "b" * 40}
    payload = SCOPE | {"action": "checks_requested", "merge_group": group}
    assert read("merge_group", payload) == MergeGroupEvent(
        HERE, "gh-readonly-queue/main/pr-5-b", SHA, payload
    )


@pytest.mark.parametrize(
    ("event", "payload", "words"),
    [
        ("ping", {"zen": "Speak like a human."}, "ping: nothing is due"),
        ("check_run", {"action": "completed"}, "check_run completed: nothing is due"),
        ("pull_request", {"action": "labeled", "number": 1}, "pull_request labeled: nothing"),
        (
            "push",
            SCOPE | {"ref": "refs/tags/v1", "head_commit": COMMIT},
            "push of refs/tags/v1: only commits",
        ),
        ("push", SCOPE | {"ref": "refs/heads/x", "deleted": True}, "push of refs/heads/x: only commits"),
        (
            "pull_request",
            SCOPE | {"action": "edited", "pull_request": PULL, "changes": {"title": {"from": "x"}}},
            "pull_request edited: its base is the same",
        ),
        ("invented", {}, "invented: nothing"),
        ("create", published("create.without-installation"), "create: it names no installation"),
        ("create", published("create.tag") | {"ref_type": "branch"}, "create of a branch: only tags"),
        ("issue_comment", {"action": "edited"}, "issue_comment edited: nothing is due"),
        ("delete", SCOPE | {"ref": "v1", "ref_type": "tag"}, "delete of a tag: only branches"),
        ("repository", {"action": "unarchived"}, "repository unarchived: nothing is due"),
    ],
)
def test_ignored_by_name(event: str, payload: dict[str, Any], words: str) -> None:
    ignored = read(event, payload)
    assert isinstance(ignored, IgnoredEvent)
    assert ignored.reason.startswith(words)


@pytest.mark.parametrize(
    ("event", "payload", "repository", "sha"),
    [
        ("push", SCOPE | {"ref": "refs/tags/v1", "head_commit": COMMIT, "after": "a" * 40}, True, "a" * 40),
        ("push", SCOPE | {"ref": "refs/heads/x", "deleted": True, "after": "0" * 40}, True, ""),
        ("push", SCOPE | {"ref": "refs/tags/v1", "after": "no sha"}, False, ""),
        ("pull_request", SCOPE | {"action": "edited", "pull_request": PULL}, True, PULL["head"]["sha"]),
        ("delete", SCOPE | {"ref": "v1", "ref_type": "tag"}, True, ""),
    ],
)
def test_what_is_ignored_by_its_content_says_what_it_is_about(
    event: str, payload: dict[str, Any], sha: str, *, repository: bool
) -> None:
    ignored = read(event, payload)
    assert isinstance(ignored, IgnoredEvent)
    scope = SCOPE["repository"]
    named = f"{scope['owner']['login']}/{scope['name']}"
    assert (ignored.known, *about(ignored)) == (True, named if repository else "", sha)


def test_kinds_of_events_that_ask_for_nothing_are_not_known() -> None:
    for event, payload in (
        ("check_run", {"action": "created"}),
        ("ping", {}),
        ("issues", {"action": "closed"}),
    ):
        ignored = read(event, payload)
        assert isinstance(ignored, IgnoredEvent)
        assert not ignored.known


@pytest.mark.parametrize("event", ["check_suite", "ping"])
@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"null", b"[]", b'"x"', b'{"action": 1}', b'{"a": \xff}', b'{"a":' + b"[" * 100_000],
)
def test_malformed_json_is_invalid(event: str, payload: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        decode(event, payload)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "change",
    [
        {"repository": None},
        {"check_suite": {"head_sha": "../../x"}},
        {"check_suite": {}},
        {"installation": {"id": "1"}},
    ],
)
def test_what_github_never_sends_is_invalid(change: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="payload"):
        read("check_suite", published("check_suite.requested") | change)


@given(st.sampled_from(["check_suite", "check_run", "create", "push", "delete"]), st.binary(max_size=200))
def test_any_bytes_are_an_event_or_invalid(event: str, payload: bytes) -> None:
    with suppress(Invalid):
        assert isinstance(decode(event, payload), Event)
