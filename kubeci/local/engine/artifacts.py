"""Input artifacts: a git clone, or data from the manifest, at a path of the container."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from kubeci.local.engine.host import search_path
from kubeci.local.engine.operation import CallError, text_of
from kubeci.local.engine.place import Place
from kubeci.local.engine.process import Command, run
from kubeci.model.json import JsonObject

PROTOCOLS = ("http", "https", "file")
_GIT_SECONDS = 600.0
_MESSAGE_LIMIT = 500


async def load(artifact: JsonObject, place: Place) -> None:
    """Put an input artifact where the template wants it; raises CallError with the reason."""
    target = _target(artifact, place)
    if "git" not in artifact:
        return
    try:
        await _clone(artifact["git"], target)
    except (CallError, TimeoutError) as error:
        reason = str(error) or "timed out"
        raise CallError(f"failed to load artifact '{artifact['name']}': {reason}") from error


def _target(artifact: JsonObject, place: Place) -> Path:
    """Make room for an artifact, and write what stands in the manifest itself."""
    target = place.locate(artifact["path"])
    target.parent.mkdir(parents=True, exist_ok=True)
    if "raw" in artifact:
        target.write_text(text_of(artifact["raw"].get("data") or ""))
    return target


async def _clone(git: JsonObject, target: Path) -> None:
    repository = _checked(git)
    depth = ["--depth", text_of(git["depth"])] if git.get("depth") else []
    branch = ["--branch", text_of(git["branch"])] if git.get("branch") else []
    single = ["--single-branch"] if git.get("singleBranch") else ["--no-single-branch"]
    with tempfile.TemporaryDirectory(prefix="git-", dir=target.parent) as home:
        runner = _Git(Path(home), target)
        await runner.git("clone", "--quiet", *depth, *single, *branch, "--", repository, str(target))
        for refspec in git.get("fetch") or []:
            await runner.git("fetch", "--quiet", *depth, "origin", "--", text_of(refspec))
        if revision := text_of(git.get("revision") or ""):
            await runner.check_out(revision, depth)
        if runner.has_submodules() and not git.get("disableSubmodules"):
            await runner.git("submodule", "--quiet", "update", "--init", "--recursive")


def _checked(git: JsonObject) -> str:
    repository = text_of(git.get("repo") or "")
    if urlsplit(repository).scheme not in PROTOCOLS:
        raise CallError(f"the local engine clones by {', '.join(PROTOCOLS)}, not '{repository}'")
    for field in ("depth", "branch", "revision"):
        if text_of(git.get(field) or "").startswith("-"):
            raise CallError(f"git.{field} begins with a dash")
    return repository


class _Git:
    """git without the user's configuration, credentials and hooks."""

    def __init__(self, home: Path, target: Path) -> None:
        self._target = target
        target.mkdir(exist_ok=True)
        self._env = {
            "PATH": search_path(),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS),
        }

    async def git(self, *arguments: str) -> None:
        """Run git; raises CallError with the end of what it said."""
        said = bytearray()
        options = ("-c", "advice.detachedHead=false", "-c", "core.hooksPath=/dev/null")
        command = Command(("git", *options, *arguments), self._env, self._target)
        if await run(command, _bounded(said), seconds=_GIT_SECONDS):
            raise CallError(said.decode(errors="replace").strip() or f"git {arguments[0]} failed")

    def has_submodules(self) -> bool:
        """Say whether the commit that is checked out has submodules."""
        return (self._target / ".gitmodules").exists()

    async def check_out(self, revision: str, depth: list[str]) -> None:
        """Check a revision out; a shallow clone may have to fetch it first."""
        try:
            await self.git("checkout", "--quiet", "--force", revision, "--")
        except CallError:
            await self.git("fetch", "--quiet", *depth, "origin", "--", revision)
            await self.git("checkout", "--quiet", "--force", "FETCH_HEAD", "--")


def _bounded(said: bytearray) -> Callable[[bytes], None]:
    def write(chunk: bytes) -> None:
        said.extend(chunk)
        del said[:-_MESSAGE_LIMIT]

    return write


def remove(folder: Path) -> None:
    """Remove a folder whatever its permissions; what cannot go is left."""

    def open_up(_function: object, path: str, _error: object) -> None:
        with suppress(OSError):
            Path(path).parent.chmod(0o700)
            if Path(path).is_dir() and not Path(path).is_symlink():
                Path(path).chmod(0o700)
                shutil.rmtree(path, ignore_errors=True)
            else:
                Path(path).unlink(missing_ok=True)

    shutil.rmtree(folder, onerror=open_up)
