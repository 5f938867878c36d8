"""End the running builds of a pull request that was closed."""

from __future__ import annotations

from kubeci.errors import NotFound
from kubeci.ports import Builds, Workflows
from kubeci.service.dispatch import StopRequest


async def stop_pull_request(wish: StopRequest, builds: Builds, workflows: Workflows) -> str:
    """Stop what is built for a pull request; the reconciler concludes the check-runs. Gives what came of it."""
    running = await builds.unfinished_of_pull_request(wish.repository, wish.pull_request)
    for build in running:
        await builds.change(build.id, stopped=wish.reason)
        try:
            await workflows.stop(build.namespace, build.workflow_name)
        except NotFound:
            continue
    return f"{wish.reason}: {len(running)} builds stopped"
