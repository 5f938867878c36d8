"""Which branches are built by themselves (contract, section 11).

Builds that a person asked for are judged by who asks, not by these rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kubeci.model.check_run import Conclusion
from kubeci.model.decision import Allowed, Refused
from kubeci.model.repository import Ref, RefType
from kubeci.model.source import PullRequest
from kubeci.settings.pattern import Pattern

WAY_OUT = "you can run manually using `/kube-ci run`"
MERGE_QUEUE = "gh-readonly-queue/"


@dataclass(frozen=True, slots=True)
class BuildRules:
    """The operator's settings that automatic builds obey."""

    build_branches: Pattern
    build_draft_prs: bool = False


def may_build(ref: Ref, pull_requests: Sequence[PullRequest], rules: BuildRules) -> Allowed | Refused:
    """Decide whether a commit is built automatically, before anything of it is evaluated.

    Tags are built when the workflow says `runForTag`, and the merge queue's branches always. A commit that heads open
    pull requests is judged by them, any other by its branch. A refusal with a pull request asks for an action; without
    one nobody waits for it, and it is neutral.
    """
    if ref.type is RefType.TAG:
        return Allowed("tags are built where the workflow says `runForTag`")
    if ref.name.startswith(MERGE_QUEUE):
        return Allowed("branches of the merge queue are always built")
    if pull_requests:
        return _judge_pull_requests(pull_requests, rules)
    if ref.name and rules.build_branches.search(ref.name):
        return Allowed(f"branch `{ref.name}` matches `{rules.build_branches.source}`")
    return Refused(
        f"checks are not automatically run for base branches that do not match `{rules.build_branches.source}`, {WAY_OUT}",
        Conclusion.NEUTRAL,
    )


def _judge_pull_requests(pull_requests: Sequence[PullRequest], rules: BuildRules) -> Allowed | Refused:
    wanted = [pull for pull in pull_requests if rules.build_branches.search(pull.base_ref)]
    if not wanted:
        reason = (
            "checks are not automatically run for base branches that do not match "
            f"`{rules.build_branches.source}`, {WAY_OUT}"
        )
        return Refused(reason, Conclusion.ACTION_REQUIRED, ask=True)
    if not rules.build_draft_prs and all(pull.draft for pull in pull_requests):
        return Refused(f"auto checks Draft PRs are disabled, {WAY_OUT}", Conclusion.ACTION_REQUIRED, ask=True)
    return Allowed(f"pull request #{wanted[0].number} into `{wanted[0].base_ref}`")
