"""Let the newest build of a branch and entrypoint stop the older ones (contract, section 6)."""

from __future__ import annotations

from kubeci.errors import NotFound
from kubeci.model.build import Build
from kubeci.ports import Builds, Workflows


async def supersede(build: Build, builds: Builds, workflows: Workflows) -> None:
    """Stop every unfinished build of the same repository, ref and entrypoint but the newest, which may not be `build`.

    Exit handlers run. The check-runs are concluded by the reconciler, which sees each workflow change.
    """
    rivals = await builds.unfinished_of(build)
    for older in rivals[:-1]:
        await builds.change(older.id, superseded_by=rivals[-1].id)
        if older.workflow_uid:
            try:
                await workflows.stop(older.namespace, older.workflow_name)
            except NotFound:
                continue
