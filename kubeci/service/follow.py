"""Feed the watch of workflows into the queue of the reconciler."""

from __future__ import annotations

from contextlib import aclosing

from kubeci.model.json import JsonObject
from kubeci.model.watch import Gone, Listed
from kubeci.ports import Builds, WorkflowFeed
from kubeci.service.queue import KeyedQueue
from kubeci.service.reconcile import Observed, WorkflowKey


async def follow(feed: WorkflowFeed, builds: Builds, queue: KeyedQueue[WorkflowKey, Observed]) -> None:
    """Put every workflow that exists or changes on the queue, and every build whose workflow is not listed any more."""
    async with aclosing(feed.follow()) as changes:
        async for change in changes:
            if isinstance(change, Listed):
                await _relist(change, builds, queue)
            else:
                queue.put(_key_of(change.object), Observed(change.object, deleted=isinstance(change, Gone)))


async def _relist(listed: Listed, builds: Builds, queue: KeyedQueue[WorkflowKey, Observed]) -> None:
    known = {_key_of(workflow) for workflow in listed.objects}
    for workflow in listed.objects:
        queue.put(_key_of(workflow), Observed(workflow))
    for build in await builds.unfinished():
        key = WorkflowKey(build.namespace, build.workflow_name)
        if build.workflow_uid and key not in known:
            queue.put(key, Observed(None))


def _key_of(workflow: JsonObject) -> WorkflowKey:
    meta = workflow.get("metadata", {})
    return WorkflowKey(meta.get("namespace", ""), meta.get("name", ""))
