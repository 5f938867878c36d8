"""What the pages of pull requests show, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from kubeci.local.github import git
from kubeci.local.github.changes import STATUSES
from kubeci.local.github.memberships import association, may_write, role_of
from kubeci.local.github.pull_payloads import PASSING, required_outcomes
from kubeci.local.github.pulls import PullNode, merged_tree
from kubeci.local.github.state import Account, PullRequest, State
from kubeci.local.github.views import Row, RunRow, row, run_rows


@dataclass(frozen=True, slots=True)
class PullRow:
    """A pull request in a list, with the checks of its head."""

    pull: PullRequest
    standing: str
    checks: Row | None


def standing(pull: PullRequest) -> str:
    """Give the one word that a pull request's badge shows."""
    if pull.merged_at is not None:
        return "merged"
    if pull.state == "closed":
        return "closed"
    return "queued" if pull.group is not None else "draft" if pull.draft else "open"


async def pull_row(state: State, pull: PullRequest) -> PullRow:
    """Sum up a pull request."""
    commits = await (await PullNode.read(pull)).commits()
    return PullRow(pull, standing(pull), row(state, pull.base, commits[-1]) if commits else None)


@dataclass(frozen=True, slots=True)
class Check:
    """A line of the merge box: a check-run, or a required check that never came."""

    name: str
    outcome: str
    required: bool
    run: RunRow | None


@dataclass(frozen=True, slots=True)
class MergeBox:
    """Whether GitHub lets a pull request be merged, and the checks that say so."""

    checks: list[Check]
    conflicts: bool
    draft: bool

    @property
    def blocking(self) -> list[Check]:
        """Give the required checks that do not pass."""
        return [check for check in self.checks if check.required and check.outcome not in PASSING]

    @property
    def open(self) -> bool:
        """Say whether nothing stands in the way."""
        return not (self.blocking or self.conflicts or self.draft)


async def merge_box(state: State, read: PullNode) -> MergeBox:
    """Judge a pull request as GitHub does: required checks, conflicts, draft."""
    suite = state.suite_of(read.pull.base, read.head_sha)
    runs = {each.run.name: each for each in run_rows(state, suite)} if suite else {}
    required = required_outcomes(state, read) if read.pull.state == "open" else {}
    checks = [
        Check(name, runs[name].outcome if name in runs else "", name in required, runs.get(name))
        for name in sorted({*runs, *required}, key=lambda name: (name not in required, name))
    ]
    conflicts = await merged_tree(read.pull.base.path, read.base_sha, read.head_sha) is None
    return MergeBox(checks, conflicts, read.pull.draft)


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A changed file in a list."""

    path: str
    status: str
    previous: str | None
    additions: int
    deletions: int


@dataclass(frozen=True, slots=True)
class PullView:
    """A pull request's page."""

    pull: PullRequest
    standing: str
    association: str
    rows: list[Row]
    files: list[ChangedFile]
    box: MergeBox
    merger: bool  # whether who looks may merge
    role: str

    @property
    def head_gone(self) -> bool:
        """Say whether the head's repository was deleted."""
        return self.pull.head.deleted


async def pull_view(state: State, pull: PullRequest, looking: Account) -> PullView:
    """Read what the page of a pull request shows to somebody."""
    read = await PullNode.read(pull)
    commits = [] if git.ZERO in {read.base_sha, read.head_sha} else await read.commits()
    return PullView(
        pull,
        standing(pull),
        await association(state, pull),
        [row(state, pull.base, commit) for commit in commits],
        [
            ChangedFile(file.path, STATUSES[file.status], file.previous, file.additions, file.deletions)
            for file in await read.files()
        ],
        await merge_box(state, read),
        may_write(state, pull.base, looking),
        role_of(state, pull.base, looking),
    )
