"""The API server's refusals in, our errors out (kubernetes.io/docs/reference/using-api/api-concepts)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from kubeci.errors import Conflict, Forbidden, Invalid, NotFound, RateLimited, UpstreamError
from kubeci.redaction import Redaction

MAX_MESSAGE = 2000
DEFAULT_WAIT_SECONDS = 1.0  # what the API server itself asks for when it is busy
# A proxy on the way may repeat what it was sent.
_mask = Redaction()
WAITING = "is waiting to start"  # the kubelet's words for a container that has no log yet


def of_answer(status: int, headers: Mapping[str, str], content: bytes, *, call: str) -> UpstreamError:
    """Turn an answer that is no success into our error; `content` is its body, most often a `Status` object.

    Its words are for the operator alone, since they may name accounts, machines and addresses; see `told_in_full`.
    """
    told = f"the cluster answered {status} to {call}"
    text = f"{told}: {_message(content)}"
    if status in {404, 410}:
        return NotFound(text, status=status, public=told)
    if status == 409:
        return Conflict(text, status=status, public=told)
    if status in {400, 413, 415, 422}:
        return Invalid(text, status=status, retryable=WAITING in text, public=told)
    if status in {401, 403}:
        return Forbidden(text, status=status, public=told)
    if status == 429:
        asked = headers.get("Retry-After", "")
        seconds = float(asked) if asked.isdecimal() else DEFAULT_WAIT_SECONDS
        return RateLimited(text, retry_after=seconds, public=told)
    return UpstreamError(text, status=status, retryable=status >= 500 or status == 408, public=told)


def told_in_full(error: NotFound | Conflict | Invalid) -> UpstreamError:
    """Give an error whose words are about what was asked alone, so that anybody may read them; it stays of its kind."""
    return type(error)(str(error), status=error.status, retryable=error.retryable)


def of_failure(error: Exception, *, call: str) -> UpstreamError:
    """Turn a connection that failed into our error; the request may have been done."""
    if isinstance(error, TimeoutError):
        return UpstreamError(f"the cluster did not answer {call} in time", retryable=True)
    return UpstreamError(
        f"the connection to the cluster failed at {call}: {error}"[:MAX_MESSAGE],
        retryable=True,
        public=f"the connection to the cluster failed at {call}",
    )


def _message(content: bytes) -> str:
    try:
        status = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        status = None
    told = status.get("message") if isinstance(status, dict) else None
    words = str(told or content[:200].decode("utf-8", "replace").strip() or "no message")
    return _mask(words)[:MAX_MESSAGE]
