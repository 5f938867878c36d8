"""What a build is made of: the commit's own files, or the base branch's where the commit is a stranger's."""

from __future__ import annotations

from dataclasses import replace

from kubeci.model.build import BuildRequest
from kubeci.model.repository import Commit
from kubeci.model.source import CommitSource
from kubeci.policy.decide import is_foreign
from kubeci.ports import Commits
from kubeci.settings.config import Config


async def read_source(request: BuildRequest, commits: Commits, config: Config) -> CommitSource:
    """Read a commit's source; for a commit of a fork the definition is the base branch's, if the setting says so.

    A fork's commit without an open pull request has no base, and so no definition.
    """
    source = await commits.read(request.commit, config.ci_context_path)
    if not (config.definition_from_base and is_foreign(request, source)):
        return source
    pull = next((pull for pull in source.pull_requests if pull.base_sha), None)
    if pull is None:
        return replace(source, files=None)
    base = await commits.read(Commit(request.commit.repository, pull.base_sha), config.ci_context_path)
    note = f"the definition is that of {pull.base_ref} at {pull.base_sha[:7]}, since the commit comes from a fork"
    return replace(source, files=base.files, problems=(*base.problems, note))
