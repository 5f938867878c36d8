"""Whether the author of a comment can have looked at the head of a fork that is there now: by GitHub's clock alone."""

from __future__ import annotations

from datetime import datetime, timedelta

from kubeci.errors import NotFound
from kubeci.model.build import Build
from kubeci.model.conversation import PullRequestHead
from kubeci.model.repository import Commit, RefType
from kubeci.policy.decide import UNKNOWN_FORK
from kubeci.ports import Builds, Checks
from kubeci.service.commands.asked import Asked, fork_of

BATCH = 200
BATCHES = 25
"""Records that are looked through for another head are at most their product."""
OUR_CLOCKS = timedelta(days=1)
"""Records of one branch are in their order when they are farther apart: clocks of replicas differ, and are set."""
ASKED = 20
"""Check-runs whose times GitHub is asked for, at most; were there more, the sha is to be named."""


async def unseen(pull: PullRequestHead, asked: Asked, builds: Builds, checks: Checks) -> bool:
    """Say whether the author of a comment may have looked at another head of a fork than the one that is there now.

    GitHub does not say when a head was pushed. Of every head of a fork there is a check-run of ours, the refusal that asks:
    begun before the comment was written, both by GitHub's clock, the head could be seen, unless there was a newer one by
    then, from which the branch was pushed back since. The pull request's own time tells nothing, as the comment moves it
    too; our records' times tell nothing, as our clock may be wrong. What is not certain counts as not seen.
    """
    fork = fork_of(pull, asked.repository)
    if not fork:
        return False
    of_commit = await builds.all_of_commit(Commit(asked.repository, pull.head_sha))
    known = [build for build in of_commit if build.check_run_id and _is_head(build, pull, fork)]
    begun = [(build.created_at, await _begun(build, checks)) for build in known[:ASKED]]
    # GitHub gives both in whole seconds, cut: within one second, nobody knows which was first.
    seen = [(ours, at) for ours, at in begun if at and at < asked.post.created_at]
    if not seen:
        return True
    ours, since = min(each[0] for each in seen), min(each[1] for each in seen)
    others = await _other_heads(pull, fork, ours - OUR_CLOCKS, asked, builds)
    if others is None or len(others) > ASKED:
        return True
    for other in others:
        at = await _begun(other, checks)
        if at is None or at >= since:
            return True
    return False


async def _begun(build: Build, checks: Checks) -> datetime | None:
    """Give GitHub's time of a build's check-run; None: there is none."""
    if not build.check_run_id:
        return None
    try:
        return await checks.begun_at(build.commit.repository, build.check_run_id)
    except NotFound:
        return None


async def _other_heads(
    pull: PullRequestHead, fork: str, since: datetime, asked: Asked, builds: Builds
) -> list[Build] | None:
    """List a build of each other head that a fork's branch had since then; None: there are too many records to tell."""
    found: dict[str, Build] = {}
    before: datetime | None = None
    for _ in range(BATCHES):
        batch = await builds.newest(repository=asked.repository.full_name, before=before, limit=BATCH)
        for build in batch:
            if build.created_at <= since:
                return list(found.values())
            if build.commit.sha != pull.head_sha and _may_be_head(build, pull, fork):
                found[build.commit.sha] = build
        if len(batch) < BATCH:
            return list(found.values())
        before = batch[-1].created_at
    return None


def _is_head(build: Build, pull: PullRequestHead, fork: str) -> bool:
    """Say whether a record is certainly of the branch: shown elsewhere, a commit was not seen here."""
    return build.head_repository.lower() == fork.lower() and build.ref.name == pull.head_ref


def _may_be_head(build: Build, pull: PullRequestHead, fork: str) -> bool:
    """Say whether a record may be of the branch: GitHub does not always name the branch of a fork, nor the fork."""
    if build.ref.type is RefType.TAG or build.ref.name not in {pull.head_ref, ""}:
        return False
    of = build.head_repository.lower()
    return of in {fork.lower(), UNKNOWN_FORK.lower()} or not (of or build.ref.name)
