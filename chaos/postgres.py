"""A PostgreSQL of the harness's own: the one that the tests start."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

TESTS = Path(__file__).parents[1] / "tests"


class MissingError(Exception):
    """PostgreSQL is not installed."""


class Postgres(Protocol):
    """A server that runs; `stop` and `start` block."""

    def new_database(self) -> str:
        """Make an empty database; gives its address."""

    def stop(self) -> None:
        """End it as its operator does: connections are ended first."""

    def start(self) -> None:
        """Start it again."""


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a server until the block ends; MissingError where it is not installed."""
    sys.path.insert(0, str(TESTS))
    module = importlib.import_module("postgres_server")
    if module.installed() is None:
        raise MissingError(module.MISSING)
    with module.postgres_server() as server:
        yield server
