"""Whether the cluster answers: while it does not, one at a time asks it, and the others are told what it told the last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kubeci.errors import Unready, UpstreamError
from kubeci.service.patience import is_away


class Turns:
    """Keeps those who would only wait for the same answer from waiting: each of them holds up other work."""

    def __init__(self) -> None:
        self._away: UpstreamError | None = None
        self._asking = 0

    @contextmanager
    def turn(self, *, sure: bool) -> Iterator[None]:
        """Ask the cluster in the block; `sure`: in any case. Raises `Unready` where it is away and another is asking."""
        if self._away and self._asking and not sure:
            raise Unready(str(self._away), status=self._away.status, public=self._away.public)
        self._asking += 1
        try:
            yield
        except UpstreamError as error:
            self._away = error if is_away(error) else None
            raise
        else:
            self._away = None
        finally:
            self._asking -= 1
