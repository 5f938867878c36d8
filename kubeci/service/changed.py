"""The files that a build changes, read only when its definition asks for them."""

from __future__ import annotations

from kubeci.errors import Forbidden
from kubeci.model.build import BuildRequest
from kubeci.model.repository import RefType
from kubeci.model.source import CommitSource
from kubeci.model.trust import What
from kubeci.ports import Commits

# One of these words stands in every definition that depends on the changed files.
_WORDS = ("changed_files", "runIfChanged", "skipIfOnlyChanged")


async def changed_files(
    request: BuildRequest, source: CommitSource, commits: Commits
) -> tuple[str, ...] | None:
    """List the files that a commit changes; None: nobody asks, or they cannot be known.

    They count from the merge base with the pull request's base branch, without one with the default branch, on the
    default branch itself from what stood there before the push.
    """
    if not any(word in text for text in (source.files or {}).values() for word in _WORDS):
        return None
    base = _base(request, source)
    if not base:
        return None
    try:
        return await commits.changed_files(request.commit.repository, base, request.commit.sha)
    except Forbidden:
        return None


def _base(request: BuildRequest, source: CommitSource) -> str:
    if request.ref.type is RefType.TAG:
        return ""
    bases = [pull.base_sha or pull.base_ref for pull in source.pull_requests]
    if bases:
        return bases[0]
    default = str((request.repository_object or {}).get("default_branch") or "")
    if default and request.what is What.PUSH and request.ref.name != default:
        return default
    # GitHub writes zeros where nothing stood before.
    return request.before if request.before.strip("0") else ""
