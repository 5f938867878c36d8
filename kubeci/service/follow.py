"""Feed the watch of workflows into the queue of the reconciler."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import structlog

from kubeci.errors import UpstreamError
from kubeci.model.build import Build
from kubeci.model.json import JsonObject
from kubeci.model.watch import Gone, Listed
from kubeci.ports import Builds, WorkflowFeed
from kubeci.service.queue import KeyedQueue
from kubeci.service.reconcile import Observed, WorkflowKey

STORE_SECONDS = 1.0

log = structlog.get_logger(__name__)


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
    for build in await _unfinished(builds):
        key = WorkflowKey(build.namespace, build.workflow_name)
        if build.workflow_uid and key not in known:
            queue.put(key, Observed(None))


async def _unfinished(builds: Builds) -> Sequence[Build]:
    """Read them, again until the store gives them: what is not listed any more is told once."""
    while True:
        try:
            return await builds.unfinished()
        except UpstreamError as error:
            log.warning("the store fails", error=str(error))
            await asyncio.sleep(STORE_SECONDS)


def _key_of(workflow: JsonObject) -> WorkflowKey:
    meta = workflow.get("metadata", {})
    return WorkflowKey(meta.get("namespace", ""), meta.get("name", ""))
