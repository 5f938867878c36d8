from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.model.build import Build
from kubeci.model.conversation import Post, PullRequestHead
from kubeci.model.event import CommentEvent
from kubeci.model.repository import Commit, Ref, Repository
from kubeci.model.trust import Person
from kubeci.policy.commands import Command, Malformed, parse_commands
from kubeci.report.markdown import code
from kubeci.service.answer import Answer, refused
from kubeci.service.commands.asked import Asked, fork_of, unseen
from kubeci.service.commands.deploy import Target, read_target
from kubeci.service.commands.reply import reply_to
from kubeci.service.commands.verbs import unknown
from kubeci.settings.config import Config, TemplateFiles
from kubeci.store.builds import SqlBuilds
from kubeci.store.database import database

HERE = Repository("acme", "widgets", 1)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SHA = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
PULL = PullRequestHead(7, "Mine", "", True, False, SHA, "patch", "stranger/widgets", "main", "b" * 40, NOON)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ("", Target("staging", "")),
        ("production", Target("production", "")),
        ("production --template x", Target("production", "x")),
        ("--template x production", Target("production", "x")),
        ("--template=x", Target("staging", "x")),
        ("a b", None),
        ("--template", None),
        ("--template=", None),
        ("--template x --template y", None),
        ("--force", None),
    ],
)
def test_what_deploy_is_given(args: str, expected: Target | None) -> None:
    assert read_target(tuple(args.split())) == expected


@pytest.mark.parametrize(
    ("answers", "summary"),
    [
        ([Answer("x", shown=True)], "done"),
        ([Answer("x")], "done: `/kube-ci run`: x"),
        ([refused("no")], "refused: `/kube-ci run`: no"),
    ],
)
def test_what_the_delivery_says_of_an_answer(answers: list[Answer], summary: str) -> None:
    assert reply_to([Command("run", (), "/kube-ci run")], answers).summary == summary


def test_an_empty_environment_is_none() -> None:
    assert read_target(("",)) is None


@pytest.mark.parametrize(
    ("head", "known_since", "expected"),
    [
        ("stranger/widgets", -1, False),
        ("stranger/widgets", 0, True),
        ("stranger/widgets", 1, True),
        ("stranger/widgets", None, True),
        ("", -1, False),
        ("", 1, True),
        ("Acme/Widgets", None, False),
    ],
)
async def test_which_heads_a_comment_has_not_seen(
    tmp_path: Path, head: str, known_since: int | None, expected: bool
) -> None:
    post = Post(HERE, 7, 1, "", NOON, on_pull_request=True)
    asked = Asked(CommentEvent(post, "", Person("ada"), {}), Command("run", (), ""), "1:0", NOON)
    pull = dataclasses.replace(PULL, head_repository=head)
    async with database(f"sqlite:///{tmp_path}/kubeci.db") as stored:
        builds = SqlBuilds(stored)
        if known_since is not None:
            at = NOON + timedelta(seconds=known_since)
            commit = Commit(HERE, pull.head_sha)
            await builds.add(Build("a", commit, Ref("x"), "", "Default Workflow", "argo", "x", created_at=at))
        assert await unseen(pull, asked, builds) is expected
    assert bool(fork_of(pull, HERE)) is (head.lower() != "acme/widgets")


OTHER = "f" * 40


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], False),
        ([(OTHER, "patch", "stranger/widgets", -20)], False),  # before it
        ([(OTHER, "patch", "stranger/widgets", -5)], True),  # the newest when the comment was written
        ([(OTHER, "", "stranger/widgets", -5)], True),  # GitHub named no branch
        ([(OTHER, "patch", "stranger/widgets", 0.5)], True),  # in the comment's second
        ([(OTHER, "patch", "stranger/widgets", 5)], False),  # after the comment
        ([(OTHER, "patch", "other/widgets", -5), (OTHER, "elsewhere", "stranger/widgets", -5)], False),
        ([(OTHER, "patch", "", -5)], False),  # ours
        ([(SHA, "patch", "stranger/widgets", -5)], False),  # itself, built once more
        ([(f"{n:040x}", "x", "", -9 + n / 1000) for n in range(450)], False),
        (
            [
                *((f"{n:040x}", "x", "", -8 + n / 1000) for n in range(450)),
                (OTHER, "patch", "stranger/widgets", -9),
            ],
            True,
        ),
    ],
)
async def test_a_head_that_was_pushed_back_to_is_unseen(
    tmp_path: Path, others: list[tuple[str, str, str, float]], expected: bool
) -> None:
    post = Post(HERE, 7, 1, "", NOON, on_pull_request=True)
    asked = Asked(CommentEvent(post, "", Person("ada"), {}), Command("run", (), ""), "1:0", NOON)
    async with database(f"sqlite:///{tmp_path}/kubeci.db") as stored:
        builds = SqlBuilds(stored)
        heads = [(SHA, "patch", "stranger/widgets", -10.0), *others]
        for number, (sha, branch, fork, seconds) in enumerate(heads):
            build = Build(
                str(number),
                Commit(HERE, sha),
                Ref(branch),
                "",
                "Default Workflow",
                "argo",
                str(number),
                created_at=NOON + timedelta(seconds=seconds),
                head_repository=fork,
            )
            await builds.add(build)
        assert await unseen(PULL, asked, builds) is expected


def test_a_request_builds_the_head_under_an_id_of_its_own() -> None:
    post = Post(HERE, 7, 1, "", NOON, on_pull_request=True)
    event = CommentEvent(post, "", Person("ada"), {"repository": {"default_branch": "main"}})
    asked = [Asked(event, Command("run", (), ""), wish, NOON) for wish in ("1:0", "1:0", "1:1", "2:0")]
    requests = [each.request(PULL) for each in asked] + [asked[0].request(PULL, "part")]
    assert len({each.id for each in requests}) == 4
    assert {(each.commit.sha, each.head_repository, each.automatic) for each in requests} == {
        (SHA, "stranger/widgets", False)
    }


@pytest.mark.parametrize(
    ("answers", "reaction", "written"),
    [
        ([Answer("a", shown=True)], "+1", False),
        ([Answer("a")], "+1", True),
        ([refused("a")], "confused", True),
        ([Answer("a", shown=True), Answer("b", shown=True)], "+1", False),
        ([Answer("a", shown=True), refused("b")], "confused", True),
    ],
)
def test_when_there_is_something_to_say(answers: list[Answer], reaction: str, written: bool) -> None:
    reply = reply_to([Command("run", (), "/kube-ci run")] * len(answers), answers)
    assert (reply.reaction, bool(reply.text)) == (reaction, written)


hostile = st.text(
    st.sampled_from(list("/kube-ci run@adaX`~<>!-#*[]()\n\r\t \\\"'&")), max_size=60
) | st.sampled_from(["/kube-ci run", "\n/kube-ci run", "```\n/kube-ci run", "@ada", "<!-- x", "`` @ada ``"])


@given(st.lists(hostile, min_size=1, max_size=3))
def test_no_answer_is_a_command_or_calls_anybody(texts: list[str]) -> None:
    config = Config(templates={text: TemplateFiles(text) for text in texts})
    lines = [Malformed(text, "") for text in texts]
    reply = reply_to(lines, [unknown(text, config) for text in texts])
    assert parse_commands(reply.text) == ()
    assert "@" not in re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", reply.text)


@given(hostile)
def test_what_is_quoted_stays_in_its_line(text: str) -> None:
    assert "\n" not in code(text)
