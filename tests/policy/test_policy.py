from __future__ import annotations

import pytest

from kubeci.model.check_run import Conclusion
from kubeci.model.decision import Allowed, Refused
from kubeci.model.repository import Ref, RefType
from kubeci.model.source import PullRequest
from kubeci.policy.branches import BuildRules, may_build
from kubeci.settings.pattern import Pattern


def pull(*, draft: bool = False, base: str = "master", head: str = "acme/widgets") -> PullRequest:
    return PullRequest(1, "title", "https://example.com/pull/1", draft, base, head)


BRANCH = Ref("feature")


@pytest.mark.parametrize(
    ("ref", "pulls", "drafts", "refused"),
    [
        (Ref("master"), [], False, None),
        (Ref("webmaster-x"), [], False, None),
        (BRANCH, [], False, Conclusion.NEUTRAL),
        (Ref(""), [], False, Conclusion.NEUTRAL),
        (Ref("gh-readonly-queue/main/pr-1-abc"), [], False, None),
        (Ref("v1", RefType.TAG), [], False, None),
        (BRANCH, [pull()], False, None),
        (BRANCH, [pull(base="release")], False, Conclusion.ACTION_REQUIRED),
        (BRANCH, [pull(base="release"), pull()], False, None),
        (BRANCH, [pull(draft=True)], False, Conclusion.ACTION_REQUIRED),
        (BRANCH, [pull(draft=True)], True, None),
        (BRANCH, [pull(draft=True), pull()], False, None),
        (Ref("master"), [pull(base="release")], False, Conclusion.ACTION_REQUIRED),
    ],
)
def test_automatic_builds(
    ref: Ref,
    pulls: list[PullRequest],
    drafts: bool,
    refused: Conclusion | None,
) -> None:
    decision = may_build(ref, pulls, BuildRules(Pattern("master"), build_draft_prs=drafts))
    if refused is None:
        assert isinstance(decision, Allowed)
    else:
        assert isinstance(decision, Refused)
        assert decision.conclusion is refused


@pytest.mark.parametrize(
    ("pulls", "text"),
    [
        (
            [pull(base="x")],
            (
                "checks are not automatically run for base branches that do not match `master`, "
                "you can run manually using `/kube-ci run`"
            ),
        ),
        ([pull(draft=True)], "auto checks Draft PRs are disabled, you can run manually using `/kube-ci run`"),
    ],
)
def test_refusals_say_what_people_know(pulls: list[PullRequest], text: str) -> None:
    decision = may_build(BRANCH, pulls, BuildRules(Pattern("master")))
    assert isinstance(decision, Refused)
    assert decision.reason == text
