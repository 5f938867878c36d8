"""Time until a webhook is answered 202, at 200 deliveries a second.

Every delivery is a `check_suite` with an id of its own, so each is verified, decoded and written to the store (with
fsync) before its answer, and worked on afterwards. All name one commit, which is built once: the figure is of the
intake, not of two hundred builds a second, which no installation's rate limit would allow.
"""

from __future__ import annotations

from pathlib import Path

from bench.fakes import ci_files, fakes
from bench.figure import Figure, milliseconds
from bench.server import server
from bench.webhooks import Deliveries, load

RATE = 200
SECONDS = 10
WARM = 100


async def measure(folder: Path) -> list[Figure]:
    """Load the server as a process for ten seconds."""
    async with fakes(folder, engine=False) as around, server(around) as target:
        files = {f".kube-ci/{path}": text for path, text in ci_files("yaml").items()}
        suite = await around.push(files)
        deliveries = Deliveries("check_suite", suite.payload)
        await load(target.port, deliveries.request, rate=RATE, count=WARM)
        answers = await load(target.port, deliveries.request, rate=RATE, count=RATE * SECONDS)
    how = (
        f"{RATE}/s for {SECONDS} s, open loop, {deliveries.size / 1000:.0f} kB check_suite, stored with fsync"
    )
    return [
        *milliseconds("webhook answer", answers.seconds, how),
        Figure("webhooks not answered 202", answers.refused, "", f"of {RATE * SECONDS}"),
    ]
