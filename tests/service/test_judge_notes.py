"""What a trace says of decisions about builds: the row of the trust table stands there only where it decided."""

from __future__ import annotations

import pytest

from kubeci.model.build import BuildRequest
from kubeci.model.repository import Commit, Ref, Repository
from kubeci.model.source import CommitSource
from kubeci.model.trust import Person, What
from kubeci.service.judge import Judge
from kubeci.settings.config import Config
from kubeci.settings.pattern import Pattern
from kubeci.tracing import recording

HERE = Commit(Repository("acme", "widgets", 1), "a" * 40)


class Writers:
    async def is_member(self, repository: Repository, login: str) -> bool:
        return login == repository.owner

    async def may_write(self, repository: Repository, login: str) -> bool:
        return login == "ada" and repository == HERE.repository


@pytest.mark.parametrize(
    ("what", "message", "branch", "begins"),
    [
        (What.PUSH, "", "main", "allowed (row push of `trust`): branch `main` matches"),
        (What.PUSH, "[skip ci]", "main", "refused: the commit's message says"),
        (What.PUSH, "x\n\nskip-checks: true", "main", "ignored: the commit says"),
        (What.PUSH, "", "other", "refused: checks are not automatically run"),
        (What.FORK, "", "main", "refused (row forkPullRequest of `trust`): refusing to build non-local PR"),
        (What.RUN, "", "main", "allowed by `trust`: runButton by a writer"),
    ],
)
async def test_what_a_trace_says(what: What, message: str, branch: str, begins: str) -> None:
    judge = Judge(Config(build_branches=Pattern("^main$")), Writers())
    fork = "stranger/widgets" if what is What.FORK else ""
    request = BuildRequest(
        "1",
        HERE,
        Ref(branch),
        automatic=what is not What.RUN,
        what=what,
        actor=Person("ada"),
        head_repository=fork,
    )
    with recording() as record:
        await judge.decide(request, CommitSource({}, message))
    assert [step.text[: len(begins)] for step in record.steps] == [begins]
