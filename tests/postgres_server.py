"""A PostgreSQL server of the tests' own, from the system's package, on loopback and in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

PASSWORD = "pass:wörd/@"  # what an address must write as %XX
ESCAPED = "pass%3Aw%C3%B6rd%2F%40"
MISSING = "PostgreSQL is missing; on Debian: apt-get install postgresql"


def installed() -> Path | None:
    """Find the folder of `initdb` and `postgres`, the newest where there are several."""
    folders = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)]
    if found := shutil.which("postgres"):
        folders.append(Path(found).resolve().parent)
    return next((each for each in folders if (each / "initdb").exists()), None)


def _version(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdecimal() else 0


@dataclass
class PostgresServer:
    programs: Path
    folder: Path
    user: str
    """Who runs it: it refuses root. Empty: ourselves."""
    port: int
    process: subprocess.Popen[bytes] | None = None
    _names: Iterator[int] = field(default_factory=count)

    def make(self) -> None:
        (self.folder / "password").write_text(PASSWORD)
        if self.user:
            who = pwd.getpwnam(self.user)
            for path in (self.folder, self.folder / "password"):
                os.chown(path, who.pw_uid, who.pw_gid)
        command = [str(self.programs / "initdb"), "--no-sync", "--pgdata=data", "--username=kubeci"]
        command += ["--auth=scram-sha-256", "--pwfile=password", "--encoding=UTF8", "--locale=C"]
        made = subprocess.run(command, cwd=self.folder, **self._who(), capture_output=True, check=False)
        assert made.returncode == 0, made.stderr.decode()

    def start(self) -> None:
        command = [str(self.programs / "postgres"), "-D", "data", "-h", "127.0.0.1", "-p", str(self.port)]
        settings = {"unix_socket_directories": str(self.folder), "fsync": "off", "autovacuum": "off"}
        command += [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, **self._who(), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + 30
        while True:
            try:
                self.administer("SELECT 1")
            except psycopg.OperationalError:
                assert self.process.poll() is None, (self.folder / "server.log").read_text()
                assert time.monotonic() < deadline, (self.folder / "server.log").read_text()
                time.sleep(0.02)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it; SIGINT ends its connections first, SIGQUIT is its crash."""
        if self.process:
            self.process.send_signal(how)
            self.process.wait(timeout=30)
            self.process = None

    def administer(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="kubeci",
            password=PASSWORD,
            dbname="postgres",
            autocommit=True,
        ) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def new_database(self) -> str:
        """Make an empty schema, which is quicker than a database and seems one; gives its address."""
        name = f"kubeci{next(self._names)}"
        self.administer(f"CREATE SCHEMA {name}")
        return f"{self.address}?options=-csearch_path%3D{name}"

    @property
    def address(self) -> str:
        """The address of the database that holds the schemas."""
        return f"postgresql://kubeci:{ESCAPED}@127.0.0.1:{self.port}/postgres"

    def _who(self) -> dict[str, Any]:
        group = pwd.getpwnam(self.user).pw_gid if self.user else 0
        return {"user": self.user, "group": group, "extra_groups": []} if self.user else {}


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run a server until the block ends; skips where PostgreSQL is not installed."""
    programs = installed()
    if programs is None:
        pytest.skip(MISSING)
    users = {each.pw_name for each in pwd.getpwall()}
    user = "" if os.geteuid() else "postgres" if "postgres" in users else "nobody"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # Not below pytest's folder: that is closed to the server's user.
    folder = Path(tempfile.mkdtemp(prefix="kubeci-postgres-"))
    server = PostgresServer(programs, folder, user, port)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop(signal.SIGQUIT)
        shutil.rmtree(folder)
