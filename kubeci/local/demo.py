"""The main job on one machine: examples are pushed, and what follows is told as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kubeci.local.examples import Example, differences, load_example
from kubeci.local.github.state import CheckRun
from kubeci.local.narrator import Narrator
from kubeci.local.stack import LocalStack, StackSettings, local_stack

REPOSITORY = "demo/words"
PUSHES = (("main", "matrix", "Count words"), ("long-lines", "failing", "Explain more in the docstring"))
"""What is pushed: branch, example project, commit message."""
TIMEOUT_SECONDS = 120.0
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Pushed:
    """An example that was pushed as a commit."""

    branch: str
    example: Example
    sha: str


async def demo(folder: Path, narrator: Narrator, *, port: int = 0, once: bool = False) -> bool:
    """Run the demo in `folder`; gives whether every check-run ended as its example says.

    With `once` it returns then, otherwise it goes on until it is cancelled. Raises `TimeoutError` when the
    check-runs do not end in two minutes.
    """
    async with local_stack(folder, StackSettings(port=port)) as stack:
        narrator.started(stack)
        telling = asyncio.create_task(_tell(stack, narrator))
        try:
            return await _play(stack, narrator, once=once)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)


async def _play(stack: LocalStack, narrator: Narrator, *, once: bool) -> bool:
    await stack.github.create_repository(REPOSITORY)
    pushes = []
    for branch, name, message in PUSHES:
        example = load_example(name)
        sha = await stack.github.push(REPOSITORY, example.files, branch=branch, message=message)
        pushes.append(Pushed(branch, example, sha))
        narrator.pushed(REPOSITORY, branch, sha, name)
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not all(_ended(stack, pushed) for pushed in pushes):  # noqa: ASYNC110 - it is GitHub's state that we wait for
            await asyncio.sleep(LOOK_SECONDS)
    await asyncio.sleep(LOOK_SECONDS * 2)  # for the last changes to be told
    fine = True
    for pushed in pushes:
        runs = _runs(stack, pushed)
        wrong = differences(pushed.example.expected, runs)
        narrator.judged(pushed.branch, pushed.example, runs.values(), wrong)
        fine = fine and not wrong
    narrator.pages(stack, REPOSITORY, [(pushed.branch, pushed.sha) for pushed in pushes])
    if not once:
        narrator.waiting(stack, REPOSITORY)
        await asyncio.Event().wait()
    return fine


async def _tell(stack: LocalStack, narrator: Narrator) -> None:
    while True:
        narrator.look(stack)
        await asyncio.sleep(LOOK_SECONDS)


def _runs(stack: LocalStack, pushed: Pushed) -> Mapping[str, CheckRun]:
    runs = stack.github.state.runs.values()
    return {run.name: run for run in runs if run.suite.head_sha == pushed.sha}


def _ended(stack: LocalStack, pushed: Pushed) -> bool:
    runs = _runs(stack, pushed)
    return bool(runs) and all(run.status == "completed" for run in runs.values())
