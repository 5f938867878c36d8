from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kubeci.doctor.examine import examine
from kubeci.doctor.finding import Finding, State
from kubeci.doctor.subject import Subject
from kubeci.local.argo_server.server import LocalArgoServer, argo_server
from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.cluster.users import User
from kubeci.local.github.state import Installation
from kubeci.local.stack import LocalStack, StackSettings, surroundings, with_server

REPOSITORY = "acme/widgets"


@dataclass
class Scene:
    """An installation in which everything is right, and the words of the tests to spoil it."""

    stack: LocalStack
    argo: LocalArgoServer
    subject: Subject
    folder: Path

    @property
    def installation(self) -> Installation:
        return next(iter(self.stack.github.state.installations.values()))

    def options(self, **changed: Any) -> None:
        self.subject = replace(self.subject, options=replace(self.subject.options, **changed))

    def settings(self, **changed: Any) -> None:
        self.subject = replace(self.subject, **changed)

    def log_in(self, user: User) -> None:
        """Let the kubeconfig be a further user's."""
        self.stack.cluster.further_users = (user,)
        assert self.subject.options.kubeconfig
        self.stack.cluster.write_kubeconfig(self.subject.options.kubeconfig, user)

    def workflow(self, name: str, *, phase: str, age: timedelta = timedelta(0)) -> None:
        labels = {"workflows.argoproj.io/phase": phase} if phase else {}
        manifest = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"name": name, "labels": labels},
            "spec": {},
        }
        objects = self.stack.cluster.objects
        objects._now = lambda: datetime.now(UTC) - age
        objects.create(WORKFLOWS, self.stack.config.namespace, manifest)

    async def deliver(self) -> None:
        self.stack.github.deliver("ping", {"zen": "Keep it simple.", "hook_id": 1})
        await self.stack.github.settled()

    async def findings(self, *, seconds: float = 10.0) -> list[Finding]:
        return await examine(self.subject, seconds=seconds)


@asynccontextmanager
async def whole_installation(folder: Path) -> AsyncIterator[Scene]:
    async with (
        surroundings(folder, StackSettings(engine=False, slack=True)) as around,
        argo_server(around.cluster.objects) as argo,
    ):
        options = replace(around.options, argo_server=argo.url, argo_token=argo.token)
        async with with_server(replace(around, options=options)) as stack:
            await stack.github.create_repository(REPOSITORY)
            scene = Scene(stack, argo, Subject(options, around.config, trust_env=False), folder)
            await scene.deliver()
            scene.workflow("earlier", phase="Succeeded")
            yield scene


def faults(found: list[Finding]) -> list[tuple[str, State]]:
    """Give what is not right; what was not looked at stands in its place only where nothing else tells why."""
    return [(each.name, each.state) for each in found if each.state in {State.WRONG, State.WARNING}]


def skipped(found: list[Finding]) -> list[str]:
    return [each.name for each in found if each.state is State.UNKNOWN]


def same_everywhere(text: str, scene: Scene) -> str:
    """Replace what differs between runs."""
    replaced = text.replace(str(scene.folder), "FOLDER").replace(str(scene.installation.id), "ID")
    replaced = re.sub(r"127\.0\.0\.1:\d{4,5}", "HOST:PORT", replaced)
    return re.sub(r"\d+ GB of room", "N GB of room", replaced)
