"""An installation in which a few things happened, and the commands that an operator asks about them."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog
from click.testing import CliRunner
from github_scene import PASSING, REPOSITORY, GitHubScene

from kubeci.app import Pace, Patience
from kubeci.cli import cli
from kubeci.cluster.list_watch import Timing
from kubeci.errors import ConfigurationError
from kubeci.local.github.faults import Fault
from kubeci.local.stack import LocalStack, StackSettings, Surroundings, surroundings, with_server
from kubeci.settings.config import Config
from kubeci.settings.pattern import Pattern

PUSHES_WAIT = Pace(
    backoff=lambda _: 0.05,
    look_again_seconds=0.1,
    push_wait_seconds=600.0,  # so that check suites come first
    watch=Timing(backoff=0.05, backoff_cap=0.1),
    github=Patience(answer_seconds=2.0, pauses=(0.02,), limit_seconds=0.2),
)
TOKEN = "ghp_" + "0123456789" * 4
STARLARK = f"""
print("found here: {TOKEN}")
print("building", input.ref)
print("\\x1b[31mred\\x1b[0m \\u202e backwards")
workflow = {{
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "spec": {{
        "entrypoint": "ci",
        "templates": [{{"name": "ci", "container": {{"image": "alpine", "command": ["true"]}}}}],
    }},
}}
"""
NOT_ACCESSIBLE = '{"message": "Resource not accessible by integration"}'


@dataclass
class OperatorScene(GitHubScene):
    """The surroundings of a server, what happened there, and files for its options."""

    around: Surroundings
    folder: Path
    shas: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """What stands in golden files for what differs between runs."""

    @property
    def place(self) -> Surroundings:
        return self.around

    def options(self) -> list[str]:
        """Give the server's options as a command line."""
        options = self.around.options
        given = {
            "github.appid": options.app_id,
            "github-url": options.github_url,
            "kubeconfig": options.kubeconfig,
            "store": options.store_url,
            "argo.ui.base": options.argo_ui,
            "config": self.folder / "config.yaml",
            "keyfile": self.folder / "key",
            "secretfile": self.folder / "secret",
        }
        return [f"--{name}={value}" for name, value in given.items()]

    def ended(self, sha: str) -> bool:
        """Say whether a delivery about a commit is done."""
        return bool(self.stored(f"SELECT 1 FROM deliveries WHERE sha = '{sha}' AND state = 'done'"))

    def delivery(self, event: str, sha: str) -> str:
        [[found], *_] = self.stored(f"SELECT id FROM deliveries WHERE event = '{event}' AND sha = '{sha}'")
        return str(found)

    def everywhere_same(self, text: str) -> str:
        """Replace what differs between runs."""
        for found, name in self.names.items():
            text = text.replace(found, name)
        text = re.sub(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "DELIVERY", text)
        text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "YYYY-MM-DD hh:mm:ss", text)
        text = re.sub(r"\b\d\d-\d\d \d\d:\d\d:\d\d", "MM-DD hh:mm:ss", text)
        text = re.sub(r" +\d+\.\d{3}(?=  )", "     0.000", text)
        text = re.sub(r"\b\d+ ms", "N ms", text)
        text = re.sub(r"UTC on \S+", "UTC on REPLICA", text)
        text = re.sub(r"\b[0-9a-f]{12}\b", "BUILDOFDIGEST", text)
        # A hash that ends with dashes has lost them: no label may end so.
        text = re.sub(r"\.x[\w-]{4,8}(?![\w-])", ".xHASHHASH", text)
        text = re.sub(r"(reported +)(once|\d times), last", r"\1N times, last", text)
        text = re.sub(r"(check-run +)\d+", r"\1NUMBER", text)
        text = re.sub(r"127\.0\.0\.1:\d{4,5}", "HOST:PORT", text)
        return re.sub(
            r"  [0-9a-f]{8}  |\b[0-9a-f]{8}\b",
            lambda each: each[0].replace(each[0].strip(), "DELIVERY"),
            text,
        )


@asynccontextmanager
async def installation(folder: Path) -> AsyncIterator[OperatorScene]:
    """Run all but the server; `happened` makes things happen."""
    config = Config(build_branches=Pattern("main|broken"))
    async with surroundings(folder, StackSettings(config=config, argo_server=False)) as around:
        options = around.options
        (folder / "key").write_text(options.private_key)
        (folder / "secret").write_text(options.webhook_secret.decode())
        (folder / "config.yaml").write_text("buildBranches: main|broken\n")
        await around.github.create_repository(REPOSITORY)
        yield OperatorScene(around, folder)


@asynccontextmanager
async def serving(scene: OperatorScene, pace: Pace) -> AsyncIterator[LocalStack]:
    """Run the server until the block ends."""
    async with with_server(scene.around, pace=pace) as server:
        yield server
    scene.around.github.webhook_url = ""


async def happened(scene: OperatorScene) -> None:
    """Build a commit, refuse a stranger's, fail a definition, ignore a push, and set aside what GitHub does not let us do."""
    github = scene.around.github
    async with serving(scene, PUSHES_WAIT):
        built = await scene.push({".kube-ci/ci.star": STARLARK})
        await scene.concluded(built)
        await scene.until(lambda: scene.stored("SELECT id FROM builds WHERE state = 'finished'"))
        await github.fork(REPOSITORY, "stranger")
        github.user = "stranger"
        strange = await github.push("stranger/widgets", {"x": "y"}, branch="patch", message="Mine")
        await github.open_pull_request(REPOSITORY, head="stranger/widgets:patch")
        github.user = "octocat"
        await scene.until(lambda: scene.ended(strange))
        wrong = await scene.push({".kube-ci/ci.star": "workflow = missing\n"}, branch="broken")
        await scene.concluded(wrong)
        await scene.until(lambda: scene.ended(wrong))
    async with serving(scene, replace(PUSHES_WAIT, push_wait_seconds=0.02)):
        ignored = await scene.push({"a": "b"}, message="A change\n\nskip-checks: true")
        await scene.until(lambda: scene.ended(ignored))
    async with serving(scene, PUSHES_WAIT):
        github.faults.add(Fault("POST", "/check-runs$", status=403, body=NOT_ACCESSIBLE))
        parked = await scene.push({**PASSING, ".kube-ci/ci.star": None, "c": "d"}, branch="broken")
        await scene.until(lambda: scene.deliveries("parked"))
        await github.settled()
    scene.shas = {"built": built, "strange": strange, "wrong": wrong, "ignored": ignored, "parked": parked}
    for name, sha in scene.shas.items():
        scene.names |= {
            sha: f"{name.upper()}-SHA",
            sha[:12]: f"{name.upper()}-SHA12",
            sha[:7]: f"{name.upper()}-",
        }


async def kubeci(*given: str, width: int = 100) -> tuple[int, str, str]:
    """Run a command in this process; gives its exit status, what it printed, and its errors."""
    former = structlog.get_config()
    try:
        ran = await asyncio.to_thread(CliRunner().invoke, cli, given, env={"COLUMNS": str(width)})
    finally:
        structlog.configure(**former)
    if isinstance(ran.exception, ConfigurationError):  # which `main` tells
        return 2, ran.stdout, str(ran.exception)
    if ran.exception and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return ran.exit_code, ran.stdout, ran.stderr


async def kubeci_process(*given: str) -> tuple[int, str, str]:
    """Do the same in a process of its own."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "PYTHONPATH") if key in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "kubeci",
        *given,
        env={**kept, "PYTHONUTF8": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, wrong = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode is not None
    return process.returncode, told.decode(), wrong.decode()
