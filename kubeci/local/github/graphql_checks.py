"""Check suites behind the GraphQL types; fields by GitHub's names."""

from __future__ import annotations

from kubeci.local.github.graphql_pulls import Span, connection
from kubeci.local.github.payloads import node_id
from kubeci.local.github.state import CheckSuite, State, timestamp
from kubeci.model.json import JsonObject


def suites(state: State, found: CheckSuite | None, wanted: JsonObject | None, span: Span) -> JsonObject:
    """Page through the suites of a commit: those of our App, as no other is here."""
    app_id = (wanted or {}).get("appId", state.app.id)
    shown = [found] if found and app_id in {None, state.app.id} else []
    return connection([_suite(state, each) for each in shown], span)


def _suite(state: State, suite: CheckSuite) -> JsonObject:
    def runs(
        first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
    ) -> JsonObject:
        return connection(state.runs_of(suite), Span("checkRuns", first, after, last, before))

    return {
        "id": node_id("CheckSuite", suite.id),
        "databaseId": suite.id,
        "createdAt": timestamp(suite.created_at),
        "checkRuns": runs,
        "push": _push(state, suite),
    }


def _push(state: State, suite: CheckSuite) -> JsonObject | None:
    """Give the push that made the suite; None: something else did."""
    if suite.pusher is None:
        return None
    pusher = suite.pusher
    return {
        "id": node_id("Push", suite.id),
        "nextSha": suite.head_sha,
        "previousSha": suite.before,
        "pusher": {
            "__typename": pusher.type,
            "id": node_id(pusher.type, pusher.id),
            "login": pusher.login.removesuffix("[bot]"),
            "url": f"{state.base_url}/{pusher.login}",
        },
    }
