"""Tell what argo-server says of a workflow from what it says of itself.

Argo's validation has no status of its own: its words come as google.rpc.Code 3 (400) in Argo 3, as 2 (500) in 4.1, and as 5
(404) where a WorkflowTemplate that is referred to is not there (Argo's `server/workflow`, `LintWorkflow`).
"""

from __future__ import annotations

import msgspec

from kubeci.cluster.argo_server_http import RefusedError
from kubeci.cluster.errors import MAX_MESSAGE
from kubeci.errors import UpstreamError

UNKNOWN, INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION = 2, 3, 5, 9
OF_THE_WORKFLOW = frozenset({UNKNOWN, INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION})
NO_SUCH_PATH = "Not Found"
"""grpc-gateway's words for an address that it does not know, which come with the code 5 too."""


class _Status(msgspec.Struct):
    code: int
    message: str


def complaint(error: UpstreamError) -> str:
    """Give what a lint that was refused says of the workflow; empty: it says something of argo-server."""
    refused = error.__cause__
    if not isinstance(refused, RefusedError):
        return ""
    try:
        status = msgspec.json.decode(refused.content, type=_Status)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    if status.code not in OF_THE_WORKFLOW or status.message == NO_SUCH_PATH:
        return ""
    return " ".join(status.message.split())[:MAX_MESSAGE]
