"""How a step's command is kept apart from this machine: in namespaces, or, where those are not allowed, not at all."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

from kubeci.local.engine import sandbox
from kubeci.local.engine.host import DEVICES, search_path, view
from kubeci.local.engine.place import HOME, SCRIPT, TEMPORARY, TERMINATION_LOG, Place
from kubeci.local.engine.process import Command

Isolation: TypeAlias = Literal["namespace", "process"]
_PROBE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Work:
    """What a container is to do, in paths of the container: `own` are those of its files, `room` those that must be."""

    argv: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    cwd: str = "/"
    own: tuple[str, ...] = ()
    room: tuple[str, ...] = ()


async def probe() -> Isolation:
    """Try a command in namespaces; give "process" where that does not work."""
    if sys.platform != "linux":
        return "process"
    try:
        await asyncio.to_thread(_try_namespaces)
    except (OSError, subprocess.SubprocessError):
        return "process"
    return "namespace"


@cache
def _try_namespaces() -> None:
    """Run a command in namespaces, once for all engines of this process; a failure is not remembered."""
    with tempfile.TemporaryDirectory(prefix="kubeci-probe-") as folder:
        place = Place(Path(folder))
        prepare(place)
        command = isolated(Work(("true",)), place)
        subprocess.run(
            command.argv,
            env=command.env,
            cwd=command.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            timeout=_PROBE_SECONDS,
            check=True,
        )


def prepare(place: Place) -> None:
    """Make the folders that every container has."""
    for path in (TEMPORARY, HOME, "/dev/shm", "/proc"):  # noqa: S108 - paths of the container
        (place.root / path[1:]).mkdir(parents=True, exist_ok=True)
    (place.root / TERMINATION_LOG[1:]).touch()


def command_for(isolation: Isolation, work: Work, place: Place) -> Command:
    """Give the command that does `work` at `place`."""
    return isolated(work, place) if isolation == "namespace" else plain(work, place)


def isolated(work: Work, place: Place) -> Command:
    """Give a command that sees the pod's folders at their paths, and the host's programs read-only."""
    shown = view(work.own, work.room)
    plan = {
        "parent": os.getpid(),
        "root": str(place.root),
        "links": shown.links,
        "binds": [
            *((bind, bind, True) for bind in shown.binds),
            *((str(mount.source), mount.path, mount.read_only) for mount in place.mounts),
        ],
        "devices": DEVICES,
        "cwd": work.cwd,
        "argv": work.argv,
        "env": {**_base(HOME), **work.env},
    }
    file = str(place.folder / "plan")
    sandbox.write(plan, file)
    return Command((sys.executable, "-I", "-S", "-c", sandbox.LAUNCH, file), _base(HOME), place.folder)


def plain(work: Work, place: Place) -> Command:
    """Give a plain command in the pod's folder; the paths that it names are rewritten to where they lie."""
    room = [path for path in work.room if not Path(path).exists()]
    paths = {path: str(place.locate(path)) for path in (*work.own, *room, SCRIPT, TERMINATION_LOG, TEMPORARY)}
    env = {**_base(str(place.root / HOME[1:])), "TMPDIR": paths[TEMPORARY]}
    env |= {name: rewrite(value, paths) for name, value in work.env.items()}
    cwd, script = place.locate(work.cwd), place.locate(SCRIPT)
    cwd.mkdir(parents=True, exist_ok=True)
    if script.exists():
        script.write_text(rewrite(script.read_text(), paths))
    return Command(tuple(rewrite(one, paths) for one in work.argv), env, cwd)


def rewrite(text: str, paths: dict[str, str]) -> str:
    """Replace paths of the container by those of this machine, where they stand alone or begin a longer path."""
    names = sorted((path for path in paths if path != "/"), key=len, reverse=True)
    if not names:
        return text
    pattern = r"(?<![\w./-])(" + "|".join(map(re.escape, names)) + r")(?![\w.-])"
    return re.sub(pattern, lambda found: paths[found.group(1)], text)


def _base(home: str) -> dict[str, str]:
    """Give the environment of every step; nothing of the server's own leaks into it but the PATH."""
    return {"PATH": search_path(), "HOME": home, "LANG": os.environ.get("LANG", "C.UTF-8")}
