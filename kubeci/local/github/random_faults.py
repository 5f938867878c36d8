"""Calls that fail at random, in all the ways in which GitHub does."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import TypeAlias

RETRY_AFTER = 1
"""Seconds that limits ask to wait: the least that their headers can say."""
SECONDARY = (
    '{"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}'
)


@dataclass(frozen=True, slots=True)
class Spoilt:
    """What comes of one call: a status, or None for a connection that is closed; `after`: it took effect first."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = '{"message": "Server Error"}'
    after: bool = False
    delay_seconds: float = 0.0


Way: TypeAlias = Callable[["RandomFaults"], Spoilt]


def _used_up(_: RandomFaults) -> Spoilt:
    reset = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + RETRY_AFTER)}
    return Spoilt(403, reset, '{"message": "API rate limit exceeded for installation."}')


def _status(status: int, *, after: bool = False) -> Way:
    return lambda _: Spoilt(status, after=after)


WAYS: Mapping[str, Way] = MappingProxyType(
    {
        "500": _status(500),
        "502": _status(502),
        "503": _status(503),
        "504": _status(504),
        "500 after the effect": _status(500, after=True),
        "502 after the effect": _status(502, after=True),
        "429 with retry-after": lambda _: Spoilt(429, {"retry-after": str(RETRY_AFTER)}, SECONDARY),
        "429": lambda _: Spoilt(429, body=SECONDARY),
        "403 secondary with retry-after": lambda _: Spoilt(403, {"retry-after": str(RETRY_AFTER)}, SECONDARY),
        "403 secondary": lambda _: Spoilt(403, body=SECONDARY),
        "403 used up": _used_up,
        "cut before the effect": lambda _: Spoilt(),
        "cut after the effect": lambda _: Spoilt(after=True),
        "401": lambda _: Spoilt(401, body='{"message": "Bad credentials"}'),
        "slow": lambda chance: Spoilt(delay_seconds=chance.random.uniform(0.0, chance.slow_seconds)),
        "too late": lambda chance: Spoilt(after=True, delay_seconds=chance.late_seconds),
    }
)
"""The ways by name. "slow" is answered rightly; "too late" took effect, its answer comes when nobody waits any more."""
NOT_AS_APP = frozenset({"401"})
"""Ways that calls with an installation's token alone meet: those of the App under `/app` carry a JWT."""


@dataclass
class RandomFaults:
    """Spoils each call with the chance `rate` (0 to 1), in one of the `ways`, each as likely as the next.

    Switch it on with `github.faults.random = RandomFaults(0.2, Random(7))`, off with `None` (or `faults.clear()`). Only
    calls whose path matches `path` (a regexp that is searched) are spoilt; a `Fault` that waits for a call goes first.
    `slow_seconds` is the longest of slow answers; `late_seconds` should be more than the client waits. Limits without
    `retry-after` hold the client for as long as it decides (`Endpoint.limit_seconds`, a minute): leave "429" and
    "403 secondary" out of `ways` where that is too long. `given` counts what was spoilt, by way.
    """

    rate: float
    random: Random
    ways: Sequence[str] = tuple(WAYS)
    path: str = ""
    slow_seconds: float = 0.3
    late_seconds: float = 25.0
    given: Counter[str] = field(default_factory=Counter)

    def spoil(self, path: str) -> Spoilt | None:
        """Decide what comes of a call; None: it is answered."""
        if not re.search(self.path, path) or self.random.random() >= self.rate:
            return None
        way = self.random.choice([way for way in self.ways if not (way in NOT_AS_APP and _as_app(path))])
        self.given[way] += 1
        return WAYS[way](self)


def _as_app(path: str) -> bool:
    return path == "/app" or path.startswith("/app/")
