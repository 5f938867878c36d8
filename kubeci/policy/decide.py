"""What becomes of a build request: it starts, it asks, or nothing is due (contract, sections 2 and 11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from kubeci.model.build import BuildRequest
from kubeci.model.check_run import Conclusion
from kubeci.model.decision import Allowed, Ignored, Refused
from kubeci.model.repository import RefType, Repository
from kubeci.model.source import CommitSource
from kubeci.model.trust import Answer, What
from kubeci.policy.branches import MERGE_QUEUE, BuildRules, may_build
from kubeci.policy.skips import Skip, skip_of
from kubeci.policy.trust import Standing, Table, judge

Decision: TypeAlias = Allowed | Refused | Ignored

UNKNOWN_FORK = "(unknown)"
"""Stands for the fork of a commit that GitHub does not name, or that is gone."""

OF_TRUST = "trust: "
"""How the reason begins of what the trust table alone decided."""
NON_LOCAL = "refusing to build non-local PR, org members can run them manually using `/kube-ci run`"
WAYS_OUT = (
    "; whoever may write to the repository can press Run on the check-run. To let its automatic build happen once, by the "
    "usual rules for branches, drafts and paths, comment `/kube-ci ok-to-test`; it stays restricted as every fork's"
)


@dataclass(frozen=True, slots=True)
class Rules:
    """The operator's settings that decide about builds."""

    branches: BuildRules
    trust: Table


def is_foreign(request: BuildRequest, source: CommitSource) -> bool:
    """Say whether a commit comes from another repository: its own request says so, or a pull request that it heads.

    What a tag or the merge queue stands on is in this repository, whoever opens a pull request with the same commit.
    """
    if request.head_repository:
        return True
    if request.ref.type is RefType.TAG or request.ref.name.startswith(MERGE_QUEUE):
        return False
    here = request.commit.repository.full_name.lower()
    return any(pull.head_repository.lower() != here for pull in source.pull_requests)


def head_of(source: CommitSource, repository: Repository) -> str:
    """Give the fork `owner/name` that a pull request brings the commit from; a stand-in where GitHub names none."""
    here = repository.full_name.lower()
    foreign = [pull for pull in source.pull_requests if pull.head_repository.lower() != here]
    return next((pull.head_repository for pull in foreign if pull.head_repository), UNKNOWN_FORK)


def row_of(request: BuildRequest, *, foreign: bool) -> What:
    """Give the row of the trust table that a request is judged by."""
    if not foreign:
        return request.what
    # With `ok-to-test` somebody answers for the automatic build of a stranger's commit.
    if request.automatic and request.what is not What.COMMAND:
        return What.FORK
    return What.RERUN_FORK if request.what is What.RERUN else request.what


def decide(request: BuildRequest, source: CommitSource, standing: Standing, rules: Rules) -> Decision:
    """Decide about a request before anything of its commit is evaluated; `standing` is that of who asks."""
    # Whoever titles a pull request must not stop the queue that it stands in.
    if request.automatic and not request.ref.name.startswith(MERGE_QUEUE):
        skip = skip_of(source.message)
        if skip is Skip.CHECKS:
            return Ignored("the commit says `skip-checks: true`")
        if skip is Skip.CI:
            return Refused("the commit's message says that CI is to be skipped", Conclusion.NEUTRAL)
    row = row_of(request, foreign=is_foreign(request, source))
    verdict = judge(rules.trust, row, standing)
    if verdict.answer is Answer.IGNORE:
        return Ignored(f"{OF_TRUST}{row} by a {verdict.who} is ignored")
    if verdict.answer is Answer.ASK:
        return Refused(NON_LOCAL + WAYS_OUT, Conclusion.ACTION_REQUIRED, ask=True)
    if not request.automatic:
        return Allowed(f"{OF_TRUST}{row} by a {verdict.who}")
    return may_build(request.ref, source.pull_requests, rules.branches)
