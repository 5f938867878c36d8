"""Every published payload of the events that build, taken to the wish that comes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from published import FETCHED

from kubeci.github.events import decode
from kubeci.model.build import Build, BuildRequest
from kubeci.model.decision import Ignored
from kubeci.model.event import CheckRunEvent, CheckSuiteEvent
from kubeci.model.repository import Commit, Repository
from kubeci.service.dispatch import Admission, Dispatcher
from kubeci.service.wish import StopRequest, Wish

pytestmark = pytest.mark.conformance

NOTHING, STOP = "nothing", "stop"

DECISIONS = {
    ("check_suite", "requested"): (3, "automatic push branch"),
    ("check_suite", "rerequested"): (2, "explicit rerun branch"),
    ("check_suite", "completed"): (4, NOTHING),
    ("check_run", "created"): (3, NOTHING),
    ("check_run", "completed"): (3, NOTHING),
    # Its button is another App's.
    ("check_run", "requested_action"): (1, NOTHING),
    ("check_run", "rerequested"): (2, "explicit rerun branch"),
    ("create", "tag"): (5, "automatic tag tag"),
    ("delete", "tag"): (4, NOTHING),
    # None asks for a run.
    ("deployment", "created"): (4, NOTHING),
    ("push", "refs/tags"): (5, NOTHING),
    ("push", "refs/heads"): (2, "automatic push branch"),
    ("merge_group", "checks_requested"): (2, "automatic mergeQueue branch"),
    ("pull_request", "opened"): (4, "automatic pullRequest branch"),
    ("pull_request", "reopened"): (2, "automatic pullRequest branch"),
    ("pull_request", "synchronize"): (1, "automatic pullRequest branch"),
    ("pull_request", "ready_for_review"): (3, "automatic pullRequest branch"),
    ("pull_request", "closed"): (2, STOP),
    **{
        ("pull_request", action): (count, NOTHING)
        for action, count in {
            "assigned": 2,
            "converted_to_draft": 3,
            "labeled": 2,
            "locked": 2,
            "review_request_removed": 1,
            "review_requested": 1,
            "unassigned": 2,
            "unlabeled": 2,
            "unlocked": 2,
        }.items()
    },
}
"""Event and what tells its kinds apart: how many are published, and what is wished."""


class Commits:
    """A tag's commit, which no payload names."""

    async def tag_commit(self, _repository: Repository, _tag: str) -> str:
        return "a" * 40


class Builds:
    """No records: the events come from other Apps' lives."""

    async def of_check_run(self, _repository: Repository, _check_run_id: int) -> Build | None:
        return None

    async def of_commit(self, _commit: Commit) -> Build | None:
        return None

    async def all_of_commit(self, _commit: Commit) -> list[Build]:
        return []


def payloads() -> list[tuple[str, dict[str, Any]]]:
    published = json.loads((FETCHED / "webhooks-examples" / "api.github.com" / "index.json").read_text())
    wanted = {event for event, _ in DECISIONS}
    return [
        (each["name"], payload)
        for each in published
        for payload in each["examples"]
        if each["name"] in wanted
    ]


def kind_of(event: str, payload: dict[str, Any]) -> str:
    if event in {"create", "delete"}:
        return str(payload["ref_type"])
    if event == "push":
        return str(payload["ref"]).rpartition("/")[0]
    return str(payload["action"])


async def wish_of(event: str, payload: dict[str, Any]) -> Wish:
    # Some were recorded by a webhook of a repository; an App's differ in the installation alone.
    decoded = decode(event, json.dumps({"installation": {"id": 1}, **payload}).encode())
    app_id = decoded.app_id if isinstance(decoded, CheckSuiteEvent | CheckRunEvent) else 1
    dispatcher = Dispatcher(Admission(app_id), Commits(), Builds())  # type: ignore[arg-type] # all that is asked for
    return await dispatcher.wish_of(decoded, "a-delivery")


def words(wish: Wish) -> str:
    match wish:
        case BuildRequest():
            return f"{'automatic' if wish.automatic else 'explicit'} {wish.what} {wish.ref.type}"
        case StopRequest():
            return STOP
        case Ignored():
            return NOTHING


async def test_every_published_payload_leads_to_the_decision_of_the_table() -> None:
    found: dict[tuple[str, str], list[str]] = {}
    for event, payload in payloads():
        wish = await wish_of(event, payload)
        found.setdefault((event, kind_of(event, payload)), []).append(words(wish))
    assert found == {key: [decision] * count for key, (count, decision) in DECISIONS.items()}
