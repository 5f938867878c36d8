"""Bring GitHub's deployments to what a workflow's nodes amount to; only differences are sent (contract, section 7).

Level-triggered, as the check-run's report is: each call looks at the whole state and at what GitHub was told before. It
can be killed anywhere and run again, and GitHub ends up the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec
import structlog

from kubeci.errors import Forbidden, NotFound, RateLimited, UpstreamError
from kubeci.model.build import Build
from kubeci.model.deployment import Deployment, DeploymentState, DeploymentStatus
from kubeci.model.json import JsonObject
from kubeci.model.report import DeploymentTold
from kubeci.model.repository import RefType, Repository
from kubeci.report.deployments import (
    MAX_DESCRIPTION,
    DeployRules,
    NodeDeployment,
    asked_for,
    left_behind,
    wanted,
)
from kubeci.report.plain import one_line
from kubeci.service.rooms import Rooms
from kubeci.settings.pattern import Pattern
from kubeci.workflow import metadata
from kubeci.workflow.status import WorkflowState

MAX_FAILURES = 5
"""Tries for one status of a deployment; after them the check-run must not wait any longer."""

ENDED = frozenset({DeploymentState.SUCCESS, DeploymentState.FAILURE, DeploymentState.ERROR})

FORK = "the commit comes from a fork, so GitHub shows no deployments of this workflow"

log = structlog.get_logger(__name__)


class DeploymentReports:
    """Tells GitHub of the deployments that a build's workflow makes."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._builds = rooms.builds
        self._deployments = rooms.github.deployments

    async def report(self, build: Build, state: WorkflowState) -> tuple[str, ...]:
        """Create deployments and add statuses as the workflow's state asks for; gives warnings for the check-run.

        What GitHub refuses is a warning. Raises `UpstreamError` where trying again can help.
        """
        if not build.plan.deploy_templates and not build.deployment_id:
            return ()
        rules = self._rules(build)
        found, warnings = wanted(state, rules)
        before = await self._builds.deployments(build.id)
        if build.deployment_id:
            told = before.get(state.name, DeploymentTold())
            own = asked_for(state, build.environment, told, rules)
            found = [*([own] if own else []), *(each for each in found if each.node_id != state.name)]
        elif build.head_repository and found:
            return (*warnings, FORK)
        after = dict(before)
        problem: UpstreamError | None = None
        for each in (*found, *left_behind(state, found, before)):
            try:
                after[each.node_id] = await self._bring(build, each, before.get(each.node_id))
            except UpstreamError as error:
                # The others are tried all the same: one after the other they would hold up the check-run for hours.
                problem = problem or error
                if isinstance(error, RateLimited):
                    break
        if not state.deleted and _ids(before) != _ids(after):
            await self._annotate(build, _ids(after))
        if problem:
            raise problem
        refusals = dict.fromkeys(told.refused for told in after.values() if told.refused)
        return (*warnings, *refusals)

    async def refused(self, repository: Repository, deployment_id: int, reason: str) -> None:
        """Tell a deployment that asked for a run why there is none; where GitHub does not take that, it is logged."""
        status = DeploymentStatus(DeploymentState.ERROR, description=one_line(reason, MAX_DESCRIPTION))
        try:
            await self._deployments.set_status(repository, deployment_id, status)
        except UpstreamError as error:
            if error.retryable:
                raise
            log.warning("a deployment's status was refused", deployment=deployment_id, error=str(error))

    def _rules(self, build: Build) -> DeployRules:
        config = self._rooms.config
        return DeployRules(
            Pattern(build.plan.deploy_templates),
            config.environment_parameter,
            config.environment_url_parameter,
            self._rooms.argo_ui,
        )

    async def _bring(
        self, build: Build, deployment: NodeDeployment, known: DeploymentTold | None
    ) -> DeploymentTold:
        """Bring one deployment to its state; gives what GitHub was told of it in the end."""
        told = known or DeploymentTold()
        aim = DeploymentTold(
            state=deployment.state.value,
            environment=deployment.environment,
            environment_url=deployment.environment_url or told.environment_url,
        )
        if (aim.state, aim.environment_url) == (told.state, told.environment_url):
            return told
        try:
            told = await self._with_id(build, deployment, known)
            status = DeploymentStatus(
                deployment.state, deployment.log_url, aim.environment_url, deployment.description
            )
            await self._deployments.set_status(build.commit.repository, told.deployment_id, status)
        except RateLimited:
            raise
        except UpstreamError as error:
            if error.retryable:
                return await self._failed(build, deployment, told, error)
            aim = replace(aim, refused=_refusal(deployment, error))
        aim = replace(aim, deployment_id=told.deployment_id)
        if not aim.refused and aim.state != told.state:
            self._announce(build, deployment, aim)
        await self._builds.save_deployment(build.id, deployment.node_id, aim)
        return aim

    async def _failed(
        self, build: Build, deployment: NodeDeployment, told: DeploymentTold, error: UpstreamError
    ) -> DeploymentTold:
        """Take note that GitHub failed; raises the error unless it is the last one that the check-run waits for.

        The state stays untold, so that each later look tries it anew.
        """
        last = told.failures + 1 >= MAX_FAILURES
        refused = _refusal(deployment, error) if last else told.refused
        told = replace(told, failures=0 if last else told.failures + 1, refused=refused)
        await self._builds.save_deployment(build.id, deployment.node_id, told)
        if not last:
            raise error
        return told

    def _announce(self, build: Build, deployment: NodeDeployment, aim: DeploymentTold) -> None:
        if self._rooms.news and deployment.state in ENDED:
            url = aim.environment_url or deployment.log_url
            self._rooms.news.deployment_ended(build, deployment.environment, deployment.state, url)

    async def _with_id(
        self, build: Build, deployment: NodeDeployment, known: DeploymentTold | None
    ) -> DeploymentTold:
        """Give what is known of a deployment that has an id: the one that asked for the build, an earlier or a new one."""
        told = known or DeploymentTold(environment=deployment.environment)
        if told.deployment_id:
            return told
        if build.deployment_id and deployment.node_id == build.workflow_name:
            number = build.deployment_id
        else:
            number = await self._found_or_created(build, deployment, known)
        told = replace(told, deployment_id=number)
        await self._builds.save_deployment(build.id, deployment.node_id, told)
        return told

    async def _found_or_created(
        self, build: Build, deployment: NodeDeployment, known: DeploymentTold | None
    ) -> int:
        repository = build.commit.repository
        wish = self._wish(build, deployment, await self._ref(build))
        if known is None:
            begun = DeploymentTold(environment=deployment.environment)
            await self._builds.save_deployment(build.id, deployment.node_id, begun)
        else:
            # It was begun before a crash, or its answer was lost; the branch may have moved since.
            for ref in dict.fromkeys((wish.ref, build.ref.name, build.commit.sha)):
                earlier = ref and await self._deployments.find(repository, replace(wish, ref=ref))
                if earlier:
                    return int(earlier)
        return await self._deployments.create(repository, wish)

    def _wish(self, build: Build, deployment: NodeDeployment, ref: str) -> Deployment:
        payload: JsonObject = {
            "run": False,
            "ref_type": build.ref.type.value,
            "ref_name": build.ref.name,
            "sha": build.commit.sha,
            # These two make it unique, so that it is found again.
            "workflow": build.workflow_name,
            "node": deployment.node_id,
        }
        production = self._rooms.config.production_environments.search(deployment.environment)
        return Deployment(
            ref, deployment.template, deployment.environment, {"kube_ci": payload}, production=production
        )

    async def _ref(self, build: Build) -> str:
        """Give the branch or tag while it still stands for the commit, else the sha."""
        name, sha = build.ref.name, build.commit.sha
        if not name or name == sha:
            return sha
        at = {kind: await self._resolved(build, f"{kind}/{name}") for kind in ("heads", "tags")}
        # GitHub is given a bare name, so one that is a branch's and a tag's must stand for this commit as both.
        kind = "tags" if build.ref.type is RefType.TAG else "heads"
        return name if at[kind] == sha and set(at.values()) <= {sha, ""} else sha

    async def _resolved(self, build: Build, ref: str) -> str:
        try:
            return await self._rooms.github.commits.resolve(build.commit.repository, ref)
        except NotFound:
            return ""

    async def _annotate(self, build: Build, ids: Mapping[str, int]) -> None:
        """Show people the deployments' ids on the workflow; nothing of ours reads them."""
        annotations = {metadata.DEPLOYMENT_IDS: msgspec.json.encode(ids, order="sorted").decode()}
        try:
            await self._rooms.cluster.workflows.annotate(build.namespace, build.workflow_name, annotations)
        except UpstreamError as error:
            if not isinstance(error, NotFound):
                log.warning(
                    "the workflow takes no annotation", workflow=build.workflow_name, error=str(error)
                )


def _ids(told: Mapping[str, DeploymentTold]) -> dict[str, int]:
    return {node_id: each.deployment_id for node_id, each in told.items() if each.deployment_id}


def _refusal(deployment: NodeDeployment, error: UpstreamError) -> str:
    lacks = str(error).partition("; the App lacks ")[2]
    if isinstance(error, Forbidden) and lacks:
        return f"GitHub shows no deployments: the App lacks {one_line(lacks)}"
    where = one_line(deployment.environment, 60)
    return f"GitHub did not take the deployment to `{where}`: {one_line(str(error), 300)}"
