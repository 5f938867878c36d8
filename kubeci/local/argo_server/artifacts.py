"""Output artifacts of nodes as argo-server gives them out (Argo's `server/artifacts`).

The only store is the workflow itself: an artifact of the kind `raw`, whose content is its `data`.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.cluster.status import ApiError

PATH = "/artifacts/{asked:path}"


def refuse(status: int) -> Response:
    """Refuse as Go's `http.Error` does with a status's own words."""
    headers = {"X-Content-Type-Options": "nosniff"}
    return PlainTextResponse(f"{HTTPStatus(status).phrase}\n", status, headers)


def answer(objects: Objects, request: Request) -> Response:
    """Answer with an artifact's content; what is not there is a 500, as is a store that does not give it."""
    names = request.path_params["asked"].split("/", 3)
    if len(names) < 4:
        return refuse(HTTPStatus.BAD_REQUEST)
    namespace, name, node, artifact = names
    try:
        workflow = objects.get(WORKFLOWS, namespace, name)
    except ApiError as error:
        return refuse(error.code)
    content = _content(workflow, node, artifact)
    if content is None:
        return refuse(HTTPStatus.INTERNAL_SERVER_ERROR)
    # Go guesses by the ending of the artifact's key; of the kind `raw` it has none.
    return Response(content, headers={"Content-Type": ""})


def _content(workflow: dict[str, Any], node: str, name: str) -> bytes | None:
    found = workflow.get("status", {}).get("nodes", {}).get(node, {}).get("outputs", {}).get("artifacts", [])
    for artifact in found:
        if artifact.get("name") == name and "raw" in artifact:
            return str(artifact["raw"].get("data", "")).encode()
    return None
