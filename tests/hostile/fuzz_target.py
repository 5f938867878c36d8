"""What is fuzzed: a name, a strategy and a property."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\ud800-\udfff]")
Property = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Target:
    """What is fuzzed."""

    name: str
    values: st.SearchStrategy[Any]
    holds: Property
