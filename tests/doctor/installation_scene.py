from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kubeci.doctor.examine import examine
from kubeci.doctor.finding import Finding, State
from kubeci.doctor.subject import Subject
from kubeci.github.signature import verify
from kubeci.local.argo_server.server import LocalArgoServer, argo_server
from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.cluster.users import User
from kubeci.local.github.state import Installation
from kubeci.local.serving import serving
from kubeci.local.stack import StackSettings, Surroundings, surroundings

REPOSITORY = "acme/widgets"


@dataclass
class Scene:
    """An installation in which everything is right, and the words of the tests to spoil it."""

    stack: Surroundings
    argo: LocalArgoServer
    url: str
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
    """Run an installation in which a server has been at work; it need not run while it is looked at."""
    async with (
        surroundings(folder, StackSettings(engine=False, slack=True)) as around,
        argo_server(around.cluster.objects) as argo,
        serving(receiver(around.options.webhook_secret)) as url,
    ):
        options = replace(around.options, argo_server=argo.url, argo_token=argo.token)
        around.github.webhook_url = f"{url}/webhooks/github"
        await around.github.create_repository(REPOSITORY)
        scene = Scene(around, argo, url, Subject(options, around.config, trust_env=False), folder)
        await scene.deliver()
        scene.workflow("earlier", phase="Succeeded")
        yield scene


def receiver(secret: bytes) -> Starlette:
    async def take(request: Request) -> Response:
        good = verify(secret, await request.body(), request.headers["x-hub-signature-256"])
        return Response(status_code=202 if good else 401)

    return Starlette(routes=[Route("/webhooks/github", take, methods=["POST"])])


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
