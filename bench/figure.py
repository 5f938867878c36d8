"""What a row gives: figures with their units, and the machine that they hold for."""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from kubeci import __version__


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value; `how` says in few words what was done."""

    what: str
    value: float
    unit: str
    how: str


def machine() -> dict[str, str | int]:
    """Describe what the figures hold for; `load` tells how busy the machine was before the first row."""
    return {
        "kubeci": __version__,
        "cores": os.cpu_count() or 0,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def percentile(values: Sequence[float], percent: float) -> float:
    """Give the smallest value that at least `percent` percent of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def milliseconds(what: str, seconds: Sequence[float], how: str) -> list[Figure]:
    """Give the median and the 99th percentile of measured times."""
    return [
        Figure(f"{what}, median", statistics.median(seconds) * 1000, "ms", how),
        Figure(f"{what}, p99", percentile(seconds, 99) * 1000, "ms", how),
    ]
