"""GraphQL at `/graphql`: our subset of GitHub's schema, executed by graphql-core."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import graphql
from starlette.responses import Response

from kubeci.local.github.calls import Call, Operation
from kubeci.local.github.graphql_pulls import refused
from kubeci.local.github.graphql_types import RepositoryNode, Session
from kubeci.local.github.state import timestamp
from kubeci.model.json import JsonObject

TOKENS_READ = 20_000  # of a query's text; a longer one is no query of anybody's


@cache
def schema() -> graphql.GraphQLSchema:
    """Build the schema, once a process."""
    return graphql.build_schema(Path(__file__).with_name("schema.graphql").read_text())


async def answer(call: Call) -> Response:
    """Answer `POST /graphql`: always 200, with the errors in the body."""
    query, variables = call.body.get("query"), call.body.get("variables")
    if not isinstance(query, str) or not (variables is None or isinstance(variables, dict)):
        return call.answer(
            {"errors": [{"message": "A query attribute must be specified and must be a string."}]}
        )
    async with AsyncExitStack() as stack:
        session = Session(call, stack)
        result = await _execute(query, _Root(session), variables, call.body.get("operationName"))
    body: JsonObject = {"data": result.data}
    if result.errors:
        body["errors"] = [_error(error) for error in result.errors]
    if result.data is None:
        del body["data"]
    return call.answer(body)


async def _execute(
    query: str, root: _Root, variables: JsonObject | None, operation: str | None
) -> graphql.ExecutionResult:
    document = _document(query)
    if not isinstance(document, graphql.DocumentNode):
        return graphql.ExecutionResult(None, document)
    result = graphql.execute(
        schema(),
        document,
        root,
        variable_values=variables,
        operation_name=operation,
        field_resolver=_resolve,
        type_resolver=_type,
    )
    return result if isinstance(result, graphql.ExecutionResult) else await result


@lru_cache(maxsize=64)
def _document(query: str) -> graphql.DocumentNode | list[graphql.GraphQLError]:
    """Read and judge a query, or give the complaints; kept, since a client sends few queries many times."""
    try:
        document = graphql.parse(query, max_tokens=TOKENS_READ)
    except graphql.GraphQLError as error:
        return [error]
    return graphql.validate(schema(), document) or document


def _resolve(source: Any, info: graphql.GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    value = source.get(info.field_name) if isinstance(source, dict) else getattr(source, info.field_name)
    return value(**arguments) if callable(value) else value


def _type(source: Any, *_: Any) -> str:
    return str(source["__typename"] if isinstance(source, dict) else source.kind)


def _error(error: graphql.GraphQLError) -> JsonObject:
    """Give an error as GitHub does: its `type` beside the message."""
    formatted: JsonObject = {**error.formatted}
    extensions = formatted.pop("extensions", None) or {}
    return {**({"type": extensions["type"]} if "type" in extensions else {}), **formatted}


class _Root:
    """The fields of Query."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def repository(self, owner: str, name: str, followRenames: bool = True) -> RepositoryNode:  # noqa: ARG002, N803, FBT001, FBT002 - GitHub's arguments; nothing is renamed here
        """Find a repository that the token reaches."""
        call = self._session.call
        found = call.state.repository(f"{owner}/{name}")
        if found is None or (call.token is not None and not call.state.reaches(call.token, found)):
            raise refused("NOT_FOUND", f"Could not resolve to a Repository with the name '{owner}/{name}'.")
        return RepositoryNode(self._session, found)

    def rateLimit(self, dryRun: bool = False) -> JsonObject:  # noqa: ARG002, N802, N803, FBT001, FBT002 - GitHub's names
        """Say what is left of the points."""
        call = self._session.call
        limits, now = call.services.limits, call.state.now()
        window = limits.window(call.caller, "graphql", now)
        limit = limits.requests_per_hour
        return {
            "cost": 1,
            "limit": limit,
            "nodeCount": 0,
            "remaining": max(0, limit - window.used),
            "resetAt": timestamp(window.reset),
            "used": window.used,
        }


OPERATIONS = [Operation("POST", "/graphql", answer)]
