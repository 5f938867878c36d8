"""What a case of a spoilt installation consists of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from installation_scene import Scene

from kubeci.doctor.finding import State

Spoil: TypeAlias = Callable[[Scene], Awaitable[None] | None]
Case: TypeAlias = tuple[Spoil, list[tuple[str, State]], list[str], str]
"""What spoils it; what is found; what is not looked at then; words of the remedy."""
