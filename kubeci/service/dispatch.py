"""Turn an event into the wish for a build, or into the reason why there is none (contract, section 2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from kubeci.model.build import Build, BuildRequest, BuildState, DeploymentRequest
from kubeci.model.decision import Ignored
from kubeci.model.event import (
    BranchDeletedEvent,
    CheckRunEvent,
    CheckSuiteEvent,
    CommentEvent,
    DeploymentEvent,
    Event,
    IgnoredEvent,
    MergeGroupEvent,
    PullRequestEvent,
    PushEvent,
    RepositoryGoneEvent,
    TagCreatedEvent,
)
from kubeci.model.json import JsonObject
from kubeci.model.repository import Commit, Ref, RefType, Repository
from kubeci.model.trust import What
from kubeci.policy.branches import MERGE_QUEUE
from kubeci.policy.decide import UNKNOWN_FORK
from kubeci.policy.skips import Skip, skip_of
from kubeci.ports import Builds, Commits
from kubeci.service.identity import automatic_build_id, deployment_build_id, explicit_build_id
from kubeci.service.wish import Button, Press, StopRequest, Wish
from kubeci.settings.pattern import Pattern

RUN = "run"
"""Identifier of the button that runs what a check-run stands for."""

BUTTONS = frozenset(Button)

RepositoryEvent: TypeAlias = (
    CheckSuiteEvent | TagCreatedEvent | PushEvent | PullRequestEvent | MergeGroupEvent
)


@dataclass(frozen=True, slots=True)
class Admission:
    """Whose events are taken: our App's, of these installations (none named: all) and these owners (None: all)."""

    app_id: int
    installations: frozenset[int] = frozenset()
    owners: Pattern | None = None

    def refusal(self, repository: Repository) -> Ignored | None:
        """Say why events of a repository are not taken; None: they are."""
        if self.installations and repository.installation_id not in self.installations:
            return Ignored(f"installation {repository.installation_id} is not in the ids file")
        if self.owners and not self.owners.search(repository.owner):
            return Ignored(f"owner `{repository.owner}` does not match -orgs")
        return None


class Dispatcher:
    """Decides what an event asks for."""

    def __init__(self, admission: Admission, commits: Commits, builds: Builds) -> None:
        self._admission = admission
        self._commits = commits
        self._builds = builds

    async def wish_of(self, event: Event, delivery_id: str) -> Wish:
        """Give what an event asks for, or the reason why it asks for nothing."""
        if isinstance(event, IgnoredEvent):
            return Ignored(event.reason)
        if refusal := self._admission.refusal(event.repository):
            return refusal
        if isinstance(event, CheckSuiteEvent | CheckRunEvent):
            return await self._of_check(event, delivery_id)
        match event:
            case TagCreatedEvent():
                return await self._of_tag(event)
            case PushEvent():
                return _of_push(event)
            case PullRequestEvent():
                return _of_pull_request(event)
            case MergeGroupEvent():
                return _of_merge_group(event)
            case DeploymentEvent():
                return _of_deployment(event)
            case CommentEvent() | BranchDeletedEvent() | RepositoryGoneEvent():
                return event

    async def _of_check(self, event: CheckSuiteEvent | CheckRunEvent, delivery_id: str) -> Wish:
        if event.app_id != self._admission.app_id:
            return Ignored(f"the {type(event).__name__} belongs to app {event.app_id}, not to ours")
        if isinstance(event, CheckSuiteEvent):
            return await self._of_check_suite(event, delivery_id)
        return await self._of_check_run(event, delivery_id)

    async def _of_tag(self, event: TagCreatedEvent) -> Wish:
        sha = await self._commits.tag_commit(event.repository, event.tag)
        return _automatic(event, sha, Ref(event.tag, RefType.TAG), what=What.TAG)

    async def _of_check_run(self, event: CheckRunEvent, delivery_id: str) -> Wish:
        record = await self._builds.of_check_run(event.repository, event.check_run_id)
        if event.action == "requested_action" and event.identifier != RUN:
            return _of_press(event, record or await self._unrecorded(event), delivery_id)
        offered = record is not None and record.state is BuildState.OFFERED
        # Re-run on a step that nobody has run yet is its Run.
        what = What.RUN if event.action == "requested_action" or offered else What.RERUN
        request = replace(
            await self._asked_for(event, delivery_id, record, what), entrypoint=event.external_id
        )
        if record is None:
            return request
        again = DeploymentRequest(record.deployment_id, record.environment) if record.deployment_id else None
        return replace(request, of_build=record.id, deployment=again)

    async def _unrecorded(self, event: CheckRunEvent) -> Build | None:
        """Find the build whose check-run was created and not noted yet: whoever created it may have died just then."""
        leads_to = str(event.payload["check_run"].get("details_url") or "")
        for build in await self._builds.all_of_commit(Commit(event.repository, event.head_sha)):
            if not build.check_run_id and leads_to.endswith(f"/{build.namespace}/{build.workflow_name}"):
                return build
        return None

    async def _of_check_suite(self, event: CheckSuiteEvent, delivery_id: str) -> Wish:
        if event.action == "requested":
            before = str(event.payload["check_suite"].get("before") or "")
            return _automatic(event, event.head_sha, Ref(event.head_branch), what=What.PUSH, before=before)
        return await self._asked_for(event, delivery_id, None, What.RERUN)

    async def _asked_for(
        self, event: CheckSuiteEvent | CheckRunEvent, delivery_id: str, record: Build | None, what: What
    ) -> BuildRequest:
        """Give the build that somebody asked for; ref and fork come from our own record.

        GitHub names no branch for commits of forks, and never a tag. A commit without a branch and without a record is
        taken for a stranger's.
        """
        commit = Commit(event.repository, event.head_sha)
        record = record or await self._builds.of_commit(commit)
        fork = record.head_repository if record else "" if event.head_branch else UNKNOWN_FORK
        request = BuildRequest(
            explicit_build_id(delivery_id),
            commit,
            record.ref if record else Ref(event.head_branch),
            automatic=False,
            what=what,
            actor=event.sender,
            head_repository=fork,
        )
        return _with_payload(request, event.payload)


