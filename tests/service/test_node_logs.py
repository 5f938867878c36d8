"""The log of a node whose pod is gone: what is told of one that cannot be read."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from kubeci.cluster.errors import of_answer
from kubeci.errors import NotFound, UpstreamError
from kubeci.service.node_logs import NodeLogs
from kubeci.workflow.status import nodes_with_logs, read_state

ACCOUNT = "system:serviceaccount:argo:argo-server"
TIMES = {"startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:01Z"}
NODE = {
    "id": "n",
    "name": "n",
    "displayName": "n",
    "type": "Pod",
    "phase": "Failed",
    "templateName": "t",
    "hostNodeName": "x",
    "outputs": {"artifacts": [{"name": "main-logs"}]},
    **TIMES,
}
STATE = read_state(
    {
        "metadata": {"namespace": "ci", "name": "wf", "uid": "u"},
        "status": {"phase": "Failed", "nodes": {"n": NODE}},
    }
)


@dataclass(frozen=True)
class Refusing:
    """Gives no log at all, for a reason."""

    error: UpstreamError | None

    def read(self, *_: object, **__: object) -> AsyncGenerator[bytes, None]:
        return self._nothing()

    archived_log = read

    async def _nothing(self) -> AsyncGenerator[bytes, None]:
        if self.error:
            raise self.error
        yield b""


async def refused(archive: UpstreamError) -> NotFound:
    logs = NodeLogs(Refusing(NotFound("gone", status=404)), Refusing(archive))
    [node] = nodes_with_logs(STATE)
    async with aclosing(logs.read(STATE, node, "main")) as chunks:
        with pytest.raises(NotFound) as caught:
            await anext(chunks)
    return caught.value


async def test_why_an_archived_log_is_refused_is_for_the_operator() -> None:
    words = f'{{"message": "User {ACCOUNT} cannot get it"}}'.encode()
    error = await refused(of_answer(403, {}, words, call="argo-server's archived log"))
    assert ACCOUNT in str(error)
    assert error.retryable, "it may have started a moment ago"
    assert error.public.endswith(
        " is gone, and its archived log cannot be read: the cluster answered 403 to argo-server's archived log"
    )
