"""Turn an event into the wish for a build, or into the reason why there is none (contract, section 2)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kubeci.model.build import BuildRequest
from kubeci.model.decision import Ignored
from kubeci.model.event import CheckRunEvent, CheckSuiteEvent, Event, IgnoredEvent, TagCreatedEvent
from kubeci.model.json import JsonObject
from kubeci.model.repository import Commit, Ref, RefType, Repository
from kubeci.ports import Builds, Commits
from kubeci.service.identity import automatic_build_id, explicit_build_id
from kubeci.settings.pattern import Pattern


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

    async def request_of(self, event: Event, delivery_id: str) -> BuildRequest | Ignored:
        """Give the build that an event asks for, or the reason why it asks for none."""
        if isinstance(event, IgnoredEvent):
            return Ignored(event.reason)
        if refusal := self._admission.refusal(event.repository):
            return refusal
        if isinstance(event, TagCreatedEvent):
            return await self._of_tag(event)
        if event.app_id != self._admission.app_id:
            return Ignored(f"the {type(event).__name__} belongs to app {event.app_id}, not to ours")
        if isinstance(event, CheckSuiteEvent):
            return _of_check_suite(event, delivery_id)
        return await self._of_check_run(event, delivery_id)

    async def _of_tag(self, event: TagCreatedEvent) -> BuildRequest:
        commit = Commit(event.repository, await self._commits.tag_commit(event.repository, event.tag))
        ref = Ref(event.tag, RefType.TAG)
        request = BuildRequest(automatic_build_id(commit, ref), commit, ref, automatic=True)
        return _with_payload(request, event.payload)

    async def _of_check_run(self, event: CheckRunEvent, delivery_id: str) -> BuildRequest:
        # GitHub names no branch for commits of forks, and never a tag: our own record knows.
        record = await self._builds.of_check_run(event.repository, event.check_run_id)
        request = BuildRequest(
            explicit_build_id(delivery_id),
            Commit(event.repository, event.head_sha),
            record.ref if record else Ref(event.head_branch),
            automatic=False,
            entrypoint=event.external_id,
        )
        return _with_payload(request, event.payload)


def _of_check_suite(event: CheckSuiteEvent, delivery_id: str) -> BuildRequest:
    commit, ref = Commit(event.repository, event.head_sha), Ref(event.head_branch)
    automatic = event.action == "requested"
    build_id = automatic_build_id(commit, ref) if automatic else explicit_build_id(delivery_id)
    return _with_payload(BuildRequest(build_id, commit, ref, automatic=automatic), event.payload)


def _with_payload(request: BuildRequest, payload: JsonObject) -> BuildRequest:
    return replace(request, repository_object=payload.get("repository"), event=payload)
