from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog
from postgres_server import PostgresServer, postgres_server

if TYPE_CHECKING:
    from given_cluster import RealCluster

# No test trusts a certificate of the machine's store, and reading it takes each TLS context 20 ms. Processes inherit this;
# the file's one authority ended in 2020, and nobody has its key.
os.environ["SSL_CERT_FILE"] = str(Path(__file__).parent / "data" / "nobody.pem")

# What is imported and collected stays: nothing of it is looked through until it is all there.
gc.disable()

# Drawn with all local variables, as structlog does by itself, each exception in a log takes 0.1 seconds.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


def pytest_collection_finish() -> None:
    """Keep what was imported out of every later garbage collection."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files anew from what the code gives"
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Give the one PostgreSQL server of this process; whoever stops it starts it again."""
    with postgres_server() as running:
        yield running


@pytest.fixture(scope="session")
def real_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    """Give the one real cluster of this run, to the tests of all folders."""
    sys.path.insert(0, str(Path(__file__).parent / "real_cluster"))
    from running_cluster import running_cluster  # noqa: PLC0415 - only those who ask for a cluster need it

    with running_cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found
