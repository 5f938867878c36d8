"""Failures on purpose: what a test wants the API server to do wrong, and to which requests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypedDict, Unpack

from kubeci.local.cluster.status import ApiError, Expired

_REASONS = {
    400: "BadRequest",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class FaultOptions(TypedDict, total=False):
    """What goes wrong: see `Fault`."""

    status: int
    times: int
    delay_seconds: float
    drop: bool
    after: bool
    cut_body: bool


@dataclass(slots=True)
class Fault:
    """A failure of requests with this method ("*": any) whose path and query match the pattern.

    After `delay_seconds` the connection is cut without an answer (`drop`), or the answer is a Status with the HTTP
    status `status`, or, when that is 0, the request goes on as usual. `after`: the request takes effect first, so that
    its answer is lost. `cut_body`: the connection is cut in the middle of the answer. It happens `times` times.
    """

    method: str
    pattern: re.Pattern[str]
    status: int = 0
    times: int = 1
    delay_seconds: float = 0.0
    drop: bool = False
    after: bool = False
    cut_body: bool = False

    def error(self) -> ApiError:
        """Give the refusal that is answered."""
        if self.status == 410:
            return Expired("The resourceVersion for the provided list is too old.")
        error = ApiError(self.status, _REASONS.get(self.status, ""), f"fault: HTTP {self.status} on purpose")
        if self.status in {429, 503}:
            error.headers = {"Retry-After": "1"}
            error.details = {"retryAfterSeconds": 1}
        return error


class Faults:
    """The failures that are still to happen, in the order they were added."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, method: str, path_regex: str, **how: Unpack[FaultOptions]) -> Fault:
        """Let requests fail; `path_regex` is searched for in path and query, `how` is told in `Fault`."""
        fault = Fault(method, re.compile(path_regex), **how)
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Let nothing fail any more."""
        self._faults.clear()

    def take(self, method: str, target: str) -> Fault | None:
        """Give the failure a request shall have now, and count it."""
        for fault in self._faults:
            if fault.times > 0 and fault.method in {"*", method} and fault.pattern.search(target):
                fault.times -= 1
                return fault
        return None
