"""What a build is made of: the commit's own files, or the base branch's where the commit is a stranger's."""

from __future__ import annotations

from dataclasses import replace

from kubeci.errors import DefinitionError
from kubeci.model.build import BuildRequest
from kubeci.model.repository import Commit
from kubeci.model.source import CommitSource, PullRequest
from kubeci.policy.decide import is_foreign
from kubeci.ports import Commits
from kubeci.service.origin import stands, without_foreign
from kubeci.settings.config import Config


async def read_source(request: BuildRequest, commits: Commits, config: Config) -> CommitSource:
    """Read a commit's source; for a commit of a fork the definition is the base branch's, if the setting says so.

    A fork's commit without an open pull request has no base, and so no definition. Raises `DefinitionError` when its
    pull requests go into several branches that are built: which of their definitions counts is not its author's choice.
    """
    source = await commits.read(request.commit, config.ci_context_path)
    source = replace(source, pull_requests=_with_that_of_the_event(request, source))
    if not request.head_repository and is_foreign(request, source) and await stands(request, commits):
        source = without_foreign(source, request.commit.repository.full_name)
    if request.files is not None:
        return replace(source, files=request.files, problems=())
    if not (config.definition_from_base and is_foreign(request, source)):
        return source
    pull = _base_of(source, config)
    if pull is None:
        return replace(source, files=None)
    base = await commits.read(Commit(request.commit.repository, pull.base_sha), config.ci_context_path)
    note = f"the definition is that of {pull.base_ref} at {pull.base_sha[:7]}, since the commit comes from a fork"
    return replace(source, files=base.files, problems=(*base.problems, note))


def _with_that_of_the_event(request: BuildRequest, source: CommitSource) -> tuple[PullRequest, ...]:
    """Add the event's own pull request, which GitHub's answer may lag behind; ready in either, it is no draft."""
    told = request.pull_request
    if told is None:
        return source.pull_requests
    known = [pull for pull in source.pull_requests if pull.number == told.number]
    others = [pull for pull in source.pull_requests if pull.number != told.number]
    newest = replace(known[0], draft=known[0].draft and told.draft) if known else told
    return (newest, *others)


def _base_of(source: CommitSource, config: Config) -> PullRequest | None:
    based = [pull for pull in source.pull_requests if pull.base_sha]
    built = [pull for pull in based if config.build_branches.search(pull.base_ref)] or based
    branches = sorted({pull.base_ref for pull in built})
    if len(branches) > 1:
        raise DefinitionError(
            f"the commit comes from a fork, and its pull requests go into {', '.join(branches)}",
            hint="close all but one: the definition is taken from the branch that it goes into",
        )
    return built[0] if built else None
