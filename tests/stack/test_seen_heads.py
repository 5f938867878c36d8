"""A comment is for the head that its author can have seen, whatever our own clock says."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
import pytest_asyncio
from shared_stacks import Stacks
from talk_kit import PACE, Talk, held
from tests_stack import PASSING

from kubeci.local.github.repositories import push_ref
from kubeci.local.stack import StackSettings
from kubeci.settings.config import Config
from kubeci.settings.pattern import Pattern

SETTINGS = StackSettings(config=Config(build_branches=Pattern("^main$")), engine=False)
OFF = pytest.mark.parametrize("off_seconds", [-120, 120])


@pytest_asyncio.fixture(loop_scope="session")
async def talk(stacks: Stacks) -> Talk:
    scene = await stacks.scene(SETTINGS, PACE)
    scene.stack.github.member(scene.owner, "ada")
    return Talk(scene.stack, scene.repository)


def recorded(talk: Talk, off_seconds: int, sha: str = "") -> None:
    """Have the builds of a commit, or all, be recorded by a clock that is early by so much; negative: it is late."""
    statement = "UPDATE builds SET created_at = created_at + ? WHERE owner = ? AND sha LIKE ?"
    with closing(sqlite3.connect(talk.stack.options.store_url.removeprefix("sqlite:///"))) as store:
        store.execute(statement, (off_seconds, talk.owner, f"{sha}%"))
        store.commit()


@pytest.mark.parametrize(
    ("command", "off_seconds"),
    [("/kube-ci ok-to-test", -120), ("/kube-ci ok-to-test", 120), ("/kube-ci run", -120)],
)
async def test_what_was_pushed_after_the_comment_is_not_built(
    talk: Talk, command: str, off_seconds: int
) -> None:
    await talk.push(PASSING)
    pull, seen = await talk.fork()
    comment = await held(talk, pull, command)
    evil = await talk.push_to_fork({"evil": "1"})
    await talk.until(lambda: talk.runs(evil))
    recorded(talk, off_seconds)
    talk.github.faults.clear()
    await talk.quiet()
    assert (talk.built(seen), talk.built(evil), talk.reactions(comment)) == ([], [], ["confused"])


@OFF
async def test_what_was_there_before_the_comment_is_built(talk: Talk, off_seconds: int) -> None:
    await talk.push(PASSING)
    pull, older = await talk.fork()
    seen = await talk.push_to_fork({"y": "1"})
    await talk.heard()
    recorded(talk, off_seconds)
    comment = await talk.say(pull, "/kube-ci ok-to-test")
    assert (len(talk.built(seen)), talk.built(older), talk.reactions(comment)) == (1, [], ["+1"])


@pytest.mark.parametrize("late_seconds", [0, 3600])
async def test_an_older_head_that_came_back_is_not_built(talk: Talk, late_seconds: int) -> None:
    await talk.push(PASSING)
    pull, evil = await talk.fork({"evil": "1"})
    looked_at = await talk.push_to_fork({"harmless": "1"})
    await talk.heard()
    comment = await held(talk, pull, "/kube-ci ok-to-test")
    await moved(talk, "patch", evil)
    recorded(talk, -late_seconds, looked_at)
    talk.github.faults.clear()
    await talk.quiet()
    assert (talk.built(evil), talk.built(looked_at), talk.reactions(comment)) == ([], [], ["confused"])


async def test_a_commit_that_was_shown_on_another_branch_of_the_fork_is_not_built(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, looked_at = await talk.fork()
    talk.github.user = "stranger"
    evil = await talk.github.push(talk.fork_name, {"evil": "1"}, branch="other")
    await talk.github.open_pull_request(talk.repository, head=f"{talk.fork_name}:other")
    await talk.github.push(talk.fork_name, {"z": "1"}, branch="other")
    talk.github.user = "octocat"
    await talk.heard()
    comment = await held(talk, pull, "/kube-ci ok-to-test")
    await moved(talk, "patch", evil)
    talk.github.faults.clear()
    await talk.quiet()
    assert (talk.built(evil), talk.built(looked_at), talk.reactions(comment)) == ([], [], ["confused"])


@pytest.mark.parametrize("said", [None, "2020-01-01T00:00:00"])
async def test_where_github_says_no_time_the_sha_is_asked_for(talk: Talk, said: str | None) -> None:
    await talk.push(PASSING)
    pull, sha = await talk.fork()
    for run in talk.runs(sha):
        run.started_at = said
    comment = await talk.say(pull, "/kube-ci ok-to-test")
    assert (talk.built(sha), talk.reactions(comment)) == ([], ["confused"])


async def moved(talk: Talk, branch: str, sha: str) -> None:
    """Have the stranger force a branch of the fork to a commit."""
    fork = talk.github.state.repository(talk.fork_name)
    await push_ref(fork.path, f"+{sha}", f"refs/heads/{branch}", "stranger")
    await talk.until(lambda: talk.sent("pull_request")[-1].payload["pull_request"]["head"]["sha"] == sha)
