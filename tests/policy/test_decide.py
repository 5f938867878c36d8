from __future__ import annotations

import pytest

from kubeci.model.build import BuildRequest
from kubeci.model.check_run import Conclusion
from kubeci.model.decision import Allowed, Ignored, Refused
from kubeci.model.repository import Commit, Ref, RefType, Repository
from kubeci.model.source import CommitSource, PullRequest
from kubeci.model.trust import Answer, What, Who
from kubeci.policy.branches import BuildRules
from kubeci.policy.decide import NON_LOCAL, WAYS_OUT, Rules, decide
from kubeci.policy.trust import DEFAULT, Standing, with_overrides
from kubeci.settings.pattern import Pattern

COMMIT = Commit(Repository("acme", "widgets", 1), "a" * 40)
RULES = Rules(BuildRules(Pattern("master")), DEFAULT)
STRANGER, WRITER = Standing(), Standing(write=True)


def pull(head: str = "acme/widgets", base: str = "master") -> PullRequest:
    return PullRequest(
        1, "title", "https://example.com/pull/1", draft=False, base_ref=base, head_repository=head
    )


LOCAL, FORK, GONE, OTHER_CASE = pull(), pull("stranger/widgets"), pull(""), pull("Acme/Widgets")
ASKS = Refused(NON_LOCAL + WAYS_OUT, Conclusion.ACTION_REQUIRED, ask=True)


def request(what: What, *, automatic: bool = True, ref: Ref | None = None, fork: str = "") -> BuildRequest:
    return BuildRequest(
        "b", COMMIT, ref or Ref("feature"), automatic=automatic, what=what, head_repository=fork
    )


@pytest.mark.parametrize(
    ("asked", "pulls", "standing", "expected"),
    [
        (request(What.PUSH), [LOCAL], STRANGER, Allowed),
        (request(What.PUSH), [OTHER_CASE], STRANGER, Allowed),
        (request(What.PUSH), [FORK], STRANGER, ASKS),
        (request(What.PUSH), [LOCAL, FORK], STRANGER, ASKS),
        (request(What.PUSH), [GONE], STRANGER, ASKS),
        (request(What.PULL_REQUEST), [LOCAL], STRANGER, Allowed),
        (request(What.FORK, fork="stranger/widgets"), [FORK], STRANGER, ASKS),
        (request(What.FORK, fork="stranger/widgets"), [], WRITER, ASKS),
        (request(What.TAG, ref=Ref("v1", RefType.TAG)), [], STRANGER, Allowed),
        (request(What.MERGE_QUEUE, ref=Ref("gh-readonly-queue/x/pr-1")), [], STRANGER, Allowed),
        # Whoever opens a pull request with the same commit has no say about our tags and queue.
        (request(What.TAG, ref=Ref("v1", RefType.TAG)), [FORK], STRANGER, Allowed),
        (request(What.MERGE_QUEUE, ref=Ref("gh-readonly-queue/x/pr-1")), [FORK], STRANGER, Allowed),
        (request(What.RERUN, automatic=False, ref=Ref("v1", RefType.TAG)), [FORK], STRANGER, Allowed),
        (request(What.RERUN, automatic=False, fork="(unknown)"), [], STRANGER, Ignored),
        (request(What.RERUN, automatic=False), [LOCAL], STRANGER, Allowed),
        (request(What.RERUN, automatic=False), [FORK], STRANGER, Ignored),
        (request(What.RERUN, automatic=False), [FORK], WRITER, Allowed),
        (request(What.RUN, automatic=False), [FORK], STRANGER, Ignored),
        (request(What.RUN, automatic=False), [FORK], WRITER, Allowed),
        (request(What.RUN, automatic=False), [pull(base="other")], WRITER, Allowed),
        (request(What.PUSH), [pull(base="other")], STRANGER, Refused),
        # `ok-to-test`: an automatic build for which a command answers.
        (request(What.COMMAND, fork="stranger/widgets"), [FORK], WRITER, Allowed),
        (request(What.COMMAND, fork="stranger/widgets"), [FORK], Standing(member=True), Allowed),
        (request(What.COMMAND, fork="stranger/widgets"), [FORK], STRANGER, Ignored),
        (request(What.COMMAND, fork="stranger/widgets"), [FORK], Standing(bot=True), Ignored),
        (request(What.COMMAND), [LOCAL], WRITER, Allowed),
        (request(What.COMMAND), [pull(base="other")], WRITER, Refused),
    ],
)
def test_decisions(
    asked: BuildRequest,
    pulls: list[PullRequest],
    standing: Standing,
    expected: Refused | type[Allowed | Ignored],
) -> None:
    decision = decide(asked, CommitSource({}, pull_requests=tuple(pulls)), standing, RULES)
    if isinstance(expected, Refused):
        assert decision == expected
    else:
        assert isinstance(decision, expected)


@pytest.mark.parametrize(
    ("message", "automatic", "expected"),
    [
        ("Fix [skip ci]", True, Refused),
        ("Fix [skip ci]", False, Allowed),
        ("Fix\n\nskip-checks: true", True, Ignored),
        ("Fix\n\nskip-checks: true", False, Allowed),
    ],
)
def test_what_a_message_skips_a_person_may_still_ask_for(
    message: str, automatic: bool, expected: type[Refused | Allowed | Ignored]
) -> None:
    asked = request(What.PUSH if automatic else What.RERUN, automatic=automatic, ref=Ref("master"))
    assert isinstance(decide(asked, CommitSource({}, message), STRANGER, RULES), expected)


def test_a_skipped_commit_never_satisfies_a_required_check_with_a_pull_request_either() -> None:
    decision = decide(request(What.PUSH), CommitSource({}, "[skip ci]", (LOCAL,)), STRANGER, RULES)
    assert isinstance(decision, Refused)
    assert (decision.conclusion, decision.ask) == (Conclusion.NEUTRAL, False)


def test_an_operator_may_let_forks_of_members_build() -> None:
    rules = Rules(RULES.branches, with_overrides({What.FORK: {Who.MEMBER: Answer.BUILD}}))
    member = Standing(author=True, fork=True, member=True)
    asked = request(What.FORK, fork="ada/widgets")
    assert isinstance(
        decide(asked, CommitSource({}, pull_requests=(pull("ada/widgets"),)), member, rules), Allowed
    )


@pytest.mark.parametrize("message", ["Tune the [skip ci] words", "x\n\nskip-checks: true"])
def test_no_title_stops_the_merge_queue(message: str) -> None:
    asked = request(What.MERGE_QUEUE, ref=Ref("gh-readonly-queue/main/pr-1"))
    assert isinstance(decide(asked, CommitSource({}, message), STRANGER, RULES), Allowed)
