"""Some of the worst, pushed to a GitHub: the server as a process of its own concludes them, goes on, and does not grow."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from attack import Attack, Verdict
from corpus import CORPUS
from github_scene import PASSING, GitHubScene, Place
from served_process import serve

from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.stack import StackSettings, Surroundings, surroundings
from kubeci.report.errors import DEFAULT_NAME

SETTINGS = 'buildBranches: "."\nworkflowPolicy: restricted\n'
WORST = {
    "memory": ["a string that doubles"],
    "time": ["loops in loops"],
    "output": ["an error of 10 MB", "an error that commands a terminal"],
    "depth": ["a long sum"],
    "modules": ["the password file", "the metadata of the cloud"],
    "yaml bombs": ["a billion laughs"],
    "strangers": ["the node's disk"],
    "sizes": ["a spec that is text", "globs without end"],
}
MAX_GROWTH = 64 << 20


@dataclass
class Scene(GitHubScene):
    around: Surroundings
    patience_seconds = 60.0

    @property
    def place(self) -> Place:
        return self.around


def worst() -> Iterator[Attack]:
    for family, names in WORST.items():
        by_name = {attack.name: attack for attack in CORPUS[family]}
        yield from (by_name[name] for name in names)


def held(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_the_server_outlives_the_worst(tmp_path: Path) -> None:
    async with (
        surroundings(tmp_path, StackSettings(engine=False)) as around,
        serve(around, tmp_path, SETTINGS) as process,
    ):
        scene = Scene(around)
        await around.github.create_repository("acme/widgets")
        first = await scene.push(PASSING)
        await scene.until(lambda: scene.runs(first))
        before = held(process.pid)
        attacks = list(worst())
        assert all(attack.verdict is Verdict.REFUSED for attack in attacks)
        ended = await asyncio.gather(*(_pushed(scene, each, at) for at, each in enumerate(attacks)))
        assert [each for each in ended if each] == []
        last = await scene.push(PASSING | {"README.md": "x"})
        [run] = await scene.until(lambda: scene.runs(last))
        assert run.name == "Workflow - ci"
        await scene.quiet()
        assert held(process.pid) - before < MAX_GROWTH
        assert process.returncode is None
        assert len(around.cluster.objects.list(WORKFLOWS, None)) == 2


async def _pushed(scene: Scene, attack: Attack, number: int) -> str:
    """Push an attack; says what is wrong with how it ended."""
    files: dict[str, str | None] = {".kube-ci/ci.yaml": None}
    files |= {f".kube-ci/{path}": text for path, text in attack.files.items()}
    sha = await scene.push(files, branch=f"attack-{number}", message=attack.name)
    run = await scene.concluded(sha)
    summary = str(run.output["summary"])
    if (run.name, run.conclusion) != (DEFAULT_NAME, "failure"):
        return f"{attack.name}: {run.name} {run.conclusion}"
    if "ci." not in summary or any(character in summary for character in "\x1b\u202e\x00"):
        return f"{attack.name}: {summary[:300]}"
    return ""
