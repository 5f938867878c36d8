"""The files that a build changes, read only when its definition asks for them."""

from __future__ import annotations

from kubeci.errors import Forbidden
from kubeci.model.build import BuildRequest
from kubeci.model.repository import RefType
from kubeci.model.source import CommitSource
from kubeci.model.trust import What
from kubeci.ports import Commits

# One of these stands in every definition that depends on the changed files, or loads what may.
_WORDS = ("changed_files", "runIfChanged", "skipIfOnlyChanged", "://", '"//')


async def changed_files(
    request: BuildRequest, source: CommitSource, commits: Commits
) -> tuple[str, ...] | None:
    """List the files that a commit changes; None: nobody asks, or they cannot be known.

    They count from the merge base with the base branch of each of its pull requests, without one with the default branch, on the
    default branch itself from what stood there before the push.
    """
    if not any(word in text for text in (source.files or {}).values() for word in _WORDS):
        return None
    repository, sha = request.commit.repository, request.commit.sha
    changed: set[str] = set()
    for base in _bases(request, source):
        try:
            files = await commits.changed_files(repository, base, sha) if base else None
        except Forbidden:
            files = None
        if files is None:
            return None
        changed.update(files)
    return tuple(sorted(changed))


def _bases(request: BuildRequest, source: CommitSource) -> list[str]:
    """Give what the changes count from; every base of its pull requests, since one check-run serves them all."""
    if request.ref.type is RefType.TAG:
        return [""]
    bases = {pull.base_sha or pull.base_ref for pull in source.pull_requests}
    if bases:
        return sorted(bases)
    default = str((request.repository_object or {}).get("default_branch") or "")
    if default and request.what is What.PUSH and request.ref.name != default:
        return [default]
    # GitHub writes zeros where nothing stood before.
    return [request.before if request.before.strip("0") else ""]
