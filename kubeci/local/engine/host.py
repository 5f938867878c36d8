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
LINKS = (
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
)
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


def view(own: Iterable[str], room: Iterable[str] = ()) -> View:
    """Give what a step sees, with its `own` paths left out, and so that the paths in `room` can be made.

    A folder of the host is bound whole, unless something of the pod's must stand within it: then it is opened, and its
    entries are bound each by itself.
    """
    pod = _Pod(frozenset(map(PurePosixPath, own)), frozenset(map(PurePosixPath, room)))
    links: list[tuple[str, str]] = list(LINKS)
    binds: list[str] = []
    folders = program_folders()
    for folder in folders:
        if not any(parent in folders for parent in folder.parents if not parent.is_symlink()):
            _show(folder, pod, links, binds)
    return View(tuple(links), tuple(binds))


@dataclass(frozen=True, slots=True)
class _Pod:
    """The paths that the pod takes from the host, and those that it needs to exist."""

    own: frozenset[PurePosixPath]
    room: frozenset[PurePosixPath]

    def opens(self, folder: Path) -> bool:
        """Say whether a folder of the host must be opened for the pod."""
        inner = (one for one in self.room if not Path(one).exists())
        return any(PurePosixPath(folder) in one.parents for one in (*self.own, *inner))


def _show(path: Path, pod: _Pod, links: list[tuple[str, str]], binds: list[str]) -> None:
    if PurePosixPath(path) in pod.own:
        return
    if path.is_symlink():
        links.append((str(path), str(path.readlink())))
    elif not path.is_dir() or not pod.opens(path):
        binds.append(str(path))
    else:
        for entry in sorted(path.iterdir()):
            _show(entry, pod, links, binds)
