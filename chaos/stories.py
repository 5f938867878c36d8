"""What people do, from the first event to the last: each story asks for a build or a few, and notes what is due."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

import httpx

from chaos import projects
from chaos.judge import Due
from chaos.ledger import Ledger
from chaos.world import API_TOKEN, REPOSITORIES, World
from kubeci.local.github.repositories import Files
from kubeci.local.github.state import CheckRun

STEP_SECONDS = 1100.0
"""For one thing that a story waits for: longer than a scenario, which would else be left with what nobody cancels."""
LOOK_SECONDS = 0.1
REMARKS = (0, 3, 60)
"""GitHub takes 50 annotations a request."""
SUCCESS = frozenset({"success"})
FAILURE = frozenset({"failure"})
NEUTRAL = frozenset({"neutral"})
CANCELLED = frozenset({"cancelled"})


@dataclass(slots=True)
class Teller:
    """Who acts in one story, on a branch of its own."""

    world: World
    ledger: Ledger
    server: str
    random: Random
    number: int
    kind: str

    @property
    def repository(self) -> str:
        """Give the story's repository."""
        return REPOSITORIES[self.number % len(REPOSITORIES)]

    @property
    def branch(self) -> str:
        """Give the story's branch."""
        return f"{self.kind}-{self.number}"

    async def push(self, files: Files, conclusions: frozenset[str] = SUCCESS, *, remarks: int = 0) -> str:
        """Push a commit whose build is due; gives its sha."""
        files = {**files, "NUMBER": f"{self.number} {self.random.random()}\n"}
        sha = await self.world.github.push(
            self.repository, files, branch=self.branch, message=f"Change {self.number}", base="main"
        )
        self.due(sha, conclusions, remarks=remarks)
        return sha

    def due(
        self,
        sha: str,
        conclusions: frozenset[str],
        name: str = projects.CI,
        *,
        remarks: int = 0,
        workflow: bool = True,
    ) -> None:
        """Note what is due for a commit."""
        self.ledger.ask(Due(self.kind, self.repository, sha, name, conclusions, remarks, workflow))

    def runs(self, sha: str, name: str = projects.CI) -> list[CheckRun]:
        """List the check-runs of a commit, oldest first."""
        return [
            run
            for run in self.world.github.state.runs.values()
            if run.suite.head_sha == sha and run.name == name
        ]

    async def ended(self, sha: str, name: str = projects.CI, *, count: int = 1) -> CheckRun:
        """Wait until so many check-runs ended; gives the newest."""
        await self.until(lambda: self.ledger.ended((self.repository, sha, name)) >= count)
        return self.runs(sha, name)[-1]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition; TimeoutError when it does not come true."""
        async with asyncio.timeout(STEP_SECONDS):
            while not condition():
                await asyncio.sleep(LOOK_SECONDS)


async def push(teller: Teller) -> None:
    """Push a commit that passes."""
    remarks = teller.random.choice(REMARKS)
    await teller.push(projects.passing(remarks), remarks=remarks)


async def failing_push(teller: Teller) -> None:
    """Push a commit that fails."""
    remarks = teller.random.choice(REMARKS)
    await teller.push(projects.failing(remarks), FAILURE, remarks=remarks)


async def pull_request(teller: Teller) -> None:
    """Push and open a pull request at once: several events, one build."""
    await teller.push(projects.passing())
    await teller.world.github.open_pull_request(teller.repository, head=teller.branch)


async def tag(teller: Teller) -> None:
    """Push and tag the commit, which is built for the tag, too."""
    sha = await teller.push(projects.tagged())
    await teller.world.github.tag(teller.repository, f"v{teller.number}", sha)
    teller.due(sha, SUCCESS)


async def comment(teller: Teller) -> None:
    """Ask in a pull request for another run."""
    sha = await teller.push(projects.passing())
    pull = await teller.world.github.open_pull_request(teller.repository, head=teller.branch)
    await teller.ended(sha)
    await teller.world.github.comment(teller.repository, pull.number, "Once more.\n\n/kube-ci run")
    teller.due(sha, SUCCESS)


async def rerun(teller: Teller) -> None:
    """Press Re-run on a failed check-run: its workflow is retried, and gets another check-run."""
    sha = await teller.push(projects.failing(3), FAILURE, remarks=3)
    run = await teller.ended(sha)
    await teller.world.github.rerequest(run.id)
    teller.due(sha, FAILURE, remarks=3, workflow=False)


async def rerun_passed(teller: Teller) -> None:
    """Press Re-run on one that passed: it is built anew."""
    sha = await teller.push(projects.passing())
    run = await teller.ended(sha)
    await teller.world.github.rerequest(run.id)
    teller.due(sha, SUCCESS)


async def api(teller: Teller) -> None:
    """Ask by the API, with a key under which a request may be repeated until it is answered.

    An answer that it could not be done is one, too; then the check-run says so.
    """
    sha = await teller.push(projects.passing())
    await teller.ended(sha)
    owner, _, name = teller.repository.partition("/")
    body = {"org": owner, "repo": name, "ref": teller.branch, "hash": sha, "run": True}
    headers = {"Authorization": f"Bearer {API_TOKEN}", "Idempotency-Key": f"chaos-{teller.number}"}
    async with (
        httpx.AsyncClient(trust_env=False, verify=False, timeout=90) as client,
        asyncio.timeout(STEP_SECONDS),
    ):
        while True:
            answer = await client.post(f"{teller.server}/api/v1/run", json=body, headers=headers)
            if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                break
            await asyncio.sleep(1.0)
    teller.due(sha, SUCCESS if answer.is_success else FAILURE, workflow=answer.is_success)


async def deployment(teller: Teller) -> None:
    """Create a deployment that asks for a run."""
    sha = await teller.push(projects.deploying())
    await teller.ended(sha)
    asks = {"kube_ci": {"run": True}}
    await teller.world.github.deploy(teller.repository, teller.branch, environment="qa", payload=asks)
    teller.due(sha, SUCCESS, projects.DEPLOYMENT)


async def manual(teller: Teller) -> None:
    """Press Run on a manual step."""
    sha = await teller.push(projects.offering())
    teller.due(sha, NEUTRAL, projects.SMOKE, workflow=False)
    offer = await teller.ended(sha, projects.SMOKE)
    await teller.world.github.press(offer.id, "run")
    teller.due(sha, SUCCESS, projects.SMOKE)


async def cancelled(teller: Teller) -> None:
    """Press Cancel on a build that runs."""
    sha = await teller.push(projects.long(), CANCELLED)
    await teller.until(lambda: any(_has(run, "cancel") for run in teller.runs(sha)))
    run = next(run for run in teller.runs(sha) if _has(run, "cancel"))
    await teller.world.github.press(run.id, "cancel")


async def superseded(teller: Teller) -> None:
    """Push again while the branch is being built."""
    sha = await teller.push(projects.long(), CANCELLED)
    await teller.until(lambda: any(run.status == "in_progress" for run in teller.runs(sha)))
    await teller.push(projects.passing())


def _has(run: CheckRun, button: str) -> bool:
    return any(action["identifier"] == button for action in run.actions)


Story: TypeAlias = Callable[[Teller], Awaitable[None]]

STORIES: dict[Story, tuple[int, int]] = {
    push: (1, 10),
    failing_push: (1, 4),
    pull_request: (1, 4),
    tag: (2, 2),
    comment: (2, 2),
    rerun: (1, 3),
    rerun_passed: (2, 2),
    api: (2, 2),
    deployment: (2, 2),
    manual: (2, 2),
    cancelled: (1, 3),
    superseded: (2, 2),
}
"""Each with the builds that it asks for, and how often it is told beside the others."""


def chosen(count: int, random: Random) -> list[Story]:
    """Choose stories that ask for `count` builds together, or one more; of each kind there is one first."""
    stories = list(STORIES)
    weights = [weight for _, weight in STORIES.values()]
    told = stories[:] if count >= sum(builds for builds, _ in STORIES.values()) else []
    while sum(STORIES[story][0] for story in told) < count:
        told += random.choices(stories, weights)
    random.shuffle(told)
    return told
