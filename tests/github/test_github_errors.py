from __future__ import annotations

import json

import pytest

from kubeci.errors import Conflict, Forbidden, Invalid, NotFound, RateLimited, UpstreamError
from kubeci.github.errors import of_answer, of_graphql

NOW = 1_000_000.0
CALL = "POST /repos/{owner}/{repo}/check-runs"
EMPTY = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000090"}


@pytest.mark.parametrize(
    ("status", "headers", "message", "expected", "seconds"),
    [
        (429, {"retry-after": "7"}, "slow down", RateLimited, 7.0),
        (403, {"retry-after": "7"}, "slow down", RateLimited, 7.0),
        (403, EMPTY, "API rate limit exceeded", RateLimited, 90.0),
        (403, EMPTY | {"x-ratelimit-reset": "999999"}, "API rate limit exceeded", RateLimited, 1.0),
        (403, EMPTY | {"x-ratelimit-reset": "soon"}, "API rate limit exceeded", RateLimited, 60.0),
        (403, {}, "You have exceeded a secondary rate limit.", RateLimited, 60.0),
        (429, {}, "", RateLimited, 60.0),
        (429, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, "", RateLimited, 60.0),
        (403, {}, "Resource not accessible by integration", Forbidden, None),
        (403, {"x-ratelimit-remaining": "4999"}, "Must have admin rights", Forbidden, None),
        (401, {}, "Bad credentials", Forbidden, None),
        (404, {}, "Not Found", NotFound, None),
        (409, {}, "Git Repository is empty.", Conflict, None),
        (422, {}, "Validation Failed", Invalid, None),
        (418, {}, "teapot", UpstreamError, None),
        (502, {}, "Server Error", UpstreamError, None),
    ],
)
def test_of_answer(
    status: int, headers: dict[str, str], message: str, expected: type[UpstreamError], seconds: float | None
) -> None:
    error = of_answer(status, headers, json.dumps({"message": message}).encode(), call=CALL, now=NOW)
    assert type(error) is expected
    assert error.status == status
    assert error.retryable is (expected is RateLimited or status >= 500)
    assert message in str(error)
    assert getattr(error, "retry_after", None) == seconds


@pytest.mark.parametrize(
    ("headers", "call", "words"),
    [
        ({}, CALL, "lacks the permission checks: write"),
        ({}, "GET /repos/{owner}/{repo}/git/ref/{ref}", "lacks the permission contents: read"),
        ({"x-accepted-github-permissions": "issues=write"}, CALL, "lacks the permission issues: write"),
        ({}, "GET /repos/{owner}/{repo}/pulls", "lacks a permission"),
    ],
)
def test_a_missing_permission_is_named(headers: dict[str, str], call: str, words: str) -> None:
    content = b'{"message": "Resource not accessible by integration"}'
    assert str(of_answer(403, headers, content, call=call, now=NOW)).endswith(words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b'{"message":"Validation Failed","errors":[{"resource":"CheckRun","field":"name","code":"missing"}]}',
            ": Validation Failed; CheckRun.name: missing",
        ),
        (b'{"message":"Invalid","errors":["one","two"]}', ": Invalid; one; two"),
        (b'{"message":"Invalid","errors":"all"}', ": Invalid; all"),
        (b"<html>Unicorn!</html>", "check-runs"),
        (b"[1]", "check-runs"),
        (b"\xff", "check-runs"),
        (b"[" * 50_000, "check-runs"),
    ],
)
def test_github_s_messages_are_kept(content: bytes, words: str) -> None:
    assert str(of_answer(422, {}, content, call=CALL, now=NOW)).endswith(words)


def test_long_messages_are_cut() -> None:
    content = json.dumps({"message": "x" * 50_000}).encode()
    assert len(str(of_answer(422, {}, content, call=CALL, now=NOW))) < 1000


@pytest.mark.parametrize(
    ("errors", "expected", "retryable"),
    [
        ([{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}], RateLimited, True),
        ([{"type": "NOT_FOUND", "message": "Could not resolve to a Repository"}], NotFound, False),
        ([{"type": "FORBIDDEN", "message": "Resource not accessible by integration"}], Forbidden, False),
        ([{"message": "Something went wrong while executing your query."}], UpstreamError, True),
        (
            [{"message": "Field 'x' doesn't exist", "extensions": {"code": "undefinedField"}}],
            UpstreamError,
            False,
        ),
    ],
)
def test_of_graphql(
    errors: list[dict[str, object]],
    expected: type[UpstreamError],
    retryable: bool,
) -> None:
    error = of_graphql(errors, EMPTY, now=NOW)
    assert type(error) is expected
    assert error.retryable is retryable
    assert str(errors[0]["message"]) in str(error)
    assert getattr(error, "retry_after", 90.0) == 90.0
