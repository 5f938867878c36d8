"""What every event to the App carries: repository, organisation, sender, installation."""

from __future__ import annotations

from kubeci.local.github.auth import grants
from kubeci.local.github.deliveries import Deliveries, installation_ref
from kubeci.local.github.payloads import (
    installation_json,
    organization_json,
    repository_json,
    user_json,
)
from kubeci.local.github.state import Account, Installation, Repository, State
from kubeci.model.json import JsonObject

# What an App must be allowed to read to hear of an event: docs.github.com, "Webhook events and payloads".
_NEEDS = {
    "check_run": "checks",
    "check_suite": "checks",
    "create": "contents",
    "delete": "contents",
    "deployment": "deployments",
    "deployment_status": "deployments",
    "fork": "contents",
    "issue_comment": "issues",
    "issues": "issues",
    "merge_group": "merge_queues",
    "pull_request": "pull_requests",
    "push": "contents",
    "repository": "metadata",
}


class Outbox:
    """Completes payloads and queues them; what the App is not installed on, or may not read, is never told."""

    def __init__(self, state: State, deliveries: Deliveries) -> None:
        self._state = state
        self._deliveries = deliveries

    def send(self, event: str, repository: Repository, sender: Account, payload: JsonObject) -> None:
        """Send an event of a repository; its own fields go before the common ones."""
        state = self._state
        installation = state.installed_on(repository)
        if installation is None or not grants(installation.permissions, f"{_NEEDS[event]}:read"):
            return
        common = {"repository": repository_json(state, repository), "sender": user_json(state, sender)}
        payload = {**common, **payload}
        if repository.owner.type == "Organization":
            payload["organization"] = organization_json(state, repository.owner)
        self._deliveries.add(event, {**payload, "installation": installation_ref(installation.id)})

    def send_of_installation(
        self, event: str, installation: Installation, sender: Account, payload: JsonObject
    ) -> None:
        """Send an event of an installation, which it holds in full."""
        state = self._state
        whole = {"installation": installation_json(state, installation), "sender": user_json(state, sender)}
        self._deliveries.add(event, {**payload, **whole})
