from __future__ import annotations

import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from postgres_server import ESCAPED, PASSWORD, PostgresServer

from kubeci.errors import ConfigurationError, Invalid, UpstreamError
from kubeci.model.event import Delivery
from kubeci.store.database import Database, database
from kubeci.store.engine import backend
from kubeci.store.inbox import SqlInbox
from kubeci.store.migrate import bring_up_to_date

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
CLOSED = "127.0.0.1:9/kubeci"  # nobody listens there


@pytest.fixture
def impatient(postgres: PostgresServer) -> Iterator[Database]:
    """A database that is not waited for long."""
    used = replace(backend(postgres.new_database()), patience_seconds=0.2)
    with ThreadPoolExecutor(used.connections) as executor:
        yield Database(used, executor)
    used.engine.dispose()


async def test_a_database_that_is_away_is_said_to_be_and_heals(
    postgres: PostgresServer, impatient: Database
) -> None:
    inbox = SqlInbox(impatient)
    await impatient.run(bring_up_to_date)
    assert await inbox.add(Delivery("before", "push", b"{}", NOW))
    postgres.stop()
    try:
        with pytest.raises(UpstreamError, match=r"fails: .*refused") as caught:
            await inbox.add(Delivery("meanwhile", "push", b"{}", NOW))
        assert caught.value.retryable
        assert caught.value.public == "the database of the server fails"
        told = "".join(traceback.format_exception(caught.value))
        assert PASSWORD not in told
        assert ESCAPED not in told
    finally:
        postgres.start()
    assert await inbox.add(Delivery("meanwhile", "push", b"{}", NOW))
    assert len(await inbox.deliveries()) == 2


async def test_a_value_that_postgresql_refuses_is_invalid_and_not_asked_again(impatient: Database) -> None:
    await impatient.run(bring_up_to_date)
    delivery = Delivery("d" * 65, "secret", b"{}", NOW)
    with pytest.raises(Invalid, match="too long") as caught:
        await SqlInbox(impatient).add(delivery)
    assert not caught.value.retryable
    assert "secret" not in "".join(traceback.format_exception(caught.value)), "values are not told"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (
            "mysql://kubeci:hidden@host/kubeci",
            "--store mysql: only sqlite:///PATH and postgresql://… are known",
        ),
        ("kubeci.db", "--store kubeci.db: only"),
        ("postgresql://kubeci:hidden/kubeci", "are written %XX"),
        ("postgresql:kubeci:hidden@host/kubeci", "are written %XX"),
        (f"postgresql://kubeci:hidden@{CLOSED}", f"the store {CLOSED.replace(':9', '')} cannot be opened: "),
        (f"postgresql://{CLOSED}?password=hidden&user=kubeci", "cannot be opened: "),
        (
            "sqlite:////no/such/folder/kubeci.db",
            "the store /no/such/folder/kubeci.db cannot be opened: unable",
        ),
    ],
)
async def test_a_store_that_cannot_be_opened_says_so_without_the_password(address: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        async with database(address):
            pass
    assert words in str(caught.value)
    told = "".join(traceback.format_exception(caught.value)).replace(address, "")
    assert "hidden" not in told


async def test_postgresql_says_who_may_not_open_it(postgres: PostgresServer) -> None:
    address = postgres.address.replace(ESCAPED, "hidden")
    with pytest.raises(ConfigurationError, match="password authentication failed") as caught:
        async with database(address):
            pass
    assert "hidden" not in "".join(traceback.format_exception(caught.value))


async def test_postgresql_says_what_a_user_may_not_do(postgres: PostgresServer) -> None:
    postgres.administer("CREATE ROLE guest LOGIN PASSWORD 'guest'")
    address = postgres.address.replace(f"kubeci:{ESCAPED}", "guest:guest")
    with pytest.raises(ConfigurationError, match="permission denied for schema public"):
        async with database(address):
            pass


async def test_time_limits_are_set_and_the_address_has_the_last_word(postgres: PostgresServer) -> None:
    used = backend(f"{postgres.address}?application_name=mine")
    with used.engine.connect() as connection:
        shown = [
            connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("statement_timeout", "lock_timeout", "application_name")
        ]
    used.engine.dispose()
    assert shown == ["15s", "10s", "mine"]


async def test_a_file_keeps_what_was_answered_through_a_power_cut(tmp_path: Path) -> None:
    used = backend(f"sqlite:///{tmp_path}/kubeci.db")
    with used.engine.connect() as connection:
        shown = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous")
        ]
    used.engine.dispose()
    assert shown == ["wal", 2]


async def test_a_file_that_is_no_database_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "bad.db").write_text("this is no database, but long enough to be taken for one " * 20)
    with pytest.raises(ConfigurationError, match="cannot be opened: file is not a database"):
        async with database(f"sqlite:///{tmp_path / 'bad.db'}"):
            pass
