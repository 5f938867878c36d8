"""Which of the host's folders a step sees, and where its own folders stand among them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

# Programs and their settings; not /home, /root, /var, /run, /mnt: they hold what is the user's own.
TOP_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "etc", "opt", "nix", "gnu")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
LINKS = (("/dev/fd", "/proc/self/fd"), ("/dev/stdin", "/proc/self/fd/0"), ("/dev/stdout", "/proc/self/fd/1"))
_STDERR = (("/dev/stderr", "/proc/self/fd/2"),)
_RESOLVER = "/run/systemd/resolve"  # where /etc/resolv.conf leads on many hosts


@dataclass(frozen=True, slots=True)
class View:
    """What a step sees of the host: links to make and folders (or files) to bind, read-only."""

    links: tuple[tuple[str, str], ...] = ()
    binds: tuple[str, ...] = field(default=())


def search_path() -> str:
    """Give the PATH of steps: this Python's programs first, then the server's own absolute PATH."""
    inherited = os.environ.get("PATH", os.defpath).split(os.pathsep)
    entries = [str(Path(sys.executable).parent), *(entry for entry in inherited if entry.startswith("/"))]
    return os.pathsep.join(dict.fromkeys(entries))


def program_folders() -> list[Path]:
    """Give the host's folders that hold programs: those at the top, and those that the PATH leads to."""
    tops = [Path("/", name) for name in TOP_FOLDERS]
    own = [Path(sys.prefix), Path(sys.base_prefix), Path(_RESOLVER)]
    found = [folder for folder in (*tops, *own, *_path_folders()) if folder.exists()]
    return sorted(set(found) - {Path("/"), Path.home(), Path.home().parent})


def _path_folders() -> Iterator[Path]:
    home = Path.home()
    for entry in search_path().split(os.pathsep):
        folder = Path(entry)
        # A program's `bin` may need the `lib` beside it. Right below the home, that would show what is the user's own
        # (~/.cargo/credentials.toml); only pyenv's and asdf's shims lead to programs there.
        whole = (
            folder.parent.parent not in {home, home.parent, Path("/")} and folder.parent != home / ".local"
        )
        if folder.name == "shims" or (folder.name == "bin" and whole):
            yield folder.parent
        yield folder


def view(wanted: Iterable[str]) -> View:
    """Give what a step sees, with room for its own folders at the `wanted` paths.

    A folder of the host is bound whole, unless a wanted path must be made within it: then it is opened, and its entries are
    bound each by itself.
    """
    paths = [PurePosixPath(path) for path in wanted]
    links: list[tuple[str, str]] = [*LINKS, *_STDERR]
    binds: list[str] = []
    folders = program_folders()
    for folder in folders:
        if not any(parent in folders for parent in folder.parents if not parent.is_symlink()):
            _show(folder, paths, links, binds)
    return View(tuple(links), tuple(binds))


def _show(path: Path, wanted: list[PurePosixPath], links: list[tuple[str, str]], binds: list[str]) -> None:
    if path.is_symlink():
        links.append((str(path), str(path.readlink())))
        return
    within = [one for one in wanted if path in Path(one).parents]
    if not path.is_dir() or all(Path(one).exists() for one in within):
        binds.append(str(path))
        return
    for entry in sorted(path.iterdir()):
        if entry.exists() or entry.is_symlink():
            _show(entry, within, links, binds)
