"""Keep of a step's log what the check-run needs, while its pod is still there."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace

from kubeci.errors import Forbidden, Invalid, NotFound, RateLimited, UpstreamError
from kubeci.model.build import Build
from kubeci.model.report import NodeLog
from kubeci.ports import Builds
from kubeci.report.annotations import AnnotationParser
from kubeci.service.node_logs import NodeLogs
from kubeci.workflow.pod_names import containers_of
from kubeci.workflow.status import Node, WorkflowState, nodes_with_logs

MAX_FAILURES = (
    8  # about two minutes of backoff: a machine that is gone must not hold up the conclusion for ever
)


async def keep_logs(
    build: Build, state: WorkflowState, node_logs: NodeLogs, builds: Builds
) -> tuple[dict[str, NodeLog], UpstreamError | None]:
    """Read the log of every node that ended and was not read yet.

    Gives all kept logs by node id, oldest first, and why some could not be read, where trying again can help. A log whose
    pod is gone, and that Argo has not archived, is recorded as such and not asked for again, as is one that failed too often.
    """
    kept = await builds.logs(build.id)
    problem = None
    for node, ended_at in unread(state, kept):
        known = kept.get(node.id)
        before = known.failures if known and known.ended_at == ended_at else 0
        try:
            read = await _read(state, node, node_logs, last=before + 1 >= MAX_FAILURES)
            log = replace(read, ended_at=ended_at)
        except UpstreamError as error:
            log = _failed(node, ended_at, before, error)
            problem = error if log.failures else problem
        await builds.save_log(build.id, log)
        kept.pop(node.id, None)
        kept[node.id] = log
    return kept, problem


def _failed(node: Node, ended_at: str, before: int, error: UpstreamError) -> NodeLog:
    failures = before if isinstance(error, RateLimited) else before + 1
    last = failures >= MAX_FAILURES or not error.retryable
    return NodeLog(node.id, ended_at, missing=error.public, failures=0 if last else max(failures, 1))


def unread(state: WorkflowState, kept: Mapping[str, NodeLog]) -> list[tuple[Node, str]]:
    """List the ended nodes whose log is still to be kept, each with when it ended, which tells attempts apart."""
    ended = ((n, n.finished_at.isoformat() if n.finished_at else n.phase) for n in nodes_with_logs(state))
    return [
        (n, at)
        for n, at in ended
        if not ((log := kept.get(n.id)) and log.ended_at == at and not log.failures)
    ]


def ended_anew(build: Build, state: WorkflowState, kept: Mapping[str, NodeLog]) -> bool:
    """Say whether a workflow was retried after the end that was told: it ended later, or nodes did whose logs were not read.

    A pod that the API server refused has no log.
    """
    if build.finished_at and state.finished_at and state.finished_at > build.finished_at:
        return True
    return bool(unread(state, kept))


async def _read(state: WorkflowState, node: Node, node_logs: NodeLogs, *, last: bool) -> NodeLog:
    """Read the logs of a node's containers; one that is refused is left out at the last try alone.

    An API server that has just started refuses until it has read the roles.
    """
    parser = AnnotationParser()
    found = []
    missing, refused = "", False
    for container in containers_of(state, node):
        try:
            async with aclosing(node_logs.read(state, node, container)) as chunks:
                async for chunk in chunks:
                    found += parser.feed(chunk)
        except (NotFound, Forbidden, Invalid) as error:
            if isinstance(error, NotFound) and error.retryable:
                raise
            if isinstance(error, Forbidden) and not last:
                told = str(error)
                raise UpstreamError(told, status=error.status, retryable=True, public=error.public) from error
            missing, refused = error.public, isinstance(error, Forbidden)
        found += parser.close()
    return NodeLog(node.id, annotations=tuple(found), tail=parser.tail, missing=missing, refused=refused)
