"""What is read from a repository's files is what git says."""

from __future__ import annotations

import random
from itertools import product
from pathlib import Path

import pytest

from kubeci.local.github import git
from kubeci.local.github.git import GitError
from kubeci.local.github.git_content import read_commit
from kubeci.local.github.history import commits_without, has_author, is_ancestor, merge_base
from kubeci.local.github.repositories import create_bare
from kubeci.local.github.trees import touched

PATHS = ("a", "a.b", "a-b", "b/c", "b/d/e", "b/ü", "f")


def commits(seed: int, count: int = 7) -> bytes:
    """Write a history of few files with branches and merges, for `git fast-import`."""
    chance = random.Random(seed)
    parts: list[str] = []
    for number in range(1, count + 1):
        parents = chance.sample(range(1, number), min(chance.choice((0, 1, 1, 1, 2)), number - 1))
        who = chance.choice(("mona", "octocat"))
        parts.append(f"commit refs/heads/c{number}\nmark :{number}\n")
        parts += [f"{role} {who} <{who}@x> {number} +0000\n" for role in ("author", "committer")]
        parts.append(f"data {len(str(number))}\n{number}\n")
        parts += [f"{w} :{p}\n" for w, p in zip(("from", "merge"), parents, strict=False)]
        for path in chance.sample(PATHS, 3):
            text = str(chance.randint(0, 3))
            parts.append(
                chance.choice((f"D {path}\n", f"M 100644 inline {path}\ndata {len(text)}\n{text}\n"))
            )
    parts.append("tag t1\nfrom :1\ntagger mona <mona@x> 1 +0000\ndata 1\nt\n")
    return "".join(parts).encode()


@pytest.fixture(params=range(2))
async def repository(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / "r.git"
    await create_bare(path, "main", tmp_path / "hook")
    await git.git(path, "fast-import", "--quiet", stdin=commits(request.param))
    return path


async def said(path: Path, *arguments: str) -> list[str] | None:
    try:
        return (await git.git(path, *arguments)).decode().split()
    except GitError:
        return None


async def test_history(repository: Path) -> None:
    heads = await git.refs(repository, "refs/heads/")
    for one, other in product(heads.values(), repeat=2):
        base = await said(repository, "merge-base", one, other)
        assert await merge_base(repository, one, other) == (base[0] if base else None)
        reached = await said(repository, "merge-base", "--is-ancestor", one, other) is not None
        assert await is_ancestor(repository, one, other) is reached
        listed = await said(repository, "rev-list", one, f"^{other}", f"^{heads['refs/heads/c5']}")
        found = await commits_without(repository, one, [other, heads["refs/heads/c5"]])
        assert [commit.oid for commit in found] == listed
        assert await commits_without(repository, one, [other, heads["refs/heads/c5"]], 1) == found[:1]
    for name, who in product(heads, ("mona", "octocat", "nobody")):
        wrote = await said(repository, "rev-list", f"--author=<{who}@x>", name)
        assert await has_author(repository, name, f"{who}@x") is bool(wrote)


async def test_files(repository: Path) -> None:
    letters = {"added": "A", "removed": "D", "modified": "M"}
    options = ("--no-commit-id", "--name-status", "--no-renames", "--root", "-r", "-z")
    for oid in (await git.refs(repository, "refs/heads/")).values():
        async with git.objects(repository) as objects:
            found = await objects.peel(oid)
        assert found is not None
        told = (await git.git(repository, "diff-tree", *options, oid)).decode().split("\0")
        rows = await touched(repository, read_commit(oid, found.content))
        assert [word for path, kind in rows for word in (letters[kind], path)] == told[:-1]


async def test_objects_and_refs_before_and_after_they_are_packed(repository: Path) -> None:
    await git.git(repository, "update-ref", "refs/tags/c6", "refs/heads/c1")  # which a branch is named like
    questions = [
        f"{revision}{rest}"
        for revision in (
            "refs/heads/c7",
            "refs/tags/t1",
            "refs/heads/none",
            *(
                "c7",
                "heads/c7",
                "tags/t1",
                "t1",
                "c6",
                "tags/c6",
                "none",
                "HEAD",
                "config",
                "objects",
                "heads",
            ),
            "refs/heads/c7~1",
            "0" * 40,
        )
        for rest in ("", "^{commit}", ":", ":a", ":b", ":b/d/e", ":b/ü", ":a/x", ":b/", "^{commit}:a")
    ]

    async def answers() -> list[object]:
        refs = [
            list((await git.refs(repository, each)).items())
            for each in ("refs/", "refs/tags", "refs/heads/c1")
        ]
        async with git.objects(repository) as objects:
            return [refs, [await objects.get(question) for question in questions]]

    loose = await answers()
    await git.git(repository, "pack-refs", "--all")
    await git.git(repository, "repack", "-a", "-d", "--quiet")
    assert not list((repository / "refs" / "heads").iterdir())
    assert await answers() == loose
