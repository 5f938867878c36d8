from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.errors import Invalid
from kubeci.github.events import decode
from kubeci.model.conversation import Post
from kubeci.model.event import (
    BranchDeletedEvent,
    CommentEvent,
    DeploymentEvent,
    Event,
    IgnoredEvent,
    RepositoryGoneEvent,
)
from kubeci.model.repository import Ref, RefType, Repository
from kubeci.model.trust import Person

SCOPE: dict[str, Any] = {
    "repository": {"name": "widgets", "owner": {"login": "acme"}},
    "installation": {"id": 7},
    "sender": {"login": "ada", "type": "User"},
}
HERE = Repository("acme", "widgets", 7)
AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
ISSUE: dict[str, Any] = {
    "number": 5,
    "html_url": "https://example.com/issues/5",
    "created_at": "2026-03-01T12:30:00Z",
    "body": "/kube-ci help",
    "user": {"login": "grace", "type": "User"},
}
COMMENT: dict[str, Any] = {
    "id": 99,
    "html_url": "https://example.com/issues/5#issuecomment-99",
    "created_at": "2026-03-01T12:30:00Z",
    "body": "/kube-ci run",
    "user": {"login": "helper[bot]", "type": "Bot"},
}


def read(event: str, payload: object) -> object:
    return decode(event, json.dumps(payload).encode())


def deployment(payload: object, **changes: object) -> dict[str, Any]:
    found = {
        "id": 42,
        "sha": "a" * 40,
        "ref": "main",
        "task": "deploy",
        "environment": "staging",
        "payload": payload,
    }
    return SCOPE | {"action": "created", "deployment": found | changes}


@pytest.mark.parametrize(
    ("asked", "ref"),
    [
        ({"run": True}, Ref("main")),
        ({"run": True, "ref_type": "tag", "ref_name": "v1"}, Ref("v1", RefType.TAG)),
        ({"run": True, "ref_type": None, "ref_name": None}, Ref("main")),
        ({"run": True, "ref_type": "branch", "ref_name": "", "more": [1]}, Ref("main")),
    ],
)
@pytest.mark.parametrize("as_text", [False, True])
def test_a_deployment_that_asks_for_a_run(asked: dict[str, Any], ref: Ref, *, as_text: bool) -> None:
    inner = {"kube_ci": asked}
    payload = deployment(json.dumps(inner) if as_text else inner)
    assert read("deployment", payload) == DeploymentEvent(
        repository=HERE,
        deployment_id=42,
        task="deploy",
        environment="staging",
        sha="a" * 40,
        ref=ref,
        sender=Person("ada"),
        payload=payload,
    )


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        (None, "has no `kube_ci.run`"),
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("null", "has no `kube_ci.run`"),
        ([], "has no `kube_ci.run`"),
        ({}, "has no `kube_ci.run`"),
        ({"kube_ci": None}, "has no `kube_ci.run`"),
        ({"kube_ci": "run"}, "has no `kube_ci.run`"),
        ({"kube_ci": {"run": False, "ref_name": "main"}}, "has no `kube_ci.run`"),
        ({"kube_ci": {"run": "true"}}, "has no `kube_ci.run`"),
        ({"kube_ci": {"run": 1}}, "has no `kube_ci.run`"),
        ({"kube_ci": {"run": True, "ref_type": "commit"}}, "`kube_ci.ref_type` of its payload is `commit`"),
        ({"kube_ci": {"run": True, "ref_name": ["main"]}}, "`kube_ci` of its payload cannot be read"),
    ],
)
def test_a_deployment_that_asks_for_nothing(inner: object, words: str) -> None:
    ignored = read("deployment", deployment(inner))
    assert isinstance(ignored, IgnoredEvent)
    assert ignored.reason.startswith("deployment created: ")
    assert words in ignored.reason
    assert len(ignored.reason) < 400


@given(st.recursive(st.none() | st.booleans() | st.text(), lambda inner: st.dictionaries(st.text(), inner)))
def test_any_deployment_payload_is_ignored_unless_it_asks(inner: object) -> None:
    assert isinstance(read("deployment", deployment(inner)), IgnoredEvent)


@pytest.mark.parametrize("pull", [{}, {"pull_request": {"url": "https://example.com/pulls/5"}}])
def test_a_comment(pull: dict[str, Any]) -> None:
    payload = SCOPE | {"action": "created", "issue": ISSUE | pull, "comment": COMMENT}
    post = Post(HERE, 5, 99, "https://example.com/issues/5#issuecomment-99", AT, bool(pull))
    event = CommentEvent(post, "/kube-ci run", Person("helper[bot]", bot=True), payload)
    assert read("issue_comment", payload) == event
    assert event.repository == HERE


@pytest.mark.parametrize(("body", "text"), [("/kube-ci help", "/kube-ci help"), (None, ""), ("", "")])
def test_an_issue_opened_has_no_comment(body: str | None, text: str) -> None:
    payload = SCOPE | {"action": "opened", "issue": ISSUE | {"body": body}}
    post = Post(HERE, 5, 0, "https://example.com/issues/5", AT, on_pull_request=False)
    assert read("issues", payload) == CommentEvent(post, text, Person("grace"), payload)


def test_texts_are_capped_and_authors_may_be_gone() -> None:
    changes = {"body": "x" * 70_000, "user": None}
    event = read("issues", SCOPE | {"action": "opened", "issue": ISSUE | changes})
    assert isinstance(event, CommentEvent)
    assert (len(event.text), event.author) == (65_536, Person("ghost"))


def test_a_branch_deleted() -> None:
    payload = SCOPE | {"ref": "feature/x", "ref_type": "branch"}
    assert read("delete", payload) == BranchDeletedEvent(HERE, "feature/x")


@pytest.mark.parametrize("action", ["archived", "deleted"])
def test_a_repository_gone(action: str) -> None:
    assert read("repository", SCOPE | {"action": action}) == RepositoryGoneEvent(HERE, action)


EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("deployment", deployment({"kube_ci": {"run": True}})),
    ("issue_comment", SCOPE | {"action": "created", "issue": ISSUE, "comment": COMMENT}),
    ("issues", SCOPE | {"action": "opened", "issue": ISSUE}),
    ("delete", SCOPE | {"ref": "x", "ref_type": "branch"}),
    ("repository", SCOPE | {"action": "deleted"}),
]


@pytest.mark.parametrize(("event", "payload"), EVENTS)
def test_without_an_installation_it_was_not_sent_to_an_app(event: str, payload: dict[str, Any]) -> None:
    ignored = read(event, {key: value for key, value in payload.items() if key != "installation"})
    assert isinstance(ignored, IgnoredEvent)
    assert "it names no installation" in ignored.reason
    assert isinstance(read(event, payload), Event)


@pytest.mark.parametrize(("event", "payload"), EVENTS)
def test_without_a_repository_it_is_invalid(event: str, payload: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="payload"):
        read(event, payload | {"repository": None})


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("deployment", deployment({"kube_ci": {"run": True}}, sha="../x")),
        ("issues", SCOPE | {"action": "opened", "issue": ISSUE | {"created_at": "yesterday"}}),
        ("issue_comment", SCOPE | {"action": "created", "issue": ISSUE, "comment": None}),
    ],
)
def test_what_github_never_sends_is_invalid(event: str, payload: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="payload"):
        read(event, payload)
