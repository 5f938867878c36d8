"""The page of a repository's deployments, with a form for a new one."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from kubeci.local.github import git
from kubeci.local.github.deployment import deployments_of
from kubeci.local.github.memberships import may_write
from kubeci.local.github.page import Page, read_form, refusals
from kubeci.local.github.views_talk import DEPLOYMENT_ICONS

DEPLOYMENTS_SHOWN = 100


class DeploymentPages:
    """Lists deployments, and takes new ones."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def routes(self) -> list[Route]:
        """Give the routes."""
        at = "/{owner}/{repo}/deployments"
        return [Route(at, self.list), Route(at, self.create, methods=["POST"])]

    async def list(self, request: Request) -> Response:
        """List the deployments, newest first, with the history of each."""
        repository, state = self._page.repository(request), self._page.state
        known = await git.refs(repository.path)
        refs = [name.split("/", 2)[2] for name in known if name.startswith(("refs/heads/", "refs/tags/"))]
        deployments = deployments_of(state, repository)
        return await self._page.show(
            request,
            "deployments.html",
            repository=repository,
            deployments=deployments[:DEPLOYMENTS_SHOWN],
            hidden=max(0, len(deployments) - DEPLOYMENTS_SHOWN),
            environments=sorted({"production", *(each.environment for each in deployments)}),
            refs=sorted(set(refs), key=lambda ref: (ref != repository.default_branch, ref)),
            icons=DEPLOYMENT_ICONS,
            writer=may_write(state, repository, state.user(self._page.actor(request))),
        )

    async def create(self, request: Request) -> Response:
        """Take a new deployment."""
        form, repository = await read_form(request), self._page.repository(request)
        with refusals():
            await self._page.people.deploy(
                repository.full_name,
                form.get("ref", "").strip() or repository.default_branch,
                task=form.get("task", "").strip(),
                environment=form.get("environment", "").strip(),
                payload=_payload(form.get("payload", "")),
                by=self._page.actor(request),
            )
        return RedirectResponse(f"/{repository.full_name}/deployments", 303)


def _payload(text: str) -> Any:
    """Read a form's payload; ValueError for one that GitHub would not take."""
    if not text.strip():
        return None
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the payload is no JSON: {error}") from None
    if isinstance(payload, dict | str):
        return payload
    raise ValueError("the payload must be a JSON object or string")
