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
from kubeci.model.event import CheckRunEvent, CheckSuiteEvent, Event, IgnoredEvent, TagCreatedEvent
from kubeci.model.repository import Repository

PAYLOADS = Path(__file__).parent.parent / "data" / "webhooks"  # published by GitHub's Octokit team


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
        payload=payload,
    )


def test_create_of_a_tag() -> None:
    payload = published("create.tag")
    assert read("create", payload) == TagCreatedEvent(
        repository=Repository("Codertocat", "Hello-World", payload["installation"]["id"]),
        tag=payload["ref"],
        payload=payload,
    )


@pytest.mark.parametrize(
    ("event", "payload", "words"),
    [
        ("ping", {"zen": "Speak like a human."}, "ping: nothing is due"),
        ("check_run", {"action": "completed"}, "check_run completed: nothing is due"),
        ("pull_request", {"action": "opened", "number": 1}, "pull_request opened: nothing"),
        ("invented", {}, "invented: nothing"),
        ("create", published("create.without-installation"), "create: it names no installation"),
        ("create", published("create.tag") | {"ref_type": "branch"}, "create of a branch: only tags"),
    ],
)
def test_ignored_by_name(event: str, payload: dict[str, Any], words: str) -> None:
    ignored = read(event, payload)
    assert isinstance(ignored, IgnoredEvent)
    assert ignored.reason.startswith(words)


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


@given(st.sampled_from(["check_suite", "check_run", "create", "push"]), st.binary(max_size=200))
def test_any_bytes_are_an_event_or_invalid(event: str, payload: bytes) -> None:
    with suppress(Invalid):
        assert isinstance(decode(event, payload), Event)
