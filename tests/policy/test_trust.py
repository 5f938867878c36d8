from __future__ import annotations

import pytest

from kubeci.model.trust import Answer, What, Who
from kubeci.policy.trust import DEFAULT, Standing, distinguishes, judge, with_overrides

BUILD, ASK, IGNORE = Answer.BUILD, Answer.ASK, Answer.IGNORE
WRITER = Standing(write=True)
MEMBER = Standing(member=True)
FORK_AUTHOR = Standing(author=True, fork=True)
FIRST_TIMER = Standing(author=True, fork=True, first_time=True)
BOT = Standing(bot=True, write=True)
STRANGER = Standing()


@pytest.mark.parametrize(
    ("what", "standing", "answer"),
    [
        (What.PUSH, STRANGER, BUILD),
        (What.TAG, STRANGER, BUILD),
        (What.MERGE_QUEUE, BOT, BUILD),
        (What.PULL_REQUEST, Standing(author=True), BUILD),
        (What.PULL_REQUEST, BOT, BUILD),
        (What.FORK, FORK_AUTHOR, ASK),
        (What.FORK, FIRST_TIMER, ASK),
        (What.FORK, Standing(author=True, fork=True, member=True, write=True), ASK),
        (What.FORK, BOT, ASK),
        (What.RERUN, STRANGER, BUILD),
        (What.RERUN_FORK, WRITER, BUILD),
        (What.RERUN_FORK, MEMBER, IGNORE),
        (What.RERUN_FORK, FORK_AUTHOR, IGNORE),
        (What.RUN, WRITER, BUILD),
        (What.RUN, Standing(member=True, write=True), BUILD),
        (What.RUN, MEMBER, IGNORE),
        (What.RUN, FORK_AUTHOR, IGNORE),
        (What.RUN, BOT, IGNORE),
        (What.RUN, STRANGER, IGNORE),
    ],
)
def test_the_default_table(what: What, standing: Standing, answer: Answer) -> None:
    assert judge(DEFAULT, what, standing).answer is answer


def test_the_table_answers_every_event_for_everybody() -> None:
    assert {(what, who) for what, row in DEFAULT.items() for who in row} == {
        (a, b) for a in What for b in Who
    }


def test_an_operator_may_let_members_forks_build() -> None:
    table = with_overrides({What.FORK: {Who.MEMBER: BUILD, Who.FIRST_TIMER: IGNORE}})
    assert judge(table, What.FORK, Standing(author=True, fork=True, member=True)).answer is BUILD
    assert judge(table, What.FORK, FORK_AUTHOR).answer is ASK
    assert judge(table, What.FORK, FIRST_TIMER).answer is IGNORE


def test_permissions_are_asked_for_only_where_they_matter() -> None:
    assert {what for what in What if distinguishes(DEFAULT, what, Who.WRITER)} == {
        What.RERUN_FORK,
        What.RUN,
        What.SKIP,
        What.SKIP_ESSENTIAL,
        What.CANCEL,
        What.CLEAR_CACHE,
        What.COMMAND,
    }
    assert [what for what in What if distinguishes(DEFAULT, what, Who.MEMBER)] == [What.COMMAND]
