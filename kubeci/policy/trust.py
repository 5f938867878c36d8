"""Whose events build, whose ask first, and whose are ignored: a table, so that it can be read, shown and changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from kubeci.model.trust import Answer, What, Who

Row: TypeAlias = Mapping[Who, Answer]
Table: TypeAlias = Mapping[What, Row]

_PERMISSIVE = (Answer.BUILD, Answer.ASK, Answer.IGNORE)
_ANYBODY = dict.fromkeys(Who, Answer.BUILD)
_WRITERS = dict.fromkeys(Who, Answer.IGNORE) | {Who.WRITER: Answer.BUILD}

DEFAULT: Table = {
    What.PUSH: _ANYBODY,
    What.TAG: _ANYBODY,
    What.MERGE_QUEUE: _ANYBODY,
    # Whoever opened it, its commits were pushed by somebody who may write.
    What.PULL_REQUEST: _ANYBODY,
    # Members too: it is the commit that is strange, and a reviewer who presses Run has looked at it.
    What.FORK: dict.fromkeys(Who, Answer.ASK),
    What.RERUN: _ANYBODY,
    What.RERUN_FORK: _WRITERS,
    What.RUN: _WRITERS,
    What.SKIP: _WRITERS,
    What.SKIP_ESSENTIAL: _WRITERS,
    What.CANCEL: _WRITERS,
    What.CLEAR_CACHE: _WRITERS,
    # A user's repository has no members: there, who may write gives the commands.
    What.COMMAND: _WRITERS | {Who.MEMBER: Answer.BUILD},
    What.DEPLOYMENT: _ANYBODY,
    # Their own tables in the settings have let them in.
    What.SLACK: _ANYBODY,
    What.API: _ANYBODY,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of who did something."""

    bot: bool = False
    member: bool = False
    write: bool = False
    author: bool = False
    """Of the pull request in question."""
    fork: bool = False
    """The pull request comes from a fork."""
    first_time: bool = False

    def columns(self) -> tuple[Who, ...]:
        """Give the columns that apply."""
        if self.bot:
            return (Who.BOT,)
        applying = {
            Who.MEMBER: self.member,
            Who.WRITER: self.write,
            Who.AUTHOR: self.author and not self.fork,
            Who.FORK_AUTHOR: self.author and self.fork and not self.first_time,
            Who.FIRST_TIMER: self.author and self.first_time,
        }
        return tuple(who for who, applies in applying.items() if applies) or (Who.STRANGER,)


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer, and the column that gave it."""

    answer: Answer
    who: Who


def judge(table: Table, what: What, standing: Standing) -> Verdict:
    """Answer an event by the most permissive column that applies; what the table does not name is ignored."""
    row = table.get(what, {})
    verdicts = [Verdict(row.get(who, Answer.IGNORE), who) for who in standing.columns()]
    return min(verdicts, key=lambda verdict: _PERMISSIVE.index(verdict.answer))


def distinguishes(table: Table, what: What, who: Who) -> bool:
    """Say whether being `who` can change the answer of a row, so that it is worth a request to find out."""
    row = table.get(what, {})
    mine = _PERMISSIVE.index(row.get(who, Answer.IGNORE))
    return any(mine < _PERMISSIVE.index(row.get(other, Answer.IGNORE)) for other in Who)


def with_overrides(overrides: Mapping[What, Mapping[Who, Answer]]) -> Table:
    """Give the default table with an operator's answers in place of some."""
    return {what: {**row, **overrides.get(what, {})} for what, row in DEFAULT.items()}
