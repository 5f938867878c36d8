"""GitHub deployments and their statuses (docs.github.com/rest/deployments)."""

from __future__ import annotations

from typing import Any

import msgspec

from kubeci.errors import Invalid
from kubeci.github.app import GitHubApp
from kubeci.github.request import Request
from kubeci.model.deployment import Deployment, DeploymentStatus
from kubeci.model.json import JsonObject
from kubeci.model.repository import Repository
from kubeci.model.trace import StepKind
from kubeci.tracing import note

DEPLOYMENTS = "/repos/{owner}/{repo}/deployments"
STATUSES = "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses"

MAX_DESCRIPTION = 140  # characters
PAGE = 100
MAX_PAGES = 10


class GitHubDeployments:
    """Fulfils the port `Deployments`."""

    def __init__(self, app: GitHubApp) -> None:
        self._app = app

    async def create(self, repository: Repository, deployment: Deployment) -> int:
        """Create a deployment, whatever the commit's checks say; sent once, as each repetition would make another.

        `Invalid` where GitHub answers without having created one (202: it merged a branch, or is still at it).
        """
        body: JsonObject = {
            "ref": deployment.ref,
            "task": deployment.task,
            "environment": deployment.environment,
            "payload": deployment.payload,
            "description": deployment.description[:MAX_DESCRIPTION],
            "production_environment": deployment.production,
            "transient_environment": False,
            # The workflow is under way, so nothing is left to wait for or to merge.
            "required_contexts": [],
            "auto_merge": False,
        }
        answer = await self._app.send(repository, Request("POST", DEPLOYMENTS, body=body))
        created = answer.get("id") if isinstance(answer, dict) else None
        if not isinstance(created, int):
            told = str(answer.get("message", "")) if isinstance(answer, dict) else ""
            raise Invalid(f"GitHub created no deployment: {told or 'it does not say why'}"[:300], status=202)
        note(
            StepKind.REPORTED, f"deployment {created} created: {deployment.task} to {deployment.environment}"
        )
        return created

    async def find(self, repository: Repository, deployment: Deployment) -> int | None:
        """Find the newest deployment with this ref, task, environment and payload."""
        wanted: dict[str, str | int] = {
            "ref": deployment.ref,
            "task": deployment.task,
            "environment": deployment.environment,
            "per_page": PAGE,
        }
        for page in range(1, MAX_PAGES + 1):
            query = {**wanted, "page": page}
            request = Request("GET", DEPLOYMENTS, query=query, repeatable=True)
            listed = await self._app.send(repository, request)
            found = [int(each["id"]) for each in listed if _payload(each) == deployment.payload]
            if found:
                return max(found)
            if len(listed) < PAGE:
                break
        return None

    async def set_status(self, repository: Repository, deployment_id: int, status: DeploymentStatus) -> None:
        """Add a status to a deployment; a success makes earlier ones of its environment inactive.

        Addresses that GitHub would refuse are left out.
        """
        body: JsonObject = {
            "state": status.state.value,
            "description": status.description[:MAX_DESCRIPTION],
            "auto_inactive": True,
        }
        addresses = {"log_url": status.log_url, "environment_url": status.environment_url}
        body |= {name: url for name, url in addresses.items() if url.startswith(("http://", "https://"))}
        request = Request("POST", STATUSES, parameters={"deployment_id": deployment_id}, body=body)
        await self._app.send(repository, request)
        note(StepKind.REPORTED, f"deployment {deployment_id}: {status.state}: {body['description']}")


def _payload(deployment: JsonObject) -> Any:
    """Give a deployment's payload; GitHub may give it as the JSON text that it was sent as."""
    payload = deployment.get("payload")
    if not isinstance(payload, str):
        return payload
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return payload
