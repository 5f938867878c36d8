from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from github_scene import PASSING, REPOSITORY, GitHubScene, worked_on, workflow

from kubeci.local.cluster.resources import CLAIMS, WORKFLOWS
from kubeci.local.github.deliveries import Delivery
from kubeci.local.github.deployment import Deployment
from kubeci.local.github.state import CheckRun
from kubeci.local.stack import LocalStack, Surroundings
from kubeci.workflow import metadata

__all__ = ["PASSING", "REPOSITORY", "Scene", "SharedScene", "workflow"]


@dataclass
class Scene(GitHubScene):
    """A local stack with a repository, and the words of the tests."""

    stack: Surroundings

    @property
    def place(self) -> Surroundings:
        return self.stack


@dataclass
class SharedScene(Scene):
    """A local stack that tests share, each with an organisation of its own, which is all that these words tell of."""

    stack: LocalStack
    repository: str

    @property
    def owner(self) -> str:
        return self.repository.partition("/")[0]

    @property
    def fork_name(self) -> str:
        """The fork of the user `stranger`, once there is one."""
        return f"stranger/{self.repository.partition('/')[2]}"

    async def push(self, files: Any, *, branch: str = "main", message: str = "A change") -> str:
        return await self.stack.github.push(self.repository, files, branch=branch, message=message)

    def runs(self, sha: str) -> list[CheckRun]:
        return [run for run in super().runs(sha) if run.suite.repository.owner.login == self.owner]

    def workflows(self) -> list[dict[str, Any]]:
        return self._of_the_owner(self.stack.cluster.objects.list(WORKFLOWS, None))

    def claims(self) -> set[str]:
        found = self._of_the_owner(self.stack.cluster.objects.list(CLAIMS, None))
        return {each["metadata"]["name"] for each in found}

    def _of_the_owner(self, objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [each for each in objects if metadata.annotations_of(each).get(metadata.ORG) == self.owner]

    def deployments(self) -> list[Deployment]:
        found = self.stack.github.state.deployments.values()
        return [each for each in found if each.repository.owner.login == self.owner]

    def sent(self, *events: str) -> list[Delivery]:
        """What GitHub sent of the organisation, of these events or of all, oldest first."""
        return [
            each
            for each in self.stack.github.deliveries.sent
            if each.payload.get("repository", {}).get("owner", {}).get("login") == self.owner
            and (not events or each.event in events)
        ]

    def deliveries(self, *states: str) -> list[tuple[Any, ...]]:
        rows = self.stored(f"SELECT id, event, state, reason FROM deliveries WHERE {worked_on(states)}")
        ours = {each.guid for each in self.sent()} if rows else set()
        return [row[1:] for row in rows if row[0] in ours]

    def api_calls(self, method: str, part: str) -> list[str]:
        return [path for path in super().api_calls(method, part) if f"/{self.owner}/" in path]
