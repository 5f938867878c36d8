from __future__ import annotations

import asyncio
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hatchling.builders.wheel import WheelBuilder
from sqlalchemy import Connection, text

from kubeci.errors import ConfigurationError
from kubeci.model.event import Delivery
from kubeci.store.database import database
from kubeci.store.engine import backend
from kubeci.store.inbox import SqlInbox
from kubeci.store.migrate import REVISIONS
from kubeci.store.migrations.versions import r0001_first_tables as first
from kubeci.store.tables import metadata

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
OLD_ROW = {
    "id": "a", "event": "push", "payload": b'{"a":1}', "received_at": NOW.timestamp(), "state": "working",
    "attempts": 1, "due": NOW.timestamp(), "reason": "",
}  # fmt: skip


def change(address: str, *statements: str, old_tables: bool = False) -> None:
    """Do something to a database that no server has open."""
    used = backend(address)
    with used.engine.begin() as connection:
        if old_tables:
            first.metadata.create_all(connection)
            connection.execute(first.metadata.tables["deliveries"].insert().values(OLD_ROW))
        for statement in statements:
            connection.execute(text(statement))
    used.engine.dispose()


def differences(connection: Connection) -> list[Any]:
    """Say what Alembic would change to make the database's tables those of `tables.py`."""
    # Alembic takes SQLite's empty default for another one than itself.
    options = {"compare_server_default": connection.dialect.name == "postgresql"}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, metadata))


def revision(connection: Connection) -> str:
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


@pytest.mark.parametrize("old", [True, False], ids=["an older version's", "empty"])
async def test_every_database_ends_with_the_tables_of_this_version(address: str, old: bool) -> None:
    change(address, old_tables=old)
    for _ in range(2):
        async with database(address) as stored:
            assert await stored.run(differences) == []
            assert await stored.run(revision) == REVISIONS[-1]


def test_the_revisions_are_those_of_the_folder() -> None:
    config = Config()
    config.set_main_option("script_location", "kubeci.store:migrations")
    found = ScriptDirectory.from_config(config).walk_revisions()
    assert tuple(each.revision for each in found)[::-1] == REVISIONS


async def test_what_an_older_version_stored_is_worked_on(address: str) -> None:
    change(address, old_tables=True)
    async with database(address) as stored:
        inbox = SqlInbox(stored, "ours")
        # It was under way, and claims of that time name nobody and have no end.
        assert await inbox.claim(NOW) == Delivery("a", "push", b'{"a":1}', NOW, attempts=2, lost=1)


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (
            ("UPDATE alembic_version SET version_num = '9999'",),
            "newer version of kubeci (its revision is 9999",
        ),
        (("DROP TABLE alembic_version", "DROP TABLE logs"), "does not know (builds, deliveries, deployments"),
        (("DROP TABLE alembic_version",), "does not know"),
    ],
)
async def test_tables_of_another_make_are_refused(
    address: str, statements: tuple[str, ...], words: str
) -> None:
    async with database(address):
        pass
    change(address, *statements)
    with pytest.raises(ConfigurationError) as caught:
        async with database(address):
            pass
    assert words in str(caught.value)


@pytest.mark.parametrize("old", [True, False], ids=["an older version's", "empty"])
async def test_of_several_replicas_that_start_at_once_one_migrates(address: str, old: bool) -> None:
    change(address, old_tables=old)

    async def start() -> None:
        async with database(address) as stored:
            assert await stored.run(revision) == REVISIONS[-1]

    await asyncio.gather(*(start() for _ in range(4)))


def test_a_start_without_a_migration_loads_neither_alembic_nor_another_databases_driver(
    tmp_path: Path,
) -> None:
    program = """
import asyncio, sys
from kubeci.store.database import database
async def start():
    async with database(sys.argv[1]):
        pass
for _ in range(2):
    asyncio.run(start())
print({"alembic", "mako", "psycopg"} & set(sys.modules))
"""
    command = [sys.executable, "-c", program, f"sqlite:///{tmp_path}/kubeci.db"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_wheel_holds_the_revisions(tmp_path: Path) -> None:
    [wheel] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    folder = "kubeci/store/migrations"
    wanted = {f"{folder}/{path.relative_to(ROOT / folder)}" for path in (ROOT / folder).rglob("*.py")}
    with zipfile.ZipFile(wheel) as archive:
        assert wanted <= set(archive.namelist())
    assert len(wanted) >= len(REVISIONS) + 2
