"""Making bare repositories, and commits that go into them as any push does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from kubeci.local.github import git
from kubeci.local.github.git_commits import Blob, NewCommit, write_commit
from kubeci.local.github.git_files import Unread
from kubeci.local.github.pulls import merged_tree

# A hook runs in the bare repository, whoever pushes and however; the server's address changes with each start,
# so it stands in a file beside the repositories. No server: the push is fine, there is only nobody to tell.
# `_socket` and lines rather than `socket` and JSON: those take twice as long to import as Python to start.
_HOOK = """\
import os, sys, _socket
try:
    with open(sys.argv[1]) as file:
        port, path, secret = file.read().splitlines()
    pusher = os.environ.get("KUBECI_PUSHER") or os.environ.get("REMOTE_USER") or "octocat"
    body = os.fsencode("%s\\n%s\\n" % (os.getcwd(), pusher)) + sys.stdin.buffer.read()
    head = "POST %s HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nX-Secret: %s\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n"
    connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", int(port)))
    connection.sendall((head % (path, secret, len(body))).encode() + body)
    answer = connection.recv(64)
    if b" 204 " not in answer:
        sys.exit("the local GitHub did not take the push's events")
except OSError as error:
    sys.exit("the local GitHub is not running, so this push makes no events: %s" % error)
"""


@dataclass(frozen=True, slots=True)
class PushReport:
    """What a hook tells of a push: the bare repository, who pushed, and a row of old oid, new oid and ref each."""

    path: str
    pusher: str
    updates: list[list[str]]


def read_push_report(body: bytes) -> PushReport:
    """Read what a hook sent."""
    path, pusher, *rows = os.fsdecode(body).split("\n")
    return PushReport(path, pusher, [row.split(" ") for row in rows if row])


@dataclass(frozen=True, slots=True)
class Entry:
    """A tree entry that is no plain file: `mode` as git writes it, `content` the bytes, link target or submodule sha."""

    mode: str
    content: str | bytes


Files: TypeAlias = Mapping[str, str | bytes | Entry | None]


def executable(content: str | bytes) -> Entry:
    """Give a file that may be run."""
    return Entry("100755", content)


def symlink(target: str) -> Entry:
    """Give a symbolic link."""
    return Entry("120000", target)


def submodule(sha: str) -> Entry:
    """Give a submodule at a commit."""
    return Entry("160000", sha)


async def create_bare(path: Path, default_branch: str, hook_file: Path) -> None:
    """Make a bare repository with its post-receive hook, or renew the hook of one that is there."""
    if not (path / "HEAD").exists():
        await asyncio.to_thread(_lay_out, path, default_branch)
    await asyncio.to_thread(_configure, path, hook_file)


def _lay_out(path: Path, default_branch: str) -> None:
    """Make the folders of git-scm.com, "gitrepository-layout"; the configuration follows."""
    for folder in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
        (path / folder).mkdir(parents=True, exist_ok=True)
    (path / "HEAD").write_text(f"ref: refs/heads/{default_branch}\n")


_CONFIG = """\
[core]
\trepositoryformatversion = 0
\tbare = true
[http]
\treceivepack = true
[uploadpack]
\tallowAnySHA1InWant = true
\tallowFilter = true
[receive]
\tautogc = false
[gc]
\tauto = 0
"""


def _configure(path: Path, hook_file: Path) -> None:
    (path / "config").write_text(_CONFIG)
    hook = path / "hooks" / "post-receive"
    hook.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-I", "-S", "-c", _HOOK, str(hook_file)]
    hook.write_text(f"#!/bin/sh\nexec {shlex.join(command)}\n")
    hook.chmod(0o755)


def write_hook_file(path: Path, port: int, url_path: str, secret: str) -> None:
    """Tell the hooks where the server is; the file is the owner's alone."""
    path.unlink(missing_ok=True)
    path.touch(0o600)
    path.write_text(f"{port}\n{url_path}\n{secret}\n")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a commit says that wrote it, and when; `date` None is the commit's own."""

    name: str
    email: str
    date: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A commit to make: `parent` None makes a root commit, `author` is who pushes and, unless others are named, wrote it."""

    files: Files
    branch: str
    message: str
    parent: str | None
    date: datetime
    author: str
    written_by: Identity | None = None
    committed_by: Identity | None = None
    forced: bool = True


async def push_change(path: Path, change: Change) -> str:
    """Make a commit in a repository of its own and push its branch; gives the commit's sha. GitError when it is refused."""
    async with _beside(path) as work:
        arguments = ("fast-import", "--quiet", "--date-format=raw")
        sha = (
            (await git.git(work, *arguments, stdin=_fast_import(change, "refs/heads/pushed")))
            .decode()
            .strip()
        )
        force = "+" if change.forced else ""
        await _push(work, path, f"{force}refs/heads/pushed:refs/heads/{change.branch}", change.author)
    return sha


