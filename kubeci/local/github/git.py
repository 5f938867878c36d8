"""Git by its own program, on bare repositories, untouched by this machine's and the user's configuration."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from kubeci.local.github.git_files import GitObject, Unread, read_object, read_refs

ZERO = "0" * 40
READ_LIMIT = 64 * 1024 * 1024  # a larger object is refused: everything here is small


class GitError(Exception):
    """A git command failed; the text is its standard error."""


def environment(**extra: str) -> dict[str, str]:
    """Give the environment of a git process: no configuration but the repository's own, a fixed identity."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "LC_ALL": "C",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "octocat",
        "GIT_AUTHOR_EMAIL": "octocat@users.noreply.github.com",
        "GIT_COMMITTER_NAME": "octocat",
        "GIT_COMMITTER_EMAIL": "octocat@users.noreply.github.com",
        **extra,
    }


@dataclass(frozen=True, slots=True)
class Network:
    """A repository that also sees the objects of others: forks' commits before they were fetched."""

    path: Path
    others: tuple[Path, ...]


Location: TypeAlias = Path | Network


def _where(location: Location) -> tuple[Path, dict[str, str]]:
    if isinstance(location, Network):
        return location.path, {
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.pathsep.join(str(o / "objects") for o in location.others)
        }
    return location, {}


async def git(
    location: Location, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None
) -> bytes:
    """Run a git command on a repository and give its output; GitError when it fails."""
    path, alternates = _where(location)
    process = await asyncio.create_subprocess_exec(
        "git",
        f"--git-dir={path}",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(**alternates, **(env or {})),
        start_new_session=True,
    )
    try:
        output, errors = await process.communicate(stdin)
    finally:
        await reap(process)
    if process.returncode:
        raise GitError(errors.decode("utf-8", "replace").strip() or f"git {arguments[0]} failed")
    return output


async def reap(process: asyncio.subprocess.Process) -> None:
    """End a process that still runs, with the processes it started, and read its output away so that pipes close."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
    if process.stdout is not None:
        while await process.stdout.read(64 * 1024):
            pass
    await process.wait()


class Objects:
    """Reads objects of one repository: from its files, else through one `git cat-file --batch` process."""

    def __init__(self, location: Location) -> None:
        self._location = location
        path, others = (location.path, location.others) if isinstance(location, Network) else (location, ())
        self._folders = (path, *others)
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()  # answers come in the order of the questions

    async def get(self, expression: str) -> GitObject | None:
        """Find what a revision expression names (`main`, `SHA:.kube-ci`, an oid); None when there is no such thing."""
        if not expression or any(c in expression for c in "\n\0") or expression.startswith("-"):
            return None
        # Reading so little takes less than to hand it to a thread.
        with contextlib.suppress(Unread):
            return read_object(self._folders, expression)
        async with self._turn:
            return await self._ask(expression)

    async def peel(self, expression: str) -> GitObject | None:
        """Find the commit that an expression leads to, through annotated tags."""
        found = await self.get(f"{expression}^{{commit}}")
        return found if found is not None and found.type == "commit" else None

    async def close(self) -> None:
        """End the process if there is one."""
        if self._process is not None:
            await reap(self._process)

    async def _ask(self, expression: str) -> GitObject | None:
        self._process = self._process or await _cat_file(self._location)
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(expression.encode() + b"\n")
        await stdin.drain()
        header = (await stdout.readline()).decode("utf-8", "replace").rstrip("\n")
        words = header.rsplit(" ", 2)
        if len(words) != 3 or not words[2].isdigit():
            return None  # "EXPRESSION missing", "EXPRESSION ambiguous"
        if int(words[2]) > READ_LIMIT:
            raise GitError(f"{expression} is larger than {READ_LIMIT} bytes")
        content = await stdout.readexactly(int(words[2]))
        await stdout.readexactly(1)
        return GitObject(words[0], words[1], content)


async def _cat_file(location: Location) -> asyncio.subprocess.Process:
    path, alternates = _where(location)
    return await asyncio.create_subprocess_exec(
        "git",
        f"--git-dir={path}",
        "cat-file",
        "--batch",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment(**alternates),
        start_new_session=True,
    )


@asynccontextmanager
async def objects(location: Location) -> AsyncIterator[Objects]:
    """Open the object database of a repository."""
    opened = Objects(location)
    try:
        yield opened
    finally:
        await opened.close()


async def refs(path: Path, prefix: str = "refs/") -> dict[str, str]:
    """List the refs under a prefix with the oid each points at (an annotated tag's own), sorted by name."""
    with contextlib.suppress(Unread):
        return read_refs(path, prefix)
    output = await git(path, "for-each-ref", "--format=%(objectname) %(refname)", prefix)
    return {name: oid for oid, _, name in (line.partition(" ") for line in output.decode().splitlines())}
