"""What operators are advised to do about deliveries and builds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from kubeci.cli.advice import of_build, of_delivery
from kubeci.model.build import Build, BuildState
from kubeci.model.inbox import DeliveryRecord, DeliveryState
from kubeci.model.repository import Commit, Ref, Repository

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RECORD = DeliveryRecord(
    "72d3162e-1", "push", DeliveryState.WAITING, NOON, 1, NOON, "", "kubeci-1", NOON, "acme/widgets", "a" * 40
)
BUILD = Build(
    "b",
    Commit(Repository("acme", "widgets", 1), "a" * 40),
    Ref("main"),
    "ci",
    "Workflow - ci",
    "argo",
    "w",
    NOON,
)


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        (DeliveryState.WAITING, "", "its work begins at 2026-01-01 12:00:00 UTC"),
        (DeliveryState.WAITING, "RateLimited: GitHub answered 403", "GitHub wants no requests for a while"),
        (DeliveryState.WAITING, "deferred: RateLimited: x", "GitHub wants no requests for a while"),
        (DeliveryState.WAITING, "deferred: UpstreamError: x", "githubstatus.com"),
        (DeliveryState.WAITING, "waits: x", "the cluster cannot take it yet"),
        (DeliveryState.WAITING, "UpstreamError: x", "it is tried again at 2026-01-01 12:00:00 UTC"),
        (DeliveryState.WORKING, "", "taken up again at 2026-01-01 12:00:00 UTC"),
        (DeliveryState.PARKED, "Forbidden: x", "mend the cause, then `kubeci replay 72d3162e`"),
    ],
)
def test_of_a_delivery(state: DeliveryState, reason: str, words: str) -> None:
    assert words in of_delivery(replace(RECORD, state=state, reason=reason), built=False)


OFFER = replace(BUILD, state=BuildState.OFFERED)


@pytest.mark.parametrize(
    ("build", "given", "words"),
    [
        (OFFER, {}, "until somebody presses Run"),
        (OFFER, {"taken": True}, ""),
        (replace(OFFER, conclusion="skipped"), {}, ""),
        (
            replace(BUILD, state=BuildState.LOST),
            {"asked": replace(RECORD, state=DeliveryState.PARKED, reason="Forbidden: no right.")},
            "delivery 72d3162e was set aside: Forbidden: no right; when that is mended, Re-run",
        ),
        (
            replace(BUILD, state=BuildState.LOST),
            {"asked": replace(RECORD, state=DeliveryState.DONE)},
            "delivery 72d3162e ended before that",
        ),
        (
            replace(BUILD, state=BuildState.LOST, delivery_id="72d3162e-1"),
            {},
            "nobody was left to do it (delivery 72d3162e is kept no more)",
        ),
    ],
)
def test_of_a_build(build: Build, given: dict[str, Any], words: str) -> None:
    told = of_build(build, **given)
    assert (words in told) if words else (told == "")
