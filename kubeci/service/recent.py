"""A set that remembers only so much."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class RecentSet(Generic[T]):
    """The newest `size` things that were added."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._things: OrderedDict[T, None] = OrderedDict()

    def add(self, thing: T) -> None:
        """Add a thing, forgetting the oldest where there are too many."""
        self._things[thing] = None
        self._things.move_to_end(thing)
        if len(self._things) > self._size:
            self._things.popitem(last=False)

    def __contains__(self, thing: T) -> bool:
        return thing in self._things
