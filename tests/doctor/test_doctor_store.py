"""Stores that can be opened, but that the server refuses: doctor says so, and leaves them as they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pytest
from installation_scene import Scene
from postgres_server import PostgresServer
from sqlalchemy import text

from kubeci.doctor import store
from kubeci.doctor.finding import Finding, State
from kubeci.errors import ConfigurationError
from kubeci.store.database import database
from kubeci.store.engine import backend
from kubeci.store.migrations.versions import r0001_first_tables as first

Spoil: TypeAlias = Callable[[str], None]


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/kubeci.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


def change(address: str, *statements: str, old_tables: bool = False) -> None:
    used = backend(address)
    with used.engine.begin() as connection:
        if old_tables:
            first.metadata.create_all(connection)
        for statement in statements:
            connection.execute(text(statement))
    used.engine.dispose()


async def look(scene: Scene, address: str) -> Finding:
    scene.options(store_url=address)
    [finding] = await store.store(scene.subject)
    return finding


async def refused(address: str) -> bool:
    """Say whether the server refuses the store; what doctor says must be the same."""
    try:
        async with database(address):
            return False
    except ConfigurationError:
        return True


@pytest.mark.parametrize(
    ("statements", "words", "remedy"),
    [
        (
            ("UPDATE alembic_version SET version_num = '9999'",),
            "newer version of kubeci (its revision is 9999",
            "start that version, or restore the backup",
        ),
        (
            ("DROP TABLE alembic_version", "ALTER TABLE logs ADD COLUMN odd INTEGER"),
            "does not know",
            "name another database with --store",
        ),
        (("ALTER TABLE alembic_version RENAME COLUMN version_num TO other",), "version_num", ", or "),
    ],
)
async def test_tables_that_the_server_refuses(
    statements: tuple[str, ...], words: str, remedy: str, address: str, scene: Scene
) -> None:
    async with database(address):
        pass
    assert (await look(scene, address)).state is State.OK
    change(address, *statements)
    finding = await look(scene, address)
    assert (finding.state, await refused(address)) == (State.WRONG, True)
    assert words in finding.found
    assert remedy in finding.remedy


async def test_older_tables_are_right_and_stay(address: str, scene: Scene) -> None:
    change(address, old_tables=True)
    for _ in range(2):
        finding = await look(scene, address)
        assert finding.state is State.OK
        assert "of revision 0001, are brought to" in finding.found
    assert not await refused(address)


async def test_an_empty_database_stays_empty(address: str, scene: Scene) -> None:
    change(address)
    assert (await look(scene, address)).state is State.OK
    used = backend(address)
    with used.engine.connect() as connection:
        assert used.engine.dialect.get_table_names(connection) == []
    used.engine.dispose()


async def test_a_damaged_file_is_found(tmp_path: Path, scene: Scene) -> None:
    path = tmp_path / "kubeci.db"
    async with database(f"sqlite:///{path}"):
        pass
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("PRAGMA journal_mode=DELETE")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    finding = await look(scene, f"sqlite:///{path}")
    assert finding.state is State.WRONG
    assert "damaged" in finding.found
    assert "backup" in finding.remedy


def test_reading_a_large_database_ends(tmp_path: Path) -> None:
    path = tmp_path / "large.db"
    numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 9999) SELECT x FROM n"
    with closing(sqlite3.connect(path)) as opened, opened:
        opened.execute(f"CREATE TABLE much AS {numbers}")
        opened.execute("INSERT INTO much VALUES (NULL)")
        opened.execute("PRAGMA writable_schema = ON")
        opened.execute("UPDATE sqlite_master SET sql = 'CREATE TABLE much (x NOT NULL)'")
    with closing(sqlite3.connect(path)) as opened:
        assert "NULL value" in store._damage(opened, 60.0)
        assert not store._damage(opened, -1.0)
