"""A pod's folder on this machine, and where the paths of its container lie in it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from kubeci.local.engine.operation import CallError
from kubeci.model.json import JsonObject

SCRIPT = "/argo/staging/script"
TERMINATION_LOG = "/dev/termination-log"
HOME = "/root"
TEMPORARY = "/tmp"  # noqa: S108 - a path of the container, private to it
PARAMETER_LIMIT = 256 * 1024  # what Argo's executor takes as an output parameter
TERMINATION_LIMIT = 4096  # what a kubelet reads of a termination message


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder of this machine at a path of the container."""

    source: Path
    path: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """`folder/root` is the container's root; volumes are mounted over it."""

    folder: Path
    mounts: tuple[Mount, ...] = field(default=())

    @property
    def root(self) -> Path:
        """Give the folder that is the container's root."""
        return self.folder / "root"

    def locate(self, path: str) -> Path:
        """Find where a path of the container lies on this machine; raises CallError for one that leads outside."""
        wanted = clean(path)
        best = Mount(self.root, "/")
        for mount in self.mounts:
            if PurePosixPath(mount.path) in (wanted, *wanted.parents) and len(mount.path) > len(best.path):
                best = mount
        found = best.source / wanted.relative_to(best.path)
        if not Path(os.path.realpath(found)).is_relative_to(os.path.realpath(best.source)):
            raise CallError(f"'{path}' leads out of the pod")
        return found

    def read(self, path: str, limit: int) -> str | None:
        """Read a file of the container, cut at `limit` bytes; None when there is no such regular file."""
        try:
            found = self.locate(path)
            descriptor = os.open(found, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except (OSError, CallError):
            return None
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            return file.read(limit).decode(errors="replace")


def clean(path: str) -> PurePosixPath:
    """Give an absolute path without `..`; raises CallError for any other."""
    parsed = PurePosixPath(path)
    if not parsed.is_absolute() or ".." in parsed.parts or "\0" in path:
        raise CallError(f"'{path}' is not a plain absolute path")
    return PurePosixPath("/", *parsed.parts[1:])


def own_paths(template: JsonObject, mounts: tuple[Mount, ...]) -> tuple[str, ...]:
    """Give the paths at which the pod's own files stand, whatever the host has there: volumes, artifacts, the script."""
    artifacts = (template.get("inputs") or {}).get("artifacts") or []
    script = [SCRIPT] if template.get("script") else []
    return (
        *(mount.path for mount in mounts),
        *(str(clean(path)) for path in (*(one["path"] for one in artifacts), *script)),
    )


def room_paths(template: JsonObject) -> tuple[str, ...]:
    """Give the folders that must be there: the working folder, and those of the output parameters."""
    main = template.get("container") or template.get("script") or {}
    outputs = [str(clean(path).parent) for path in output_paths(template)]
    return (*outputs, str(clean(main.get("workingDir") or "/")))


def output_paths(template: JsonObject) -> list[str]:
    """Give the files from which a template's output parameters are read."""
    parameters = (template.get("outputs") or {}).get("parameters") or []
    return [path for one in parameters if (path := (one.get("valueFrom") or {}).get("path"))]
