"""Deployments and their statuses as GitHub's JSON, the same in REST answers and webhooks."""

from __future__ import annotations

from kubeci.local.github.deployment import Deployment, DeploymentStatus
from kubeci.local.github.payloads import api_url, node_id, performed_by, user_json
from kubeci.local.github.state import State, timestamp
from kubeci.model.json import JsonObject


def deployment_json(state: State, deployment: Deployment) -> JsonObject:
    """Give a deployment."""
    wish = deployment.wish
    repository = api_url(state, f"/repos/{deployment.repository.full_name}")
    url = f"{repository}/deployments/{deployment.id}"
    return {
        "url": url,
        "id": deployment.id,
        "node_id": node_id("Deployment", deployment.id),
        "sha": deployment.sha,
        "ref": wish.ref,
        "task": wish.task,
        "payload": {} if wish.payload is None else wish.payload,
        "original_environment": wish.environment,
        "environment": deployment.environment,
        "description": wish.description,
        "creator": user_json(state, deployment.creator),
        "created_at": timestamp(deployment.created_at),
        "updated_at": timestamp(deployment.updated_at),
        "statuses_url": f"{url}/statuses",
        "repository_url": repository,
        "transient_environment": wish.transient,
        "production_environment": deployment.production,
        "performed_via_github_app": performed_by(state, deployment.creator),
    }


def status_json(state: State, deployment: Deployment, status: DeploymentStatus) -> JsonObject:
    """Give a deployment's status."""
    repository = api_url(state, f"/repos/{deployment.repository.full_name}")
    url = f"{repository}/deployments/{deployment.id}"
    return {
        "url": f"{url}/statuses/{status.id}",
        "id": status.id,
        "node_id": node_id("DeploymentStatus", status.id),
        "state": status.state,
        "creator": user_json(state, status.creator),
        "description": status.description,
        "environment": status.environment,
        "target_url": status.log_url,
        "created_at": timestamp(status.created_at),
        "updated_at": timestamp(status.created_at),
        "deployment_url": url,
        "repository_url": repository,
        "environment_url": status.environment_url,
        "log_url": status.log_url,
        "performed_via_github_app": performed_by(state, status.creator),
    }
