"""What GitHub said of its rate limits, remembered for each caller: an installation, or the App itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from kubeci.errors import RateLimited
from kubeci.github.errors import LONGEST_LIMIT_SECONDS
from kubeci.model.report import Budget

FULL = Budget(remaining=5000, limit=5000)  # the least that an installation has in an hour
THE_APP = 0
"""The caller that is the App itself: its requests are none of an installation's."""
REST, GRAPHQL = "rest", "graphql"
APIS = {"core": REST, "graphql": GRAPHQL}
"""Which of the two has a budget that GitHub calls so."""
STRAIN_SECONDS = 60.0
"""For so long after a limit has passed progress stays behind what gates merges; after a shorter limit as long as it."""

OnLimit: TypeAlias = Callable[[int, str, Budget, float], None]
"""Told of each change: the caller, `rest` or `graphql`, what is left, and until when GitHub wants nothing (epoch seconds)."""


@dataclass(frozen=True, slots=True)
class _Window:
    budget: Budget = FULL
    reset: float = 0.0
    closed_until: float = 0.0
    strained_until: float = 0.0


def _untold(_caller: int, _api: str, _budget: Budget, _closed_until: float) -> None:
    """Tell nobody."""


class Limits:
    """Keeps the budgets of callers, and refuses requests that GitHub has asked to hold back.

    REST and GraphQL have budgets of their own. Going on while limited may get an App banned
    (docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api).
    """

    def __init__(self, now: Callable[[], float], on_limit: OnLimit = _untold) -> None:
        self._now = now
        self._on_limit = on_limit
        self._windows: dict[tuple[int, str], _Window] = {}

    def budget(self, caller: int) -> Budget:
        """Give what is left of the REST budget as of the last answer; a full one when its window has ended."""
        window, now = self._windows.get((caller, REST), _Window()), self._now()
        budget = window.budget
        if window.reset <= now:
            budget = Budget(remaining=budget.limit, limit=budget.limit)
        return replace(budget, strained_seconds=max(0.0, window.strained_until - now))

    def check(self, caller: int, api: str) -> None:
        """Raise `RateLimited` while GitHub wants no requests of this caller."""
        wait = self._windows.get((caller, api), _Window()).closed_until - self._now()
        if wait > 0:
            raise RateLimited(f"GitHub asked to wait {wait:.0f} s more", retry_after=wait)

    def close(self, caller: int, api: str, seconds: float) -> None:
        """Hold back requests of this caller for so long."""
        window, until = self._windows.get((caller, api), _Window()), self._now() + seconds
        strained = until + min(seconds, STRAIN_SECONDS)
        self._set(
            caller,
            api,
            replace(
                window,
                closed_until=max(window.closed_until, until),
                strained_until=max(window.strained_until, strained),
            ),
        )

    def learn(self, caller: int, headers: Mapping[str, str]) -> None:
        """Remember the budget that an answer tells; one that is used up is asked no more before it is renewed."""
        api = APIS.get(headers.get("x-ratelimit-resource", "core"), "")
        told = [headers.get(f"x-ratelimit-{key}", "") for key in ("remaining", "limit", "reset")]
        if not api or not all(each.isdecimal() and len(each) < 16 for each in told):
            return
        remaining, limit, reset = map(int, told)
        window = self._windows.get((caller, api), _Window())
        self._set(caller, api, replace(window, budget=Budget(remaining, limit), reset=float(reset)))
        if not remaining:
            self.close(caller, api, min(max(reset - self._now(), 0.0), LONGEST_LIMIT_SECONDS))

    def _set(self, caller: int, api: str, window: _Window) -> None:
        self._windows[caller, api] = window
        self._on_limit(caller, api, window.budget, window.closed_until)
