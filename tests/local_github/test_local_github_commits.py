"""A commit that is written to a repository's files is the one that git writes."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kubeci.local.github import git
from kubeci.local.github.git import GitError
from kubeci.local.github.git_commits import NewCommit, write_commit
from kubeci.local.github.git_files import Unread
from kubeci.local.github.repositories import (
    Change,
    Entry,
    Identity,
    commit_change,
    create_bare,
    executable,
    submodule,
    symlink,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PATHS = ("a", "a.b", "a-b", "a/b", "a/c/d", "a/c/e", "b/c", "b/ c", ".kube-ci/ci.yaml", ".github/x", "é")
VALUES = (None, None, "", "x", "y\n", b"\0\xff", executable("#!"), symlink("a"))


async def bare(path: Path) -> Path:
    await create_bare(path, "main", path.parent / "hook")
    return path


async def by_git(path: Path, change: Change) -> str:
    """Have git write it: a packed ref is nothing that our writing touches."""
    (path / "packed-refs").touch()
    try:
        return (await commit_change(path, change))[1]
    finally:
        (path / "packed-refs").unlink()


@pytest.mark.parametrize("seed", range(3))
async def test_each_commit_has_gits_oid(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    ours, gits = await bare(tmp_path / "ours.git"), await bare(tmp_path / "gits.git")
    parent: str | None = None
    for number in range(12):
        files = {path: chance.choice(VALUES) for path in chance.sample(PATHS, 3)}
        writer = chance.choice((None, Identity("Mona Ü", "mona@example.com", NOW)))
        change = Change(
            files, f"b{number % 2}", f"Change {number}\n\nü", parent, NOW, "octocat", writer, forced=True
        )
        found = await commit_change(ours, change)
        assert found[1] == await by_git(gits, change)
        parent = chance.choice((found[1], parent))
    await git.git(ours, "fsck", "--strict", "--no-dangling")
    assert await git.refs(ours) == await git.refs(gits)


async def test_what_is_written_needs_no_git(tmp_path: Path) -> None:
    path = await bare(tmp_path / "r.git")
    signature = "mona <mona@x> 1 +0000"
    first = NewCommit({"a/b": ("100644", b"x"), "c": ("100755", b"y")}, None, signature, signature, b"first")
    oid = write_commit(path, first, "refs/heads/main", None)
    told = (await git.git(path, "ls-tree", "-r", "--name-only", "refs/heads/main")).decode().split()
    assert told == ["a/b", "c"]
    gone = NewCommit({"a/b": None}, oid, signature, signature, b"gone")
    assert write_commit(path, gone, "refs/heads/main", oid) != oid
    assert (await git.git(path, "ls-tree", "--name-only", "refs/heads/main")).decode().split() == ["c"]
    assert not list(path.rglob("*.lock"))


REFUSED = [
    ({"": "x"}, "main"),
    ({"a//b": "x"}, "main"),
    ({"../x": "x"}, "main"),
    ({"a/.git/config": "x"}, "main"),
    ({"a/GIT~1/config": "x"}, "main"),
    ({"a\nb": "x"}, "main"),
    ({"a": Entry("040000", "x")}, "main"),
    ({"a": submodule("1" * 40)}, "main"),
    ({"a": "x" * (1 << 20), "b": "x"}, "main"),
    ({str(each): "x" for each in range(101)}, "main"),
    ({"a": "x"}, "../../config"),
    ({"a": "x"}, "a..b"),
    ({"a": "x"}, "a.lock"),
    ({"a": "x"}, "a.lock/b"),
    ({"a": "x"}, "a b"),
    ({"a": "x"}, "taken/below"),
    ({"a": "x"}, "deep"),
]


@pytest.mark.parametrize(("files", "branch"), REFUSED)
async def test_what_is_out_of_the_way_is_gits(tmp_path: Path, files: dict[str, object], branch: str) -> None:
    path = await bare(tmp_path / "r.git")
    signature = "mona <mona@x> 1 +0000"
    plain = NewCommit({"a": ("100644", b"x")}, None, signature, signature, b"")
    for name in ("taken", "deep/er"):
        write_commit(path, plain, f"refs/heads/{name}", None)
    before = sorted(path.rglob("*"))
    blobs = {}
    for name, value in files.items():
        entry = value if isinstance(value, Entry) else Entry("100644", str(value))
        blobs[name] = (entry.mode, str(entry.content).encode())
    with pytest.raises(Unread):
        write_commit(path, NewCommit(blobs, None, signature, signature, b""), f"refs/heads/{branch}", None)
    assert sorted(path.rglob("*")) == before


async def test_a_ref_that_moves_or_is_locked_is_left_alone(tmp_path: Path) -> None:
    path = await bare(tmp_path / "r.git")
    signature = "mona <mona@x> 1 +0000"
    commit = NewCommit({"a": ("100644", b"x")}, None, signature, signature, b"")
    oid = write_commit(path, commit, "refs/heads/main", None)
    lock = path / "refs" / "heads" / "main.lock"
    lock.touch()
    other = NewCommit({"a": ("100644", b"y")}, oid, signature, signature, b"")
    for before in (oid, None, "1" * 40):
        with pytest.raises(Unread):
            write_commit(path, other, "refs/heads/main", before)
    assert lock.exists()
    assert (await git.refs(path))["refs/heads/main"] == oid


async def test_a_branch_that_lost_commits_is_moved_by_force_alone(tmp_path: Path) -> None:
    path = await bare(tmp_path / "r.git")
    await commit_change(path, Change({"a": "1"}, "main", "one", None, NOW, "mona"))
    anew = Change({"a": "2"}, "main", "two", None, NOW, "mona", forced=False)
    with pytest.raises(GitError):
        await commit_change(path, anew)
