"""What GitHub said of its rate limits, remembered for each installation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kubeci.errors import RateLimited
from kubeci.model.report import Budget
from kubeci.model.repository import Repository

FULL = Budget(remaining=5000, limit=5000)  # the least that an installation has in an hour


@dataclass(frozen=True, slots=True)
class _Window:
    budget: Budget
    reset: float


class Limits:
    """Keeps the budgets of installations and refuses requests that GitHub has asked to hold back.

    REST and GraphQL have budgets of their own. Going on while limited may get an App banned
    (docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api).
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._windows: dict[int, _Window] = {}
        self._closed_until: dict[tuple[int, str], float] = {}

    def budget(self, installation_id: int) -> Budget:
        """Give what is left of the REST budget as of the last answer; a full one when its window has ended."""
        window = self._windows.get(installation_id)
        if window is None:
            return FULL
        if window.reset <= self._now():
            return Budget(remaining=window.budget.limit, limit=window.budget.limit)
        return window.budget

    def check(self, repository: Repository, api: str) -> None:
        """Raise `RateLimited` while GitHub wants no requests of this installation."""
        wait = self._closed_until.get((repository.installation_id, api), 0.0) - self._now()
        if wait > 0:
            raise RateLimited(f"GitHub asked to wait {wait:.0f} s more", retry_after=wait)

    def close(self, repository: Repository, api: str, seconds: float) -> None:
        """Hold back requests of this installation for so long."""
        self._closed_until[repository.installation_id, api] = self._now() + seconds

    def learn(self, repository: Repository, headers: Mapping[str, str]) -> None:
        """Remember the REST budget that an answer tells."""
        told = {key: headers.get(f"x-ratelimit-{key}", "") for key in ("remaining", "limit", "reset")}
        if headers.get("x-ratelimit-resource", "core") == "core" and all(
            v.isdecimal() for v in told.values()
        ):
            budget = Budget(remaining=int(told["remaining"]), limit=int(told["limit"]))
            self._windows[repository.installation_id] = _Window(budget, float(told["reset"]))
