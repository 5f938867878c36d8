"""One command with all that is known of who gave it, and the pull request that it was given on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubeci.model.build import BuildRequest
from kubeci.model.conversation import Post, PullRequestHead
from kubeci.model.event import CommentEvent
from kubeci.model.repository import Commit, Ref, Repository
from kubeci.model.source import PullRequest
from kubeci.model.trust import What
from kubeci.policy.commands import Command
from kubeci.policy.decide import UNKNOWN_FORK
from kubeci.service.identity import explicit_build_id
from kubeci.service.named import Named


@dataclass(frozen=True, slots=True)
class Asked:
    """A command of a comment; `wish` is the same whenever the same comment is handled again."""

    event: CommentEvent
    command: Command
    wish: str
    now: datetime
    last_attempt: bool = False

    @property
    def delivery_id(self) -> str:
        """Give the delivery that brought it: a wish is that and the number of the line."""
        return self.wish.partition(":")[0]

    @property
    def post(self) -> Post:
        """Give where it was written."""
        return self.event.post

    @property
    def repository(self) -> Repository:
        """Give the repository in which it was written."""
        return self.event.repository

    @property
    def named(self) -> Named:
        """Give the repository with GitHub's object of it."""
        return Named(self.repository, self.event.payload["repository"])

    def request(self, pull: PullRequestHead, part: str = "", **fields: Any) -> BuildRequest:
        """Give the request to build the head of a pull request; `part` tells several builds of one command apart."""
        return BuildRequest(
            id=explicit_build_id(f"{self.wish}:{part}" if part else self.wish),
            automatic=False,
            what=What.COMMAND,
            actor=self.event.author,
            delivery_id=self.delivery_id,
            pull_request=_of(pull),
            repository_object=self.event.payload["repository"],
            event=self.event.payload,
            **{
                "commit": Commit(self.repository, pull.head_sha),
                "ref": Ref(pull.head_ref),
                "head_repository": fork_of(pull, self.repository),
                **fields,
            },
        )


def fork_of(pull: PullRequestHead, repository: Repository) -> str:
    """Give the repository that a pull request's head is in, where it is another one; empty: this one."""
    if pull.head_repository.lower() == repository.full_name.lower():
        return ""
    return pull.head_repository or UNKNOWN_FORK


def _of(pull: PullRequestHead) -> PullRequest:
    return PullRequest(
        number=pull.number,
        title=pull.title,
        url=pull.url,
        draft=pull.draft,
        base_ref=pull.base_ref,
        head_repository=pull.head_repository,
        base_sha=pull.base_sha,
    )
