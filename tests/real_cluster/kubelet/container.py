"""A container as processes of this machine: namespaces of its own for mounts and processes, and no image.

Its root is this machine's, under a layer that goes with the container; its command must be found there.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Devices that a shell expects; the machine's own are not touched, since a termination message is mounted beside them.
_ROOT = """\
set -e
mount -t tmpfs none {base}
mkdir {base}/upper {base}/work {base}/root
mount -t overlay none -o lowerdir=/,upperdir={base}/upper,workdir={base}/work {base}/root
mount -t tmpfs none {base}/root/dev
for each in null zero full random urandom; do touch {base}/root/dev/$each; mount --bind /dev/$each {base}/root/dev/$each; done
ln -s /proc/self/fd {base}/root/dev/fd
mount -t proc none {base}/root/proc
"""
_FOLDER = """\
chroot {base}/root mkdir -p {path}
mount --bind {source} {base}/root"$(chroot {base}/root realpath {path})"
"""
_FILE = """\
touch {base}/root{path}
mount --bind {source} {base}/root{path}
"""
_RUN = 'cd "$0" && exec "$@"'


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder or file of this machine that stands at a path of the container."""

    source: Path
    path: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run: the command with its arguments, environment and mounts, and where its output goes."""

    command: Sequence[str]
    environment: Mapping[str, str]
    mounts: Sequence[Mount]
    working_dir: str
    base: Path
    log: Path


class Container:
    """A container that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def wait(self) -> int:
        """Wait for its end; gives its exit code, 128 and the signal's number for a signal."""
        code = await self._process.wait()
        return 128 - code if code < 0 else code

    def signal(self, number: signal.Signals) -> None:
        """Signal its first process, which is the child of the one that made the namespaces."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        if self._process.returncode is None and children.exists():
            for pid in children.read_text().split():
                os.kill(int(pid), number)


async def start(plan: Plan) -> Container:
    """Start a container; what is wrong with its mounts or its command stands in its log."""
    plan.base.mkdir(parents=True)
    base = shlex.quote(str(plan.base))
    script = [_ROOT.format(base=base)]
    for mount in plan.mounts:
        template = _FOLDER if mount.source.is_dir() else _FILE
        script.append(
            template.format(base=base, source=shlex.quote(str(mount.source)), path=shlex.quote(mount.path))
        )
    inside = ["chroot", str(plan.base / "root"), "sh", "-c", _RUN, plan.working_dir, *plan.command]
    script.append(f"exec {shlex.join(inside)}\n")
    with plan.log.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", "".join(script),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(plan.environment),
            start_new_session=True,
        )  # fmt: skip
    return Container(process)
