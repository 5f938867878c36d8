"""What a push, a finished check-run or a pressed button makes GitHub send to the App."""

from __future__ import annotations

from dataclasses import dataclass

from kubeci.local.github import git
from kubeci.local.github.check_payloads import run_event, simple_commit, suite_json
from kubeci.local.github.conclusions import summed_up
from kubeci.local.github.deployment_events import DeploymentEvents
from kubeci.local.github.git_content import Commit, read_commit, skips_checks
from kubeci.local.github.issue_events import IssueEvents
from kubeci.local.github.outbox import Outbox
from kubeci.local.github.pull_events import PullEvents
from kubeci.local.github.push_payload import push_json
from kubeci.local.github.state import Account, CheckRun, CheckSuite, Repository, State
from kubeci.model.json import JsonObject

TAGS_AT_ONCE = (
    3  # more tags in one push give no events: docs.github.com, "Webhook events and payloads", create
)


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """A ref that moved; 40 zeros stand for a ref that was or is not there."""

    old: str
    new: str
    ref: str

    @property
    def created(self) -> bool:
        """Say whether the ref is new."""
        return self.old == git.ZERO

    @property
    def deleted(self) -> bool:
        """Say whether the ref is gone."""
        return self.new == git.ZERO

    @property
    def kind(self) -> str:
        """Give `branch`, `tag`, or an empty text for any other ref."""
        return next(
            (k for k, p in (("branch", "refs/heads/"), ("tag", "refs/tags/")) if self.ref.startswith(p)), ""
        )

    @property
    def name(self) -> str:
        """Give the branch's or tag's short name."""
        return self.ref.split("/", 2)[-1]


class Events:
    """Turns what happens into deliveries."""

    def __init__(self, state: State, outbox: Outbox) -> None:
        self._state = state
        self._outbox = outbox
        self.pulls = PullEvents(state, outbox)
        self.issues = IssueEvents(state, outbox)
        self.deployments = DeploymentEvents(state, outbox)

    async def pushed(self, repository: Repository, updates: list[RefUpdate], pusher: Account) -> None:
        """Tell of moved refs, and open the check suite of each pushed branch's head commit."""
        repository.pushed_at = self._state.now()
        tags = sum(1 for update in updates if update.kind == "tag")
        for update in updates:
            if not update.kind or (update.kind == "tag" and tags > TAGS_AT_ONCE):
                continue
            if update.created or update.deleted:
                self._ref_event("create" if update.created else "delete", repository, update, pusher)
            push = await push_json(self._state, repository, update.ref, (update.old, update.new), pusher)
            self._outbox.send("push", repository, pusher, push)
            if update.kind == "branch" and not update.deleted:
                await self.pulls.head_moved(repository, update.name, pusher)
                await self.pulls.merged_by_push(repository, update.name, (update.old, update.new), pusher)
                await self._open_suite(repository, update, pusher)
            elif update.kind == "branch":
                await self.pulls.head_gone(repository, update.name, pusher)

    async def suite(
        self, repository: Repository, head_sha: str, branch: str | None, before: str | None
    ) -> CheckSuite | None:
        """Find or make the one suite of a commit; None when there is no such commit."""
        if found := self._state.suite_of(repository, head_sha):
            return found
        commit = await _commit(repository, head_sha)
        return self._new_suite(repository, commit, branch, before) if commit else None

    def _new_suite(
        self, repository: Repository, commit: Commit, branch: str | None, before: str | None
    ) -> CheckSuite:
        now, head = self._state.now(), simple_commit(commit)
        suite = CheckSuite(self._state.new_id(), repository, commit.oid, branch, before, now, now, head)
        return self._state.suites.setdefault(suite.id, suite)

    async def suite_action(self, suite: CheckSuite, action: str, sender: Account) -> None:
        """Send `check_suite` requested, rerequested or completed."""
        payload = {"action": action, "check_suite": await suite_json(self._state, suite)}
        self._outbox.send("check_suite", suite.repository, sender, payload)

    async def run_action(
        self, run: CheckRun, action: str, sender: Account, identifier: str | None = None
    ) -> None:
        """Send `check_run` created, completed, rerequested or requested_action."""
        payload: JsonObject = {"action": action, "check_run": await run_event(self._state, run)}
        if identifier is not None:
            payload["requested_action"] = {"identifier": identifier}
        self._outbox.send("check_run", run.suite.repository, sender, payload)

    async def run_changed(self, run: CheckRun, sender: Account, *, created: bool, completed: bool) -> None:
        """Tell of a check-run's creation and end, and of its suite's end."""
        run.suite.updated_at, run.suite.reopened = self._state.now(), False
        if created:
            await self.run_action(run, "created", sender)
        if completed:
            await self.run_action(run, "completed", sender)
            if summed_up(run.suite, self._state.runs_of(run.suite))[0] == "completed":
                await self.suite_action(run.suite, "completed", sender)

    async def _open_suite(self, repository: Repository, update: RefUpdate, pusher: Account) -> None:
        if self._state.installed_on(repository) is None or self._state.suite_of(repository, update.new):
            return  # one suite a commit, whichever branches it is pushed to
        commit = await _commit(repository, update.new)
        if commit is None or skips_checks(commit.message):
            return
        suite = self._state.suite_of(repository, commit.oid)
        suite = suite or self._new_suite(repository, commit, update.name, update.old)
        suite.pusher = suite.pusher or pusher
        await self.suite_action(suite, "requested", pusher)

    def _ref_event(self, event: str, repository: Repository, update: RefUpdate, pusher: Account) -> None:
        payload: JsonObject = {"ref": update.name, "ref_type": update.kind}
        if event == "create":
            payload |= {"master_branch": repository.default_branch, "description": None}
        self._outbox.send(event, repository, pusher, {**payload, "pusher_type": "user"})


async def _commit(repository: Repository, expression: str) -> Commit | None:
    async with git.objects(repository.path) as objects:
        found = await objects.peel(expression)
    return read_commit(found.oid, found.content) if found else None
