"""A database that cannot be written for a while: nothing is answered 202 that is not stored, and the server goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from tests_stack import PASSING, Scene


@contextmanager
def locked(scene: Scene) -> Iterator[None]:
    """Hold the database's only writer's place, for longer than the server waits for it."""
    path = scene.stack.options.store_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def test_a_webhook_that_cannot_be_stored_is_refused_and_its_redelivery_is_built(alone: Scene) -> None:
    scene, github = alone, alone.stack.github
    with locked(scene):
        sha = await scene.push(PASSING)
        await github.settled()
    refused = [each for each in github.deliveries.sent if each.event in {"push", "check_suite"}]
    # 504: GitHub waited no longer, since the intake asked the same database before.
    assert len(refused) == 2
    assert {each.status_code for each in refused} <= {503, 504}
    for each in refused:
        github.deliveries.add(each.event, each.payload, guid=each.guid)
    assert (await scene.concluded(sha)).conclusion == "success"
