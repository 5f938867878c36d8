"""What changed between two commits: the files since they parted, and the commits themselves."""

from __future__ import annotations

from dataclasses import dataclass

from kubeci.local.github import git
from kubeci.local.github.git_content import Commit
from kubeci.local.github.history import commits_without

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # git's own, which every repository has
STATUSES = {
    "A": "added",
    "C": "copied",
    "D": "removed",
    "M": "modified",
    "R": "renamed",
    "T": "changed",
}


@dataclass(frozen=True, slots=True)
class FileChange:
    """A changed file; `status` is git's letter, `sha` the blob it has now (or had), `previous` a renamed file's old path."""

    path: str
    status: str
    sha: str
    previous: str | None = None
    additions: int = 0
    deletions: int = 0


async def changed_files(repository: git.Location, old: str, new: str) -> list[FileChange]:
    """List the files in which two commits differ, by path, renames found as GitHub finds them."""
    options = ("-r", "-z", "-M", "--no-abbrev", "--raw", "--numstat")
    output = await git.git(repository, "diff-tree", *options, old, new)
    return _parse(output.decode("utf-8", "replace").split("\0"))


async def commit_files(repository: git.Location, commit: Commit) -> list[FileChange]:
    """List the files that a commit changes: those in which it differs from its first parent."""
    return await changed_files(repository, commit.parents[0] if commit.parents else EMPTY_TREE, commit.oid)


async def commits_between(repository: git.Location, old: str, new: str) -> list[Commit]:
    """List the commits of `new` that `old` lacks, oldest first."""
    return (await commits_without(repository, new, [old]))[::-1]


def _parse(words: list[str]) -> list[FileChange]:
    """Read `--raw --numstat -z`: first a record for each file, then the numbers of each file."""
    changes: dict[str, tuple[str, str, str | None]] = {}
    numbers: dict[str, tuple[int, int]] = {}
    rest = iter(words)
    for word in rest:
        if word.startswith(":"):
            _, _, before, after, letter = word[1:].split(" ")
            path = next(rest)
            previous = None
            if letter[0] in "RC":
                previous, path = path, next(rest)
            changes[path] = (letter[0], before if letter == "D" else after, previous)
        elif word.count("\t") >= 2:
            added, removed, path = word.split("\t", 2)
            if not path:
                _, path = next(rest), next(rest)
            # A binary file counts no lines, and git writes dashes.
            numbers[path] = (int(added.replace("-", "0")), int(removed.replace("-", "0")))
    return [
        FileChange(path, letter, sha, previous, *numbers.get(path, (0, 0)))
        for path, (letter, sha, previous) in sorted(changes.items())
    ]
