"""Requests to GitHub for one workflow of ten steps that ends within a minute."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import yaml

from bench.fakes import Fakes, fakes
from bench.figure import Figure
from bench.server import server
from kubeci.local.github.api import RecordedRequest

TIMED = False  # requests are counted
STEPS = 10
STEP_SECONDS = 3.2  # the workflow then outlives the thirty seconds between two writes of progress


async def measure(folder: Path) -> list[Figure]:
    """Run one build to its end and count what the local GitHub was asked."""
    async with fakes(folder, engine=True) as around, server(around) as target:
        around.github.webhook_url = target.webhook_url
        await around.push({".kube-ci/ci.yaml": yaml.safe_dump(_workflow())})
        await _concluded(around)
        asked = Counter(_kind(request) for request in around.github.requests)
    how = f"first build of a new server, {STEPS} steps of {STEP_SECONDS:g} s one after the other"
    return [
        Figure("GitHub token requests, first build", asked["token"], "", "a token serves for an hour"),
        Figure("GitHub reads a build", asked["read"], "", how),
        Figure("GitHub writes a build", asked["write"], "", f"{how}; the bound is 4"),
    ]


def _workflow() -> dict[str, object]:
    steps = [[{"name": f"step-{number}", "template": "wait"}] for number in range(STEPS)]
    container = {"image": "alpine:3.22", "command": ["sleep", str(STEP_SECONDS)]}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "spec": {
            "entrypoint": "ci",
            "templates": [{"name": "ci", "steps": steps}, {"name": "wait", "container": container}],
        },
    }


async def _concluded(around: Fakes) -> None:
    while not any(run.status == "completed" for run in around.github.state.runs.values()):  # noqa: ASYNC110 - GitHub's state is what we wait for
        await asyncio.sleep(0.05)
    (run,) = around.github.state.runs.values()
    if run.conclusion != "success":
        raise RuntimeError(f"the build ended as {run.conclusion}: {run.output.get('summary')}")


def _kind(request: RecordedRequest) -> str:
    if request.path.endswith("/access_tokens"):
        return "token"
    return "read" if request.method == "GET" or request.path == "/graphql" else "write"
