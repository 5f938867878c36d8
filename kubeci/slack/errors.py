"""Slack's refusals in, our errors out (docs.slack.dev/reference/methods/chat.postMessage, "Errors").

No text here holds a header, an address or a token: a `response_url` lets whoever knows it write.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import aiohttp

from kubeci.errors import Forbidden, Invalid, NotFound, RateLimited, UpstreamError

LIMIT_SECONDS = 30.0  # where Slack names no time; it asks for about this much
LONGEST_LIMIT_SECONDS = 3600.0

_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_MISSING = {
    "channel_not_found": "; is its name or id right, and is the app a member if it is private?",
    "expired_url": "; answers to a command can be sent for 30 minutes",
    "used_url": "; a command can be answered five times",
}
_FORBIDDEN = {
    "not_in_channel": "; invite the app to the channel",
    "is_archived": "; the channel is archived",
    "missing_scope": "; the app lacks the scope chat:write",
    "invalid_auth": "; the token is wrong",
    "not_authed": "; there is no token",
    "token_revoked": "; the token was revoked",
    "token_expired": "; the token is too old",
    "account_inactive": "; the app was removed from the workspace",
    "no_permission": "",
    "restricted_action": "",
    "access_denied": "",
    "org_login_required": "",
    "ekm_access_denied": "",
    "team_access_not_granted": "",
    "invalid_token": "",
}
_INVALID = frozenset({"msg_too_long", "no_text", "invalid_arguments", "invalid_payload", "invalid_blocks"})
_PASSING = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
_CODE = re.compile(r"[a-z0-9_]{1,60}")


def of_answer(status: int, headers: Mapping[str, str], code: object, *, call: str) -> UpstreamError:
    """Turn a refusal into our error; `code` is Slack's word for it, `call` what was asked."""
    word = code if isinstance(code, str) and _CODE.fullmatch(code) else ""
    text = f"Slack answered {word or status} to {call}"
    if status == 429 or word in _LIMITED:
        return RateLimited(text, retry_after=_wait(headers))
    if word in _MISSING:
        return NotFound(text + _MISSING[word], status=status)
    if word in _FORBIDDEN:
        return Forbidden(text + _FORBIDDEN[word], status=status)
    if word in _INVALID:
        return Invalid(text, status=status)
    return UpstreamError(text, status=status, retryable=status >= 500 or word in _PASSING)


def of_failure(error: Exception, *, call: str) -> UpstreamError:
    """Turn what the client raised before an answer came into our error."""
    if isinstance(error, TimeoutError):
        return UpstreamError(f"Slack did not answer {call} in time", retryable=True)
    kind = type(error).__name__
    retryable = isinstance(error, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError)
    return UpstreamError(f"{call} could not be sent to Slack ({kind})", retryable=retryable)


def _wait(headers: Mapping[str, str]) -> float:
    asked = headers.get("Retry-After", "")
    return min(float(asked), LONGEST_LIMIT_SECONDS) if re.fullmatch(r"[0-9]{1,9}", asked) else LIMIT_SECONDS
