"""What happens to deployments, and the `deployment` and `deployment_status` events that tell of it."""

from __future__ import annotations

from kubeci.local.github.deployment import Deployment, DeploymentStatus, Wish, deployments_of
from kubeci.local.github.deployment_payloads import deployment_json, status_json
from kubeci.local.github.outbox import Outbox
from kubeci.local.github.state import Account, Repository, State


class DeploymentEvents:
    """Does what people and the App do alike, and tells the App of it: it hears of its own deployments too."""

    def __init__(self, state: State, outbox: Outbox) -> None:
        self._state = state
        self._outbox = outbox

    def create(self, repository: Repository, wish: Wish, sha: str, creator: Account) -> Deployment:
        """Create a deployment of a commit."""
        state, now = self._state, self._state.now()
        deployment = Deployment(
            state.new_id(), repository, wish, sha, creator, now, now, environment=wish.environment
        )
        state.deployments[deployment.id] = deployment
        body = deployment_json(state, deployment)
        payload = {"action": "created", "deployment": body, "workflow": None, "workflow_run": None}
        self._outbox.send("deployment", repository, creator, payload)
        return deployment

    def add_status(
        self, deployment: Deployment, status: DeploymentStatus, *, auto_inactive: bool = True
    ) -> None:
        """Add a status, and with a success end the earlier ones of its environment, as GitHub does."""
        state = self._state
        deployment.statuses.append(status)
        deployment.environment, deployment.updated_at = status.environment, status.created_at
        if status.state == "success" and auto_inactive:
            self._supersede(deployment, status.creator)
        if status.state == "inactive":  # GitHub sends no event of these
            return
        payload = {
            "action": "created",
            "deployment_status": status_json(state, deployment, status),
            "deployment": deployment_json(state, deployment),
            "check_run": None,
            "workflow": None,
            "workflow_run": None,
        }
        self._outbox.send("deployment_status", deployment.repository, status.creator, payload)

    def _supersede(self, newer: Deployment, creator: Account) -> None:
        """Make earlier successes inactive (docs.github.com, "Inactive deployments")."""
        for other in deployments_of(self._state, newer.repository):
            if (
                other.id < newer.id
                and other.environment == newer.environment
                and other.state == "success"
                and not (other.wish.transient or other.production)
            ):
                status = DeploymentStatus(
                    self._state.new_id(), "inactive", creator, self._state.now(), other.environment
                )
                self.add_status(other, status)
