"""Offer manual steps once their build has succeeded, and skip them (contract, section 6)."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from kubeci.model.build import Build, BuildState, ManualStep, Plan
from kubeci.report import manual as content
from kubeci.service.check_runs import CheckRuns
from kubeci.service.identity import offer_id
from kubeci.service.rooms import Rooms
from kubeci.service.subject import workflow_url
from kubeci.workflow.names import workflow_name


class ManualSteps:
    """Check-runs that wait for somebody to press Run or Skip."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._check_runs = CheckRuns(rooms)

    async def offer(self, build: Build) -> None:
        """Create the check-runs of a build's manual steps; each is offered once for a commit."""
        for step in build.plan.manual:
            offer = await self._rooms.builds.get(offer_id(build.commit, step.template))
            if offer is None or not offer.check_run_id:
                offer = offer or self._new(build, step)
                await self._check_runs.begin(offer, content.offered(step, self._details_url(build, step)))

    async def skip(self, offer: Build, login: str) -> str:
        """Conclude an offered step as skipped; one that was run meanwhile keeps its result."""
        template = offer.entrypoint
        others = await self._rooms.builds.all_of_commit(offer.commit)
        if any(other.entrypoint == template and other.state is not BuildState.OFFERED for other in others):
            return f"`{template}` was run already"
        known = await self._rooms.builds.outcome(offer.id)
        details_url = known.check.details_url if known.check else ""
        check = content.skipped(offer.plan.manual[0], details_url, login)
        await self._check_runs.bring(offer, check)
        return f"`{template}` was skipped by {login}"

    def _new(self, build: Build, step: ManualStep) -> Build:
        identity = offer_id(build.commit, step.template)
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
            finished_at=None,
        )

    def _details_url(self, build: Build, step: ManualStep) -> str:
        # The fragment finds the check-run again after a crash: several steps lead to one workflow.
        return f"{workflow_url(build, self._rooms.argo_ui)}#offers={quote(step.template, safe='')}"
