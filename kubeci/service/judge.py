"""Ask policy about a build request, with what has to be looked up for it."""

from __future__ import annotations

from dataclasses import replace

from kubeci.model.build import BuildRequest
from kubeci.model.decision import Allowed
from kubeci.model.repository import Repository
from kubeci.model.source import CommitSource
from kubeci.model.trace import StepKind
from kubeci.model.trust import Answer, Person, What, Who
from kubeci.policy.branches import BuildRules
from kubeci.policy.decide import NON_LOCAL, OF_TRUST, Decision, Rules, decide, is_foreign, row_of
from kubeci.policy.trust import Standing, distinguishes, judge, with_overrides
from kubeci.ports import People
from kubeci.settings.config import Config
from kubeci.tracing import note

_OWN = frozenset({What.PULL_REQUEST, What.FORK})
"""Rows whose actor is the author of the pull request."""


class Judge:
    """Decides about build requests by the operator's rules."""

    def __init__(self, config: Config, people: People) -> None:
        branches = BuildRules(config.build_branches, build_draft_prs=config.build_draft_prs)
        self._rules = Rules(branches, with_overrides(config.trust))
        self._people = people

    async def decide(self, request: BuildRequest, source: CommitSource) -> Decision:
        """Decide about a request; GitHub is asked about people only where the answer depends on it.

        Fails closed: raises `UpstreamError` when GitHub cannot say, and nothing is built.
        """
        foreign = is_foreign(request, source)
        row = row_of(request, foreign=foreign)
        standing = await self._standing(request, row, foreign=foreign)
        decision = decide(request, source, standing, self._rules)
        note(StepKind.DECIDED, _told(decision, row))
        return decision

    async def may(self, what: What, actor: Person, repository: Repository) -> bool:
        """Say whether a row of the trust table lets somebody do something at once; fails closed as `decide` does."""
        standing = await self._of_person(what, actor, repository)
        verdict = judge(self._rules.trust, what, standing)
        note(StepKind.DECIDED, f"{verdict.answer} (row {what} of `trust`): {actor.login}, a {verdict.who}")
        return verdict.answer is Answer.BUILD

    async def _standing(self, request: BuildRequest, row: What, *, foreign: bool) -> Standing:
        if request.actor is None:
            return Standing()
        standing = await self._of_person(row, request.actor, request.commit.repository)
        if standing.bot:
            return standing
        return replace(standing, author=row in _OWN, fork=foreign, first_time=request.first_time)

    async def _of_person(self, row: What, actor: Person, repository: Repository) -> Standing:
        if actor.bot:
            return Standing(bot=True)
        table = self._rules.trust
        write = distinguishes(table, row, Who.WRITER) and await self._people.may_write(
            repository, actor.login
        )
        member = distinguishes(table, row, Who.MEMBER) and await self._people.is_member(
            repository, actor.login
        )
        return Standing(member=member, write=write)


def _told(decision: Decision, row: What) -> str:
    """Say what was decided; the row of the trust table stands there where it had a part in it and the reason names none."""
    of_row = isinstance(decision, Allowed) or decision.reason.startswith(NON_LOCAL)
    how = type(decision).__name__.lower()
    if decision.reason.startswith(OF_TRUST):
        return f"{how} by `trust`: {decision.reason.removeprefix(OF_TRUST)}"
    return f"{how}{f' (row {row} of `trust`)' if of_row else ''}: {decision.reason}"
