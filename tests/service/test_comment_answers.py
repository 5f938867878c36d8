from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.model.conversation import Post, PullRequestHead
from kubeci.model.event import CommentEvent
from kubeci.model.repository import Repository
from kubeci.model.trust import Person
from kubeci.policy.commands import Command, Malformed, parse_commands
from kubeci.report.markdown import code
from kubeci.service.answer import Answer, refused
from kubeci.service.commands.asked import Asked, fork_of
from kubeci.service.commands.deploy import Target, read_target
from kubeci.service.commands.reply import reply_to
from kubeci.service.commands.verbs import unknown
from kubeci.settings.config import Config, TemplateFiles

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
    ("head", "fork"),
    [("stranger/widgets", "stranger/widgets"), ("", "(unknown)"), ("Acme/Widgets", "")],
)
def test_which_heads_are_of_a_fork(head: str, fork: str) -> None:
    assert fork_of(dataclasses.replace(PULL, head_repository=head), HERE) == fork


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
