"""Tell what argo-server says of a workflow from what it says of itself.

Argo's validation has no status of its own: its words come with the google.rpc.Code 2 (500) in Argo 4.1, with 3 (400) before
that and for fields of a wrong type, and with 5 (404) where a WorkflowTemplate is not there that the whole workflow refers to
(Argo's `server/workflow`, `LintWorkflow`). What argo-server says of itself has other codes.
"""

from __future__ import annotations

import msgspec

from kubeci.cluster.argo_server_http import RefusedError
from kubeci.cluster.errors import MAX_MESSAGE
from kubeci.errors import UpstreamError
from kubeci.report.plain import one_line

UNKNOWN, INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION = 2, 3, 5, 9
OF_THE_WORKFLOW = frozenset({UNKNOWN, INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION})


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
    return one_line(status.message, MAX_MESSAGE) if status.code in OF_THE_WORKFLOW else ""
