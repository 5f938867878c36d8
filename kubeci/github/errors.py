"""GitHub's refusals in, our errors out (docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api).

No text here holds a header that was sent, so no token either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import msgspec
from githubkit.exception import GitHubException, RequestError, RequestFailed

from kubeci.errors import Conflict, Forbidden, Invalid, NotFound, RateLimited, UpstreamError
from kubeci.redaction import Redaction

# A proxy on the way may repeat what it was sent.
_mask = Redaction()

SECONDARY_LIMIT_SECONDS = 60.0  # GitHub's advice where it names no time
LONGEST_LIMIT_SECONDS = 3660.0  # a budget is renewed each hour
MAX_MESSAGE = 600
# What an App needs for a route, where GitHub's answer does not say it.
PERMISSIONS = (
    ("/check-runs", "checks: write"),
    ("PUT /repos/{owner}/{repo}/contents", "contents: write"),
    ("POST /repos/{owner}/{repo}/issues", "issues: write"),
    ("/pulls/", "pull_requests: read"),
    ("/deployments", "deployments: write"),
    ("/git/", "contents: read"),
    ("/graphql", "contents: read"),
)


class LeadsAwayError(httpx.HTTPError):
    """GitHub answered with a redirect to another host, or away from TLS."""


def translate(
    error: GitHubException | httpx.HTTPError,
    *,
    call: str,
    now: float,
    limit_seconds: float = SECONDARY_LIMIT_SECONDS,
) -> UpstreamError:
    """Turn what githubkit or its client raised into our error.

    `call` names method and route, `now` is in epoch seconds, `limit_seconds` is for limits that name no time.
    """
    if isinstance(error, RequestFailed):
        response = error.response.raw_response
        refusal = of_answer(response.status_code, response.headers, response.content, call=call, now=now)
        if isinstance(refusal, RateLimited) and _wait(response.headers, now) is None:
            refusal.retry_after = limit_seconds
        return refusal
    cause = error.exc if isinstance(error, RequestError) else error
    if isinstance(cause, LeadsAwayError):
        return UpstreamError(f"GitHub's answer to {call} leads to another host; nothing is sent there")
    if isinstance(cause, httpx.TimeoutException):
        return UpstreamError(f"GitHub did not answer {call} in time", retryable=True)
    if isinstance(cause, httpx.TransportError):
        kind = type(cause).__name__
        return UpstreamError(f"the connection to GitHub failed at {call} ({kind})", retryable=True)
    return UpstreamError(f"{call} could not be sent to GitHub ({type(cause).__name__})")


def of_answer(
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    *,
    call: str,
    now: float,
) -> UpstreamError:
    """Turn an answer of status 400 or more into our error, with GitHub's own message in it."""
    message = _message(content)
    text = f"GitHub answered {status} to {call}" + (f": {message}" if message else "")
    if status in {403, 429}:
        wait = _wait(headers, now)
        if wait is None and (status == 429 or _is_limit(message)):
            wait = SECONDARY_LIMIT_SECONDS
        if wait is not None:
            return RateLimited(text, status=status, retry_after=wait)
    if status in {401, 403}:
        return Forbidden(text + _missing_permission(headers, message, call), status=status)
    if status in {404, 410}:
        return NotFound(text, status=status)
    if status == 409:
        return Conflict(text, status=status)
    if status in {400, 413, 415, 422}:
        return Invalid(text, status=status)
    return UpstreamError(text, status=status, retryable=status >= 500 or status == 408)


def of_graphql(
    errors: Sequence[Mapping[str, Any]], headers: Mapping[str, str], *, now: float
) -> UpstreamError:
    """Turn the errors of a GraphQL answer into our error; the first decides its kind."""
    kinds = {str(error.get("type", "")) for error in errors}
    told = _mask("; ".join(str(error.get("message", "")) for error in errors))[:MAX_MESSAGE]
    text = f"GitHub's GraphQL answered: {told}"
    if kinds & {"RATE_LIMIT", "RATE_LIMITED"}:
        return RateLimited(text, status=200, retry_after=_until_reset(headers, now))
    if "NOT_FOUND" in kinds:
        return NotFound(text, status=200)
    if "FORBIDDEN" in kinds:
        return Forbidden(text + "; the App may lack the permission contents: read", status=200)
    # Errors of a query that is wrong carry `undefinedField` and the like in extensions, never a timeout's.
    return UpstreamError(text, status=200, retryable=not any("extensions" in error for error in errors))


def _wait(headers: Mapping[str, str], now: float) -> float | None:
    """Say how many seconds a refusal asks us to wait; None: it names no time."""
    asked = headers.get("retry-after", "")
    if asked.isdecimal():
        return min(float(asked[:20]), LONGEST_LIMIT_SECONDS)
    if headers.get("x-ratelimit-remaining") == "0":
        return _until_reset(headers, now)
    return None


def _is_limit(message: str) -> bool:
    told = message.lower()
    return "secondary rate limit" in told or "abuse detection" in told


def _until_reset(headers: Mapping[str, str], now: float) -> float:
    reset = headers.get("x-ratelimit-reset", "")
    if not reset.isdecimal():
        return SECONDARY_LIMIT_SECONDS
    return min(max(float(reset[:20]) - now, 1.0), LONGEST_LIMIT_SECONDS)


def _missing_permission(headers: Mapping[str, str], message: str, call: str) -> str:
    if "not accessible by integration" not in message:
        return ""
    accepted = headers.get("x-accepted-github-permissions", "").replace("=", ": ")
    needed = accepted or next((needed for part, needed in PERMISSIONS if part in call), "")
    return f"; the App lacks the permission {needed}" if needed else "; the App lacks a permission"


def _message(content: bytes) -> str:
    """Join what GitHub says is wrong: its message, and those of its list of errors."""
    try:
        body = msgspec.json.decode(content[:100_000])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    if not isinstance(body, dict):
        return ""
    errors = body.get("errors")
    parts = [str(body.get("message", "")), *map(_detail, errors if isinstance(errors, list) else [errors])]
    return _mask("; ".join(part for part in parts if part))[:MAX_MESSAGE]


def _detail(error: object) -> str:
    if not isinstance(error, dict):
        return str(error or "")
    where = ".".join(str(error[key]) for key in ("resource", "field") if error.get(key))
    return ": ".join(part for part in (where, str(error.get("message") or error.get("code") or "")) if part)
