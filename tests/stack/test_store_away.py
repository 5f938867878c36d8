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
    # A server that has just started asks the database for much, and each question waits for seconds.
    await scene.concluded(await scene.push(PASSING))
    await scene.quiet()
    already = len(github.deliveries.sent)
    with locked(scene):
        sha = await scene.push({"a": "1"})
        sent = github.deliveries.sent
        [first, *_] = await scene.until(
            lambda: [
                each
                for each in list(sent)[already:]
                if each.event in {"push", "check_suite"} and each.status_code
            ]
        )
    # 504: GitHub waited no longer, since the intake asked the same database before.
    assert first.status_code in {503, 504}
    github.deliveries.add(first.event, first.payload, guid=first.guid)
    assert (await scene.concluded(sha)).conclusion == "success"
