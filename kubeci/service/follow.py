"""Feed the watch of workflows into the queue of the reconciler."""

from __future__ import annotations

from kubeci.model.build import BuildState
from kubeci.model.json import JsonObject
from kubeci.model.watch import Listed
from kubeci.ports import Builds, WorkflowFeed
from kubeci.service.queue import KeyedQueue
from kubeci.service.reconcile import Observed, WorkflowKey


async def follow(feed: WorkflowFeed, builds: Builds, queue: KeyedQueue[WorkflowKey, Observed]) -> None:
    """Put every workflow that exists or changes on the queue, and every build whose workflow is not listed any more."""
    async for event in feed.follow():
        if isinstance(event, Listed):
            await _relist(event, builds, queue)
        else:
            queue.put(_key_of(event.object), Observed(event.object, event.deleted))


async def _relist(event: Listed, builds: Builds, queue: KeyedQueue[WorkflowKey, Observed]) -> None:
    listed = {_key_of(workflow) for workflow in event.objects}
    for workflow in event.objects:
        queue.put(_key_of(workflow), Observed(workflow))
    for build in await builds.unfinished():
        key = WorkflowKey(build.namespace, build.workflow_name)
        if build.state is BuildState.RUNNING and key not in listed:
            queue.put(key, Observed(None))


def _key_of(workflow: JsonObject) -> WorkflowKey:
    meta = workflow.get("metadata", {})
    return WorkflowKey(meta.get("namespace", ""), meta.get("name", ""))
