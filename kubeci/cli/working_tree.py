"""A build request for what is checked out in a folder."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from kubeci.model.build import BuildRequest
from kubeci.model.json import JsonObject
from kubeci.model.repository import Commit, Ref, RefType, Repository

_REMOTE = re.compile(
    r"^(?:[a-z+]+://)?(?:[^@/]+@)?([^/:]+)(?::\d+)?[:/](?:.*/)?([^/]+)/([^/]+?)(?:\.git)?/?$"
)
NO_SHA = "0" * 40


def describe(folder: Path, ref: str | None, entrypoint: str) -> BuildRequest:
    """Give the request that a push of this working tree would make, as far as git knows it.

    Outside a git repository the names are made up from the folder's.
    """
    sha = _git(folder, "rev-parse", "HEAD") or NO_SHA
    branch = _git(folder, "symbolic-ref", "--quiet", "--short", "HEAD") or "main"
    described = _repository_object(_git(folder, "remote", "get-url", "origin"), folder)
    repository = Repository(described["owner"]["login"], described["name"], installation_id=0)
    return BuildRequest(
        id=sha,
        commit=Commit(repository, sha),
        ref=_ref(ref or branch),
        automatic=False,
        entrypoint=entrypoint,
        repository_object=described,
    )


def _ref(text: str) -> Ref:
    if text.startswith("refs/tags/"):
        return Ref(text.removeprefix("refs/tags/"), RefType.TAG)
    return Ref(text.removeprefix("refs/heads/"))


def _repository_object(remote: str, folder: Path) -> JsonObject:
    """Give the part of GitHub's repository object that a remote's address tells."""
    match = _REMOTE.match(remote)
    host, owner, name = (
        match.groups() if match else ("github.com", "local", folder.resolve().name or "repository")
    )
    return {
        "name": name,
        "full_name": f"{owner}/{name}",
        "owner": {"login": owner},
        "html_url": f"https://{host}/{owner}/{name}",
        "clone_url": f"https://{host}/{owner}/{name}.git",
        "git_url": f"git://{host}/{owner}/{name}.git",
        "ssh_url": f"git@{host}:{owner}/{name}.git",
        "default_branch": (
            _git(folder, "symbolic-ref", "--short", "refs/remotes/origin/HEAD") or "/main"
        ).partition("/")[2],
    }


def _git(folder: Path, *arguments: str) -> str:
    """Ask git; nothing where it does not know, or is not there."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
