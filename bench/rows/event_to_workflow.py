"""Time from a signed webhook to the workflow's creation in the cluster, with 0 and 50 ms of GitHub latency."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from bench.fakes import NAMESPACE, Fakes, ci_files, fakes
from bench.figure import Figure
from bench.server import Server, server
from bench.webhooks import Connection, Deliveries
from kubeci.local.cluster.resources import WORKFLOWS

EVENTS = 20
LATENCIES = (0.0, 0.05)


async def measure(folder: Path) -> list[Figure]:
    """Push commits one after the other, each to a branch of its own; the first one is not counted."""
    figures = []
    async with fakes(folder, engine=False) as around, server(around) as target:
        await _event(around, target, "warm")
        for latency in LATENCIES:
            around.github.latency_seconds = latency
            seconds, requests = [], []
            for number in range(EVENTS):
                took, asked = await _event(around, target, f"after-{latency * 1000:.0f}-ms-{number}")
                seconds.append(took)
                requests.append(asked)
            figures += [
                Figure(
                    f"event to workflow, GitHub {latency * 1000:.0f} ms away",
                    statistics.median(seconds) * 1000,
                    "ms",
                    f"median of {EVENTS}, one after the other; {max(requests)} requests to GitHub",
                )
            ]
    return figures


async def _event(around: Fakes, target: Server, branch: str) -> tuple[float, int]:
    """Push, deliver, and wait for the workflow: seconds, and requests to GitHub until then."""
    files = {f".kube-ci/{path}": text for path, text in ci_files("starlark").items()}
    suite = await around.push(files, branch=branch)
    request = Deliveries("check_suite", suite.payload).request()
    cursor = around.cluster.objects.cursor(WORKFLOWS, NAMESPACE, around.cluster.objects.version)
    before = len(around.github.requests)
    async with Connection.opened(target.port) as connection:
        started = time.perf_counter()
        status = await connection.send(request)
        if status != 202:
            raise RuntimeError(f"the webhook was answered {status}")
        while not cursor.take():
            await cursor.wait()
        return time.perf_counter() - started, len(around.github.requests) - before
