"""Ports that read what is there and write nothing: what would be written is noted instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

from kubeci.model.check_run import Annotation, CheckRun
from kubeci.model.conversation import Post, Reaction
from kubeci.model.deployment import Deployment, DeploymentStatus
from kubeci.model.json import JsonObject
from kubeci.model.report import Budget
from kubeci.model.repository import Commit, Repository
from kubeci.model.trace import StepKind
from kubeci.ports import Checks, Claims, Deployments, Workflows
from kubeci.report.plain import one_line
from kubeci.service.rooms import ClusterRooms, GitHubRooms
from kubeci.tracing import note


def _would(text: str) -> None:
    note(StepKind.REPORTED, f"would {text}")


@dataclass(frozen=True, slots=True)
class Manifests:
    """The workflows that would be created, in their order."""

    created: list[JsonObject] = field(default_factory=list)


class DryChecks:
    """Check-runs: found as they are, and never written."""

    def __init__(self, real: Checks) -> None:
        self._real = real
        self._ids = count(1)

    async def create(self, commit: Commit, check: CheckRun, annotations: Iterable[Annotation] = ()) -> int:  # noqa: ARG002 - the port's
        """Note the check-run; gives an id that is nobody's."""
        _would(f"create a check-run on {commit.sha[:12]}: {_told(check)}")
        return next(self._ids)

    async def update(
        self,
        repository: Repository,  # noqa: ARG002 - the port's
        check_run_id: int,
        check: CheckRun,
        annotations: Iterable[Annotation] = (),  # noqa: ARG002 - likewise
    ) -> None:
        """Note what the check-run would become."""
        _would(f"update check-run {check_run_id}: {_told(check)}")

    async def find(self, commit: Commit, check: CheckRun) -> int | None:
        """Find the check-run of ours with this name and details URL on the commit."""
        return await self._real.find(commit, check)

    async def annotations_count(self, repository: Repository, check_run_id: int) -> int:
        """Count the annotations that GitHub holds for a check-run."""
        return await self._real.annotations_count(repository, check_run_id)

    async def begun_at(self, repository: Repository, check_run_id: int) -> datetime | None:
        """Give when a check-run was begun, by GitHub's clock."""
        return await self._real.begun_at(repository, check_run_id)

    def budget(self, repository: Repository) -> Budget:
        """Say what is left of the installation's requests."""
        return self._real.budget(repository)


def _told(check: CheckRun) -> str:
    return f"{check.name}: {check.conclusion or check.status}: {check.title}"


class DryConversation:
    """Comments and reactions that are not written."""

    async def react(self, post: Post, reaction: Reaction) -> None:
        """Note the reaction."""
        _would(f"react with {reaction} on #{post.number}")

    async def reply(self, post: Post, text: str) -> None:
        """Note the comment."""
        _would(f"comment on #{post.number}: {one_line(text, 500)}")


class DryContents:
    """Files that are not written."""

    async def write(self, repository: Repository, branch: str, path: str, text: str, message: str) -> bool:  # noqa: ARG002 - the port's
        """Note the commit."""
        _would(f"commit {path} to {branch} of {repository.full_name}")
        return True


class DryDeployments:
    """Deployments: found as they are, and never written."""

    def __init__(self, real: Deployments) -> None:
        self._real = real

    async def create(self, repository: Repository, deployment: Deployment) -> int:  # noqa: ARG002 - the port's
        """Note the deployment; gives an id that is nobody's."""
        _would(f"create a deployment of {deployment.task} to {deployment.environment}")
        return 1

    async def find(self, repository: Repository, deployment: Deployment) -> int | None:
        """Find the newest deployment with this ref, task, environment and payload."""
        return await self._real.find(repository, deployment)

    async def set_status(self, repository: Repository, deployment_id: int, status: DeploymentStatus) -> None:  # noqa: ARG002 - the port's
        """Note the status."""
        _would(f"set deployment {deployment_id} to {status.state}: {status.description}")


class DryWorkflows:
    """Workflows: read as they are, and never created or changed."""

    def __init__(self, real: Workflows, manifests: Manifests) -> None:
        self._real = real
        self._manifests = manifests

    async def create(self, manifest: JsonObject) -> JsonObject:
        """Keep the manifest; gives it back as if it had been created."""
        metadata = manifest["metadata"]
        _would(f"create the workflow {metadata['namespace']}/{metadata['name']}")
        self._manifests.created.append(manifest)
        return {**manifest, "metadata": {**metadata, "uid": "nobody's"}}

    async def get(self, namespace: str, name: str) -> JsonObject:
        """Read one workflow."""
        return await self._real.get(namespace, name)

    async def template(self, namespace: str, name: str, *, cluster_scope: bool) -> JsonObject:
        """Read a template of the cluster."""
        return await self._real.template(namespace, name, cluster_scope=cluster_scope)

    async def stop(self, namespace: str, name: str, *, terminate: bool = False) -> None:
        """Note that the workflow would be stopped."""
        _would(f"{'terminate' if terminate else 'stop'} the workflow {namespace}/{name}")

    async def annotate(self, namespace: str, name: str, annotations: Mapping[str, str]) -> None:
        """Note the annotations."""
        _would(f"annotate the workflow {namespace}/{name} with {', '.join(annotations)}")


class DryClaims:
    """Claims: read as they are, and never created or deleted."""

    def __init__(self, real: Claims) -> None:
        self._real = real

    async def get(self, namespace: str, name: str) -> JsonObject:
        """Read one claim."""
        return await self._real.get(namespace, name)

    async def create(self, manifest: JsonObject) -> JsonObject:
        """Note the claim; gives it back as if it had been created."""
        _would(f"create the cache volume {manifest['metadata']['name']}")
        return manifest

    async def labelled(self, namespace: str, labels: Mapping[str, str]) -> list[JsonObject]:
        """List the claims that carry all of these labels."""
        return await self._real.labelled(namespace, labels)

    async def delete(self, namespace: str, name: str) -> None:
        """Note that the claim would be deleted."""
        _would(f"delete the cache volume {namespace}/{name}")

    async def delete_pods_of(self, namespace: str, claim: str) -> int:
        """Note that the claim's pods would be deleted."""
        _would(f"delete the pods that hold {namespace}/{claim}")
        return 0


class DryRetries:
    """Retries that are not asked for."""

    async def retry(self, namespace: str, name: str) -> None:
        """Note the retry."""
        _would(f"retry the failed steps of {namespace}/{name}")


def dry_github(real: GitHubRooms) -> GitHubRooms:
    """Give a GitHub that is read and not written."""
    return replace(
        real,
        checks=DryChecks(real.checks),
        conversation=DryConversation(),
        contents=DryContents(),
        deployments=DryDeployments(real.deployments),
    )


def dry_cluster(real: ClusterRooms, manifests: Manifests) -> ClusterRooms:
    """Give a cluster that is read and not written; `manifests` get what would be created."""
    return replace(
        real,
        workflows=DryWorkflows(real.workflows, manifests),
        claims=DryClaims(real.claims),
        retries=DryRetries() if real.retries else None,
    )
