"""Two hundred builds at once."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from audited import audit_size, requests_of
from given_cluster import RealCluster
from played import DEFINITION, PASSING
from real_scene import RealScene, real_scene
from served_process import serve

pytestmark = pytest.mark.cluster

BUILDS = 200
WRITES_A_BUILD = 3
"""Queued, in progress, the end; fewer where a build had ended before it was looked at."""


@pytest.fixture
async def ci(real_cluster: RealCluster, tmp_path: Path) -> AsyncIterator[RealScene]:
    async with real_scene(real_cluster, tmp_path) as scene:
        scene.patience_seconds = 150.0
        yield scene


@dataclass(frozen=True, slots=True)
class Figures:
    """What was used up to a moment."""

    seconds: float
    megabytes: float
    github: int
    audit: int


def figures(ci: RealScene, pid: int) -> Figures:
    [line] = [each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmRSS" in each]
    megabytes = int(line.split()[1]) / 1024
    place = ci.place
    return Figures(time.monotonic(), megabytes, len(place.github.requests), audit_size(place.cluster))


async def push_branches(ci: RealScene, count: int) -> list[str]:
    """Push so many branches in one push, a commit each; gives the commits."""
    [repository] = ci.place.github.state.repositories.values()
    definition = PASSING[DEFINITION]
    commits = "".join(
        f"commit refs/heads/b{number}\ncommitter a <a@b> {1_700_000_000 + number} +0000\ndata 1\nx\n"
        f"M 100644 inline {DEFINITION}\ndata {len(definition)}\n{definition}\n"
        for number in range(count)
    )
    work = repository.path.parent / "work"
    await git("init", "--quiet", "--bare", str(work))
    await git("-C", str(work), "fast-import", "--quiet", given=commits)
    await git("-C", str(work), "push", "--quiet", str(repository.path), "refs/heads/*:refs/heads/*")
    return (await git("-C", str(work), "for-each-ref", "--format=%(objectname)")).split()


async def git(*arguments: str, given: str = "") -> str:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        "git", *arguments, stdin=pipe, stdout=pipe, stderr=pipe, env={**os.environ, "NO_PROXY": "127.0.0.1"}
    )
    out, errors = await process.communicate(given.encode())
    assert process.returncode == 0, errors.decode()
    return out.decode()


def report(ci: RealScene, before: Figures, submitted: Figures, after: Figures) -> str:
    requests = list(ci.place.github.requests)[before.github :]
    github = Counter(f"{each.method} {kind(each.path)}" for each in requests)
    lines = [
        f"{BUILDS} builds at once",
        f"  all submitted {submitted.seconds - before.seconds:.1f} s after the push",
        f"  all concluded {after.seconds - before.seconds:.1f} s after the push",
        f"  GitHub: {github.total()} requests: {dict(github)}",
        f"  memory of the server: {before.megabytes:.0f} MB, afterwards {after.megabytes:.0f} MB",
    ]
    if ci.place.cluster.plane:
        cluster = Counter(
            f"{each.right.verb} {each.right.resource}" for each in requests_of(ci.place.cluster, before.audit)
        )
        lines.append(f"  Kubernetes: {cluster.total()} requests: {dict(cluster)}")
    return "\n".join(lines)


def kind(path: str) -> str:
    return "check-runs" if "/check-runs" in path else path.rpartition("/")[2]


async def test_two_hundred_builds_at_once(
    ci: RealScene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = f'buildBranches: "."\nmanagedBy: {ci.place.config.managed_by}\n'
    async with serve(ci.place, tmp_path, settings) as process:
        # One build first: what the process holds by then, it holds for good.
        await ci.concluded(await ci.push(PASSING))
        await ci.quiet()
        before = figures(ci, process.pid)
        commits = await push_branches(ci, BUILDS)
        await ci.until(lambda: len(ci.stored("SELECT 1 FROM builds WHERE workflow_uid != ''")) > BUILDS)
        submitted = figures(ci, process.pid)
        for sha in commits:
            await ci.concluded(sha)
        after = figures(ci, process.pid)
        await ci.quiet()
        await ci.until(lambda: not ci.stored("SELECT 1 FROM builds WHERE state != 'finished'"))
    with capsys.disabled():
        print(f"\n{report(ci, before, submitted, after)}")  # noqa: T201 - the figures are what this test is for
    assert len(set(commits)) == BUILDS
    assert Counter(run.conclusion for sha in commits for run in ci.runs(sha)) == {"success": BUILDS}
    assert len(await ci.workflows()) == BUILDS + 1
    requests = list(ci.place.github.requests)[before.github :]
    writes = [each for each in requests if "/check-runs" in each.path and each.method != "GET"]
    assert sum(each.method == "POST" for each in writes) == BUILDS
    assert len(writes) <= WRITES_A_BUILD * BUILDS
    reads = [each for each in requests if each not in writes]
    assert len(reads) <= BUILDS + 10, "a read a build, and tokens"
