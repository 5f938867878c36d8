"""The words of tests whose real cluster lacks something."""

from __future__ import annotations

from dataclasses import replace

from real_scene import PACE, RealScene

from kubeci.cluster.list_watch import Timing
from kubeci.local.github.state import CheckRun

SOON = replace(
    PACE,
    backoff=lambda failures: min(0.5 * failures, 2.0),
    watch=Timing(backoff_cap=1.0),
    unfollowed_seconds=3.0,
)
"""A watch that is lost is taken up again, and told of, so soon that tests need not wait."""


async def the_run(scene: RealScene, commit: dict[str, str], branch: str) -> CheckRun:
    """Push a commit and wait for its check-run."""
    # A commit of another test may be the same but for this, and its workflow then has the same name.
    sha = await scene.push(commit | {"scene": scene.place.config.managed_by}, branch=branch)
    run: CheckRun
    [run] = await scene.until(lambda: scene.runs(sha))
    return run


def summary(run: CheckRun) -> str:
    return str(run.output.get("summary"))
