"""The main job on one machine: examples are pushed, and what follows is told as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kubeci.local.examples import Expected, differences, load_example
from kubeci.local.github.repositories import Files
from kubeci.local.github.state import CheckRun
from kubeci.local.kept import keep_settings
from kubeci.local.narrator import Narrator
from kubeci.local.stack import LocalStack, StackSettings, local_stack

REPOSITORY = "demo/words"
STRANGER = "stranger"
PATCHED = '''\
"""Count words, each once."""

from collections import Counter


def most_frequent(text, count):
    """Give the most frequent words of a text, with how often each stands there."""
    counted = Counter(text.split())
    return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:count]
'''
TIMEOUT_SECONDS = 120.0
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Change:
    """A commit to push, with a pull request where it has a title."""

    branch: str
    message: str
    says: str
    """Where it is said how its check-runs end."""
    files: Files
    expected: Mapping[str, Expected]
    pull_request: str = ""
    by: str = ""
    """The owner of the fork that it comes from; empty: the repository itself."""
    runs: str = ""
    """The manual step that somebody runs once it is offered."""


def changes() -> tuple[Change, ...]:
    """Give what the demo pushes, in order.

    A success, a failure, one that deploys, keeps a cache and offers a manual step, one that is skipped, and one that has to ask.
    """
    matrix, failing, release = load_example("matrix"), load_example("failing"), load_example("release")
    readme = {"README.md": "# words\n\nCounts words.\n"}
    patch = {"words.py": PATCHED}
    return (
        Change("main", "Count words", "examples/matrix", matrix.files, matrix.expected),
        Change(
            "long-lines",
            "Explain more in the docstring",
            "examples/failing",
            failing.files,
            failing.expected,
            "Explain more",
        ),
        Change(
            "release",
            "Package, deploy and publish",
            "examples/release",
            release.files,
            {**release.expected, "Workflow - publish": Expected("success")},
            "Release it",
            runs="publish",
        ),
        Change(
            "readme",
            "Say what it is",
            "its path rule",
            readme,
            {"Workflow - ci": Expected("skipped")},
            "Add a README",
        ),
        Change(
            "patch",
            "Count better",
            "the trust table",
            patch,
            {"Default Workflow": Expected("action_required")},
            "Count better",
            STRANGER,
        ),
    )


@dataclass(frozen=True, slots=True)
class Pushed:
    """A change that was pushed as a commit."""

    change: Change
    sha: str


async def demo(
    folder: Path, narrator: Narrator, *, port: int = 0, once: bool = False, keep: bool = False
) -> bool:
    """Run the demo in `folder`; gives whether every check-run ended as its example says.

    With `once` it returns then, otherwise it goes on until it is cancelled. With `keep` the server's settings are written
    into the folder, for the commands that look into the store. Raises `TimeoutError` when the
    check-runs do not end in two minutes.
    """
    async with local_stack(folder, StackSettings(port=port)) as stack:
        narrator.started(stack)
        settings = await asyncio.to_thread(keep_settings, stack, folder) if keep else None
        telling = asyncio.create_task(_tell(stack, narrator))
        try:
            return await _play(stack, narrator, settings, once=once)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)


async def _play(stack: LocalStack, narrator: Narrator, settings: Path | None, *, once: bool) -> bool:
    await stack.github.create_repository(REPOSITORY)
    pushes: list[Pushed] = []
    for change in changes():
        pushes.append(await _push(stack, narrator, change, pushes))
    async with asyncio.timeout(TIMEOUT_SECONDS):
        waiting = [pushed for pushed in pushes if pushed.change.runs]
        while waiting or not all(_ended(stack, pushed) for pushed in pushes):
            waiting = [pushed for pushed in waiting if not await _run_offered(stack, narrator, pushed)]
            await asyncio.sleep(LOOK_SECONDS)
    await asyncio.sleep(LOOK_SECONDS * 2)  # for the last changes to be told
    fine = True
    for pushed in pushes:
        runs = _runs(stack, pushed)
        wrong = differences(pushed.change.expected, runs)
        narrator.judged(pushed.change.branch, pushed.change.says, runs.values(), wrong)
        fine = fine and not wrong
    narrator.pages(stack, REPOSITORY, [(pushed.change.branch, pushed.sha) for pushed in pushes])
    if settings:
        narrator.kept(settings)
    if not once:
        narrator.waiting(stack, REPOSITORY)
        await asyncio.Event().wait()
    return fine


async def _push(stack: LocalStack, narrator: Narrator, change: Change, before: Sequence[Pushed]) -> Pushed:
    """Push a change on top of the first one, and open its pull request."""
    github, repository = stack.github, REPOSITORY
    if change.by:
        repository = (await github.fork(REPOSITORY, change.by)).full_name
        github.user = change.by
    base = before[0].sha if before else None
    sha = await github.push(repository, change.files, branch=change.branch, message=change.message, base=base)
    narrator.pushed(repository, change.branch, sha, change.message)
    if change.pull_request:
        head = f"{repository}:{change.branch}" if change.by else change.branch
        pull = await github.open_pull_request(REPOSITORY, head=head, title=change.pull_request)
        narrator.opened(pull.number, change.pull_request, head)
    github.user = "octocat"
    return Pushed(change, sha)


async def _run_offered(stack: LocalStack, narrator: Narrator, pushed: Pushed) -> bool:
    """Press Run on a manual step as soon as it is offered; gives whether that was done."""
    offer = _runs(stack, pushed).get(f"Workflow - {pushed.change.runs}")
    if offer is None:
        return False
    narrator.pressed(stack.github.user, "Run", offer.name)
    await stack.github.press(offer.id, "run")
    # Its own check-run, which takes the offer's name.
    while _runs(stack, pushed)[offer.name].id == offer.id:  # noqa: ASYNC110 - it is GitHub's state that we wait for
        await asyncio.sleep(LOOK_SECONDS)
    return True


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
