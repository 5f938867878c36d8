"""Offer manual steps once their build has succeeded, and skip them (contract, section 6)."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import structlog

from kubeci.errors import UpstreamError
from kubeci.model.build import Build, BuildState, ManualStep, Plan
from kubeci.report import manual as content
from kubeci.report.plain import plain
from kubeci.service.check_runs import CheckRuns
from kubeci.service.identity import offer_id
from kubeci.service.rooms import Rooms
from kubeci.service.subject import workflow_url
from kubeci.service.unbegun import is_unmade
from kubeci.workflow.names import workflow_name

NOT_RUN = frozenset({BuildState.OFFERED, BuildState.SKIPPED, BuildState.LOST})
"""What is in these states has no result of its own."""

log = structlog.get_logger(__name__)


class ManualSteps:
    """Check-runs that wait for somebody to press Run or Skip."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._check_runs = CheckRuns(rooms)

    async def offer(self, build: Build) -> None:
        """Create the check-runs of a build's manual steps; each is offered once for a commit, and none that was run already.

        One that GitHub refuses is left out: the build has ended all the same.
        """
        for step in build.plan.manual:
            identity = offer_id(build.commit, step.template)
            async with self._rooms.exclusive.hold(f"offer {identity}"):
                try:
                    await self._offer(build, step, identity)
                except UpstreamError as error:
                    if error.retryable:
                        raise
                    log.warning("a manual step was not offered", template=step.template, error=str(error))

    async def _offer(self, build: Build, step: ManualStep, identity: str) -> None:
        offer = await self._rooms.builds.get(identity)
        if offer and offer.check_run_id:
            return
        if offer is None and await self._was_run(build, step.template):
            return
        check = content.offered(step, self._details_url(build, step))
        await self._check_runs.begin(offer or self._new(build, step, identity), check)

    async def _was_run(self, build: Build, template: str) -> bool:
        others = await self._rooms.builds.all_of_commit(build.commit)
        return any(
            each.entrypoint == template
            and each.state not in NOT_RUN
            and not is_unmade(each)  # it has no result under the step's name
            and not each.deployment_id
            for each in others
        )

    async def skip(self, offer: Build, login: str) -> str:
        """Conclude an offered step as skipped; one that was run meanwhile keeps its result."""
        template = offer.entrypoint
        if await self._was_run(offer, template):
            told = f"{plain(login)} pressed Skip, but the step was run already: that result stands."
            await self._check_runs.remark(offer, told)
            return f"`{template}` was run already"
        known = await self._rooms.builds.outcome(offer.id)
        details_url = known.check.details_url if known.check else ""
        check = content.skipped(offer.plan.manual[0], details_url, login)
        await self._check_runs.bring(offer, check)
        return f"`{template}` was skipped by {login}"

    def _new(self, build: Build, step: ManualStep, identity: str) -> Build:
        return replace(
            build,
            id=identity,
            entrypoint=step.template,
            check_name=content.check_name_of(step.template),
            workflow_name=workflow_name(
                build.commit.repository.name, build.ref.name, identity, step.template
            ),
            created_at=self._rooms.clock(),
            workflow_uid="",
            check_run_id=0,
            state=BuildState.OFFERED,
            superseded_by="",
            stopped="",
            warnings=(),
            prints=(),
            loaded=(),
            plan=Plan(manual=(step,)),
            conclusion="",
            former_conclusion="",
            finished_at=None,
            retry_wish="",
            retried_check_run=0,
        )

    def _details_url(self, build: Build, step: ManualStep) -> str:
        # The fragment finds the check-run again after a crash: several steps lead to one workflow.
        return f"{workflow_url(build, self._rooms.argo_ui)}#offers={quote(step.template, safe='')}"
