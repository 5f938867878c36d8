"""Let the newest build of a branch and entrypoint stop the older ones (contract, section 6)."""

from __future__ import annotations

import structlog

from kubeci.errors import Forbidden, NotFound
from kubeci.model.build import Build, BuildState
from kubeci.ports import Builds, Workflows

log = structlog.get_logger(__name__)


async def supersede(build: Build, builds: Builds, workflows: Workflows) -> tuple[str, ...]:
    """Stop every unfinished build of the same repository, ref and entrypoint but the newest, which may not be `build`.

    Exit handlers run. The check-runs are concluded by the reconciler, which sees each workflow change. Gives which may
    not be stopped, and why; those go on.
    """
    unstopped = []
    rivals = await builds.unfinished_of(build)
    # One that another build superseded was stopped by it, unless that one is still about it.
    about_it = {rival.id for rival in rivals if rival.state is BuildState.SUBMITTING}
    for older in rivals[:-1]:
        if older.superseded_by and older.superseded_by not in about_it:
            continue
        await builds.change(older.id, superseded_by=rivals[-1].id)
        if older.workflow_uid:
            try:
                await workflows.stop(older.namespace, older.workflow_name)
            except NotFound:
                continue
            except Forbidden as error:
                log.warning("an older build goes on", workflow=older.workflow_name, error=str(error))
                unstopped.append(f"{older.workflow_name} is older and goes on: {error.public}")
    return tuple(unstopped)
