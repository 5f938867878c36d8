"""A Re-run whose delivery is worked on a second time, as after a crash, is one wish."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests_stack import PASSING, Scene, workflow

from kubeci.local.cluster.resources import WORKFLOWS

FAILING = {".kube-ci/ci.yaml": workflow(["sh", "-c", "echo 'src/a.py:1: error: no'; exit 1"])}


def not_done(scene: Scene, guid: str) -> None:
    """Put a delivery back, as if the server had been killed before it could note that it was done."""
    place = scene.place.options.store_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(place)) as store:
        store.execute("UPDATE deliveries SET state = 'waiting', due = 0 WHERE id = ?", (guid,))
        store.commit()


async def test_a_rerun_that_is_worked_on_again_after_its_end(alone: Scene) -> None:
    github = alone.place.github
    sha = await alone.push(FAILING)
    run = await alone.concluded(sha)
    await alone.quiet()
    await github.rerequest(run.id)
    await alone.concluded(sha, count=2)
    await alone.quiet()
    [pressed] = [each for each in github.deliveries.sent if each.payload.get("action") == "rerequested"]
    not_done(alone, pressed.guid)
    other = await alone.push(PASSING, branch="other")  # wakes those who look into the inbox
    await alone.concluded(other)
    await alone.quiet()
    assert (len(alone.runs(sha)), len(alone.place.cluster.objects.list(WORKFLOWS, None))) == (2, 2)
