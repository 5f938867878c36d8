"""Where the Secret goes: a file, what the command prints, or (`cluster_secret.py`) the cluster."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kubeci.create_app.secret import as_yaml
from kubeci.errors import ConfigurationError
from kubeci.model.json import JsonObject


class Destination(Protocol):
    """Keeps one Secret. GitHub tells a key once only, so `check` finds out before whether `keep` will work."""

    @property
    def place(self) -> str:
        """Say for a person where the Secret goes."""

    @property
    def next_command(self) -> str:
        """Give the command that brings it into the cluster; empty: it is there."""

    async def check(self) -> None:
        """Raise `ConfigurationError` when the Secret could not be kept."""

    async def keep(self, secret: JsonObject) -> None:
        """Keep it; raises OSError or `KubeCIError`."""


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A manifest that only its owner can read; one that is there is replaced with `force` alone."""

    path: Path
    force: bool = False

    @property
    def place(self) -> str:
        """Name the file."""
        return f"the file {self.path}"

    @property
    def next_command(self) -> str:
        """Give `kubectl apply`."""
        return f"kubectl apply --filename {shlex.quote(str(self.path))}"

    async def check(self) -> None:
        """Look for the folder, and for the file."""
        await asyncio.to_thread(self._look)

    def _look(self) -> None:
        folder = self.path.parent
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            raise ConfigurationError(f"--out {self.path}: {folder} is no folder that can be written to")
        if self.path.is_dir():
            raise ConfigurationError(f"--out {self.path}: this is a folder")
        if os.path.lexists(self.path) and not self.force:
            raise ConfigurationError(f"--out {self.path}: the file exists; name another one, or add --force")

    async def keep(self, secret: JsonObject) -> None:
        """Write the file."""
        await asyncio.to_thread(_replace if self.force else _create, self.path, as_yaml(secret))


@dataclass(frozen=True, slots=True)
class StandardOutput:
    """What the command prints, for a pipe."""

    place: str = "what this command prints"
    next_command: str = ""

    async def check(self) -> None:
        """Refuse a terminal, whose scrollback and recordings are read by others."""
        if sys.stdout.isatty():
            raise ConfigurationError(
                "--out - prints secrets: pipe it, such as into kubectl apply --filename -"
            )

    async def keep(self, secret: JsonObject) -> None:
        """Print it."""
        sys.stdout.write(as_yaml(secret))
        sys.stdout.flush()


def rescue(secret: JsonObject) -> Path:
    """Write a Secret that could not be kept to a new file, here or among the temporary ones; gives its path."""
    for folder in (Path.cwd(), Path(tempfile.gettempdir())):
        try:
            return _write_new(folder, as_yaml(secret))
        except OSError:
            continue
    raise ConfigurationError("the credentials could not be written anywhere")


def _create(path: Path, text: str) -> None:
    # Not through a link that somebody else laid there: O_EXCL follows none.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _replace(path: Path, text: str) -> None:
    fresh = _write_new(path.parent, text)
    try:
        fresh.replace(path)
    except OSError:
        fresh.unlink()
        raise


def _write_new(folder: Path, text: str) -> Path:
    descriptor, name = tempfile.mkstemp(prefix="kubeci-github-", suffix=".yaml", dir=folder)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return Path(name)