async def commit_change(path: Path, change: Change) -> tuple[str | None, str]:
    """Make a commit in the repository itself and move its branch; gives where that was, and the commit's sha.

    What a push does to a repository, without its hooks: who calls tells of it. GitError when it is refused.
    """
    ref = f"refs/heads/{change.branch}"
    before = (await git.refs(path, ref)).get(ref)
    if change.forced or before in {None, change.parent}:
        with contextlib.suppress(Unread):
            return before, write_commit(path, _new_commit(change), ref, before)
    force = ["--force"] if change.forced else []
    arguments = ("fast-import", "--quiet", "--date-format=raw", *force)
    sha = (await git.git(path, *arguments, stdin=_fast_import(change, ref))).decode().strip()
    return before, sha


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge commit to make of two commits, for a branch."""

    onto: str
    head: str
    branch: str
    message: str
    date: datetime
    author: str


async def push_merge(path: Path, merge: Merge, *, pusher: str | None = None) -> str:
    """Make a merge commit and push it to its branch; gives its sha. ValueError for a conflict."""
    who = {"NAME": merge.author, "EMAIL": f"{merge.author}@users.noreply.github.com"}
    when = f"{int(merge.date.timestamp())} +0000"
    env = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
    env |= {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    async with _beside(path) as work:
        tree = await merged_tree(work, merge.onto, merge.head)
        if tree is None:
            raise ValueError(f"{merge.head[:7]} conflicts with {merge.onto[:7]}")
        parents = ("-p", merge.onto, "-p", merge.head)
        made = await git.git(work, "commit-tree", tree, *parents, stdin=merge.message.encode(), env=env)
        sha = made.decode().strip()
        await _push(work, path, f"{sha}:refs/heads/{merge.branch}", pusher or merge.author)
    return sha


async def push_ref(path: Path, sha: str, ref: str, pusher: str) -> None:
    """Push a commit that is there to a ref."""
    async with _beside(path) as work:
        await _push(work, path, f"{sha}:{ref}", pusher)


async def push_tag(path: Path, name: str, commit: str, message: str | None, pusher: str) -> str:
    """Push a tag, annotated when there is a message; gives what its ref points at."""
    async with _beside(path) as work:
        annotation = [] if message is None else ["--annotate", "--message", message]
        await git.git(work, "tag", *annotation, name, commit)
        oid = (await git.git(work, "rev-parse", f"refs/tags/{name}")).decode().strip()
        await _push(work, path, f"refs/tags/{name}:refs/tags/{name}", pusher)
    return oid


async def push_deletion(path: Path, ref: str, pusher: str) -> None:
    """Push the deletion of a ref."""
    async with _beside(path) as work:
        await _push(work, path, f":{ref}", pusher)


async def _push(work: Path, path: Path, refspec: str, pusher: str) -> None:
    await git.git(work, "push", "--quiet", str(path), refspec, env={"KUBECI_PUSHER": pusher})


@asynccontextmanager
async def _beside(path: Path) -> AsyncIterator[Path]:
    """Make a throw-away repository that sees the objects of another."""
    with tempfile.TemporaryDirectory(prefix="kubeci-push-") as folder:
        work = Path(folder)
        (work / "objects" / "info").mkdir(parents=True)
        (work / "refs").mkdir()
        (work / "HEAD").write_text("ref: refs/heads/main\n")
        (work / "objects" / "info" / "alternates").write_text(f"{path / 'objects'}\n")
        yield work


def _new_commit(change: Change) -> NewCommit:
    author, committer = _people(change)
    files = {file: None if value is None else _blob(value) for file, value in change.files.items()}
    who = _signature(author, change), _signature(committer, change)
    return NewCommit(files, change.parent, *who, change.message.encode())


def _blob(value: str | bytes | Entry) -> Blob:
    entry = value if isinstance(value, Entry) else Entry("100644", value)
    return entry.mode, entry.content.encode() if isinstance(entry.content, str) else entry.content


def _people(change: Change) -> tuple[Identity, Identity]:
    """Give the author and the committer."""
    pusher = Identity(change.author, f"{change.author}@users.noreply.github.com")
    return change.written_by or pusher, change.committed_by or pusher


def _fast_import(change: Change, ref: str) -> bytes:
    if "\n" in ref:
        raise git.GitError(f"{ref!r} is no name of a branch")
    author, committer = _people(change)
    message = change.message.encode()
    parts = [
        f"commit {ref}\nmark :1\n".encode(),
        f"author {_signature(author, change)}\ncommitter {_signature(committer, change)}\n".encode(),
        b"data %d\n%s\n" % (len(message), message),
    ]
    if change.parent is not None:
        parts.append(f"from {change.parent}\n".encode())
    for file, value in change.files.items():
        parts.append(_file_change(file, value))
    return b"".join([*parts, b"\nget-mark :1\n"])  # which is answered with the commit's sha


def _signature(who: Identity, change: Change) -> str:
    return f"{who.name} <{who.email}> {int((who.date or change.date).timestamp())} +0000"


def _file_change(file: str, value: str | bytes | Entry | None) -> bytes:
    quoted = file.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    if value is None:
        return b'D "%s"\n' % quoted
    mode, content = _blob(value)
    if mode == "160000":
        return b'M 160000 %s "%s"\n' % (content, quoted)
    return b'M %s inline "%s"\ndata %d\n%s\n' % (mode.encode(), quoted, len(content), content)
