"""The OpenAPI document, made from the shapes that requests and answers really have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from kubeci import __version__
from kubeci.model.json import JsonObject
from kubeci.web.api import shapes
from kubeci.web.api.log_stream import LOG_HEADER
from kubeci.web.api.reading import KEY, KEY_HEADER

_TEMPLATE = "#/components/schemas/{name}"
_SHAPES = (
    shapes.RunRequest,
    shapes.Rendering,
    shapes.Submission,
    shapes.RunList,
    shapes.RunDetail,
    shapes.Told,
    shapes.Refusal,
)
_REFUSALS: Mapping[int, str] = {
    400: "The body is no JSON.",
    401: "The token is missing or unknown.",
    403: "The token does not let its bearer do this there.",
    404: "There is no such repository, commit, run or log, or the token does not reach it.",
    409: "It cannot be done as things are, or the trust table does not let it.",
    413: "The body is too large.",
    422: "The request does not fit its shape, or the definition is wrong; `debug` is what the definition printed.",
    502: "GitHub or the cluster refuses.",
    503: "GitHub or the cluster does not answer now, or too many logs are being read.",
}
_HEADERS: Mapping[int, tuple[str, str]] = {
    401: ("WWW-Authenticate", "Asks for a bearer token."),
    503: ("Retry-After", "Seconds to wait."),
}
_ALWAYS = (401, 403)
_UPSTREAM = (502, 503)

_TEXT = {"type": "string"}
_RUN_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "Id of the run.",
    "schema": {**_TEXT, "pattern": "^[0-9a-f]{40}$", "examples": [shapes.SHA]},
}
_KEY = {
    "name": KEY_HEADER,
    "in": "header",
    "description": "The same key of the same token is the same wish: what it began is given again, nothing is begun twice.",
    "schema": {**_TEXT, "pattern": f"^{KEY.pattern}$", "examples": ["release-7"]},
}


@cache
def document() -> bytes:
    """Give the document, OpenAPI 3.1, as JSON."""
    _, schemas = msgspec.json.schema_components(_SHAPES, ref_template=_TEMPLATE)
    refusal = {"schema": _ref(shapes.Refusal), "examples": {"refusal": {"value": {"message": "why not"}}}}
    answers = {
        f"Refused{status}": {
            "description": text,
            "content": {"application/json": refusal},
            **({"headers": _header(*_HEADERS[status])} if status in _HEADERS else {}),
        }
        for status, text in _REFUSALS.items()
    }
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "kubeci",
                "version": __version__,
                "description": "Continuous integration for GitHub on Argo Workflows.",
            },
            "paths": _paths(),
            "components": {
                "schemas": schemas,
                "responses": answers,
                "securitySchemes": {
                    "token": {
                        "type": "http",
                        "scheme": "bearer",
                        "description": "A token of the setting `api.tokens`.",
                    }
                },
            },
            "security": [{"token": []}],
        }
    )


def _paths() -> JsonObject:
    run = "/api/v1/runs/{id}"
    body = {"required": True, "content": {"application/json": {"schema": _ref(shapes.RunRequest)}}}
    return {
        "/api/v1/run": {
            "post": _operation(
                "start",
                "Render a commit's workflow, or run it",
                {
                    200: ("Rendered; or the key's run.", [shapes.Rendering, shapes.Submission]),
                    201: ("Submitted.", [shapes.Submission]),
                },
                (400, 404, 409, 413, 422, *_UPSTREAM),
                parameters=[_KEY],
            )
            | {"requestBody": body}
        },
        "/api/v1/runs": {
            "get": _operation(
                "list",
                "List runs, newest first",
                {200: ("A page.", [shapes.RunList])},
                (422,),
                parameters=_query(shapes.ListQuery),
            )
        },
        run: {
            "get": _operation(
                "show", "Show a run", {200: ("The run.", [shapes.RunDetail])}, (404,), parameters=[_RUN_ID]
            )
        },
        f"{run}/cancel": {
            "post": _operation(
                "cancel",
                "Stop a run; a second time, without its exit handlers",
                {200: ("It is being stopped.", [shapes.Told])},
                (404, 409, 422, *_UPSTREAM),
                parameters=[_RUN_ID, _KEY],
            )
        },
        f"{run}/retry": {
            "post": _operation(
                "retry",
                "Run the failed steps again, or build anew",
                {200: ("It runs again.", [shapes.Told])},
                (404, 409, 422, *_UPSTREAM),
                parameters=[_RUN_ID, _KEY],
            )
        },
        f"{run}/logs": {"get": _logs()},
        "/api/openapi.json": {
            "get": {
                "operationId": "describe",
                "summary": "Give this document",
                "security": [],
                "responses": {
                    "200": {
                        "description": "OpenAPI 3.1.",
                        "content": {"application/json": {"schema": {"type": "object"}}},
                    }
                },
            }
        },
    }


def _logs() -> JsonObject:
    operation = _operation(
        "logs",
        "Read or follow a step's log",
        {},
        (404, 409, 422, *_UPSTREAM),
        parameters=[_RUN_ID, *_query(shapes.LogQuery)],
    )
    source = {"type": "string", "enum": ["live", "archived", "kept"]}
    where = "`live`: from the pod; `archived`: by Argo, all of it; `kept`: the pod is gone, these are the last lines."
    operation["responses"]["200"] = {
        "description": "The log, as it comes.",
        "headers": {LOG_HEADER: {"description": where, "schema": source}},
        "content": {"text/plain": {"schema": _TEXT}},
    }
    return operation


def _operation(
    name: str,
    summary: str,
    good: Mapping[int, tuple[str, list[type]]],
    bad: Iterable[int],
    *,
    parameters: list[JsonObject],
) -> JsonObject:
    answers = {
        str(status): {"description": text, "content": {"application/json": {"schema": _any_of(types)}}}
        for status, (text, types) in good.items()
    }
    refused = {
        str(status): {"$ref": f"#/components/responses/Refused{status}"} for status in (*_ALWAYS, *bad)
    }
    return {
        "operationId": name,
        "summary": summary,
        "parameters": parameters,
        "responses": {**answers, **refused},
    }


def _query(shape: type) -> list[JsonObject]:
    """Describe a shape's fields as parameters of the query."""
    _, components = msgspec.json.schema_components([shape], ref_template=_TEMPLATE)
    described: dict[str, Any] = components[shape.__name__]
    return [
        {
            "name": name,
            "in": "query",
            "required": name in described["required"],
            "description": schema.pop("description", ""),
            "schema": schema,
        }
        for name, schema in described["properties"].items()
    ]


def _header(name: str, description: str) -> JsonObject:
    return {name: {"description": description, "required": True, "schema": _TEXT}}


def _any_of(types: list[type]) -> JsonObject:
    return _ref(types[0]) if len(types) == 1 else {"anyOf": [_ref(each) for each in types]}


def _ref(shape: type) -> JsonObject:
    return {"$ref": _TEMPLATE.format(name=shape.__name__)}
