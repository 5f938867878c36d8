"""Keep of a pod's log what the check-run needs, while the pod is still there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kubeci.errors import Forbidden, Invalid, NotFound
from kubeci.model.build import Build
from kubeci.model.report import NodeLog
from kubeci.ports import Builds, PodLogs
from kubeci.report.annotations import AnnotationParser
from kubeci.workflow.pod_names import containers_of, pod_name
from kubeci.workflow.status import Node, WorkflowState, nodes_with_logs


async def keep_logs(
    build: Build, state: WorkflowState, pod_logs: PodLogs, builds: Builds
) -> dict[str, NodeLog]:
    """Read the log of every node that ended and was not read yet; gives all kept logs by node id, oldest first.

    A pod that is gone is recorded as such and not asked for again. Raises `UpstreamError` where trying again can help.
    """
    kept = await builds.logs(build.id)
    for node, ended_at in unread(state, kept):
        log = replace(await _read(state, node, pod_logs), ended_at=ended_at)
        await builds.save_log(build.id, log)
        kept.pop(node.id, None)
        kept[node.id] = log
    return kept


def unread(state: WorkflowState, kept: Mapping[str, NodeLog]) -> list[tuple[Node, str]]:
    """List the ended nodes whose log was not kept yet, each with when it ended, which tells attempts apart."""
    ended = ((n, n.finished_at.isoformat() if n.finished_at else n.phase) for n in nodes_with_logs(state))
    return [(n, at) for n, at in ended if n.id not in kept or kept[n.id].ended_at != at]


async def _read(state: WorkflowState, node: Node, pod_logs: PodLogs) -> NodeLog:
    parser = AnnotationParser()
    found = []
    missing = ""
    pod = pod_name(state.name, node, format_version=state.pod_name_format)
    for container in containers_of(state, node):
        try:
            async for chunk in pod_logs.read(state.namespace, pod, container):
                found += parser.feed(chunk)
        except NotFound:
            missing = f"the pod {pod} is gone"
        except (Forbidden, Invalid) as error:
            missing = str(error)
        found += parser.close()
    return NodeLog(node.id, annotations=tuple(found), tail=parser.tail, missing=missing)
