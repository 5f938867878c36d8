"""Switches for tests: answers that fail, answers that are lost, limits that bite, an API that is slow."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from kubeci.local.github.errors import ApiError
from kubeci.local.github.random_faults import RandomFaults


@dataclass(slots=True)
class Fault:
    """Makes the next `times` requests with this method (`*`: any) and path fail.

    `path` is a regexp searched in the path without `/api/v3`. With a `status` that is answered; without one the
    connection is closed. `after`: the request takes effect first, so its answer is lost. All that is answered comes
    after `delay_seconds`; with these alone the answer is right but late.
    """

    method: str
    path: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = '{"message": "Server Error"}'
    times: int = 1
    after: bool = False
    delay_seconds: float = 0.0

    @property
    def only_delays(self) -> bool:
        """Say whether the request is answered all the same."""
        return self.status is None and not self.after and self.delay_seconds > 0


class Faults:
    """The faults that wait for their request; beside them `random` ones, which are met by chance."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self.random: RandomFaults | None = None

    def add(self, fault: Fault) -> Fault:
        """Switch a fault on; earlier ones that match the same request go first."""
        self._waiting.append(fault)
        return fault

    def clear(self) -> None:
        """Switch all faults off."""
        self._waiting.clear()
        self.random = None

    def take(self, method: str, path: str) -> Fault | None:
        """Give the oldest fault for a request, and count it down; without one, what chance brings."""
        for fault in self._waiting:
            if fault.method in {"*", method} and re.search(fault.path, path):
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        spoilt = self.random.spoil(path) if self.random else None
        return Fault(method, path, **asdict(spoilt)) if spoilt else None


@dataclass(slots=True)
class Window:
    """What one caller used of one resource in the current hour."""

    reset: datetime
    used: int = 0


@dataclass(slots=True)
class Limits:
    """The rate limits; change the fields at any time.

    `requests_per_hour` is the primary limit, of each installation and resource. `content_per_minute` and
    `content_per_hour` are the secondary limits on content-creating requests, off (None) unless a test sets them;
    `send_retry_after` says whether their refusal carries `retry-after` (the real service does not always).
    """

    requests_per_hour: int = 5_000
    content_per_minute: int | None = None
    content_per_hour: int | None = None
    send_retry_after: bool = True
    _windows: dict[tuple[str, str], Window] = field(default_factory=dict)
    _content: defaultdict[str, deque[datetime]] = field(default_factory=lambda: defaultdict(deque))

    def window(self, caller: str, resource: str, now: datetime) -> Window:
        """Give a caller's current hour."""
        window = self._windows.get((caller, resource))
        if window is None or now >= window.reset:
            window = self._windows[caller, resource] = Window(now + timedelta(hours=1))
        return window

    def spend(self, caller: str, resource: str, now: datetime) -> None:
        """Count a request; ApiError 403 when the hour's requests are used up."""
        window = self.window(caller, resource, now)
        if window.used >= self.requests_per_hour:
            raise ApiError(403, f"API rate limit exceeded for {caller}.")
        window.used += 1

    def give_back(self, caller: str, resource: str, now: datetime) -> None:
        """Uncount a request that was answered 304."""
        window = self.window(caller, resource, now)
        window.used = max(0, window.used - 1)

    def create(self, caller: str, now: datetime) -> None:
        """Count a content-creating request; ApiError 403, GitHub's secondary limit, when there are too many."""
        made = self._content[caller]
        while made and made[0] <= now - timedelta(hours=1):
            made.popleft()
        minute = sum(1 for moment in made if moment > now - timedelta(minutes=1))
        if (self.content_per_minute is not None and minute >= self.content_per_minute) or (
            self.content_per_hour is not None and len(made) >= self.content_per_hour
        ):
            raise SecondaryLimit(
                403,
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
            )
        made.append(now)

    def headers(self, caller: str, resource: str, now: datetime) -> dict[str, str]:
        """Give the headers that every answer carries."""
        window = self.window(caller, resource, now)
        return {
            "x-ratelimit-limit": str(self.requests_per_hour),
            "x-ratelimit-remaining": str(max(0, self.requests_per_hour - window.used)),
            "x-ratelimit-used": str(window.used),
            "x-ratelimit-reset": str(int(window.reset.timestamp())),
            "x-ratelimit-resource": resource,
        }


class SecondaryLimit(ApiError):
    """The secondary limit was hit."""
