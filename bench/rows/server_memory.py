"""Memory of the server and of its sandbox's zygote, new and after work."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench.fakes import Fakes, fakes
from bench.figure import Figure
from bench.server import Server, server
from bench.webhooks import Deliveries, load
from kubeci.local.examples import load_example

TIMED = False
WEBHOOKS = 500
RATE = 200
BUILDS = 20
SETTLE_SECONDS = 0.3


async def measure(folder: Path) -> list[Figure]:
    """Read VmRSS from /proc, which is Linux's; elsewhere the row cannot be measured."""
    async with fakes(folder, engine=True) as around, server(around) as target:
        before = await _settled(target)
        await _work(around, target)
        after = await _settled(target)
    worked = f"VmRSS after {WEBHOOKS} webhooks and {BUILDS} builds"
    return [
        Figure("server memory", before[0], "MiB", "VmRSS after its start"),
        Figure("server memory, worked", after[0], "MiB", worked),
        Figure("zygote memory", before[1], "MiB", "VmRSS after its start"),
        Figure("zygote memory, worked", after[1], "MiB", worked),
    ]


async def _work(around: Fakes, target: Server) -> None:
    around.github.webhook_url = target.webhook_url
    files = load_example("yaml").files
    for number in range(BUILDS):
        suite = await around.push(files, branch=f"build-{number}")
    await load(target.port, Deliveries("check_suite", suite.payload).request, rate=RATE, count=WEBHOOKS)
    runs = around.github.state.runs
    while len(runs) < BUILDS or any(run.status != "completed" for run in runs.values()):  # noqa: ASYNC110 - GitHub's state is what we wait for
        await asyncio.sleep(0.05)


async def _settled(target: Server) -> tuple[float, float]:
    """Give the memory of server and zygote in MiB when neither changes any more."""
    last = (0.0, 0.0)
    while (now := (_rss(target.pid), _rss(_child(target.pid)))) != last:
        last = now
        await asyncio.sleep(SETTLE_SECONDS)
    return now


def _rss(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    kibibytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(kibibytes) / 1024


def _child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0])