def _of_push(event: PushEvent) -> Wish:
    if skip_of(event.message) is Skip.CHECKS and not event.branch.startswith(MERGE_QUEUE):
        return Ignored("push: its head commit says `skip-checks: true`")
    before = str(event.payload.get("before") or "")
    return _automatic(event, event.head_sha, Ref(event.branch), what=What.PUSH, before=before)


def _of_pull_request(event: PullRequestEvent) -> Wish:
    pull = event.pull_request
    foreign = pull.head_repository.lower() != event.repository.full_name.lower()
    fork = (pull.head_repository or UNKNOWN_FORK) if foreign else ""
    if event.action == "closed":
        head = Commit(event.repository, event.head_sha)
        return StopRequest(head, event.head_ref, fork, pull.number, event.merge_sha)
    return _automatic(
        event,
        event.head_sha,
        Ref(event.head_ref),
        what=What.FORK if foreign else What.PULL_REQUEST,
        actor=event.author,
        first_time=event.first_time,
        head_repository=fork,
        pull_request=pull,
    )


def _of_merge_group(event: MergeGroupEvent) -> Wish:
    before = str(event.payload["merge_group"].get("base_sha") or "")
    return _automatic(event, event.head_sha, Ref(event.branch), what=What.MERGE_QUEUE, before=before)


def _of_press(event: CheckRunEvent, record: Build | None, delivery_id: str) -> Wish:
    name = f"check_run requested_action: the button `{event.identifier[:20]}`"
    if event.identifier not in BUTTONS:
        return Ignored(f"{name} is not ours")
    if record is None:
        return Ignored(f"{name} belongs to a check-run that we have no record of")
    return Press(Button(event.identifier), record, event.sender, delivery_id)


def _of_deployment(event: DeploymentEvent) -> Wish:
    request = BuildRequest(
        deployment_build_id(event.repository, event.deployment_id),
        Commit(event.repository, event.sha),
        Ref("") if event.ref.name == event.sha else event.ref,
        automatic=False,
        entrypoint=event.task,
        what=What.DEPLOYMENT,
        actor=event.sender,
        deployment=DeploymentRequest(event.deployment_id, event.environment),
    )
    return _with_payload(request, event.payload)


def _automatic(event: RepositoryEvent, sha: str, ref: Ref, **fields: Any) -> BuildRequest:
    """Give the build that happens by itself: the same for every event that would start it."""
    commit = Commit(event.repository, sha)
    request = BuildRequest(automatic_build_id(commit, ref), commit, ref, automatic=True, **fields)
    return _with_payload(request, event.payload)


def _with_payload(request: BuildRequest, payload: JsonObject) -> BuildRequest:
    return replace(request, repository_object=payload.get("repository"), event=payload)
