"""Runs one command in namespaces of its own: `python -I -S sandbox.py PLAN`. It imports nothing but the standard library.

The plan is a JSON file: `root` (a folder that becomes `/`), `links` ([path, target]), `binds` ([source, path, read-only]),
`devices` (paths), `cwd`, `argv`, `env`. Three processes: this one waits, the first of the new process namespace reaps, and
the command does the work; when the second ends, the kernel ends everything the command left behind.
Status: the command's exit code, 128 and the signal's number when one ended it, 64 when it cannot be started (the code of
Argo's executor), 65 when the namespaces cannot be made.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, TypeAlias

Plan: TypeAlias = dict[str, Any]

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x10000000, 0x20000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
MNT_DETACH = 2
SYS_MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 1
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
LAST_CAPABILITY = 63
# chown, dac_override, fowner, fsetid, kill, setgid, setuid, net_bind_service: what a container's root has, less what mounts
KEPT_CAPABILITIES = {0, 1, 3, 4, 5, 6, 7, 10}
CANNOT_START, CANNOT_ISOLATE = 64, 65

_libc = ctypes.CDLL(None, use_errno=True)


class MountAttributes(ctypes.Structure):
    """`struct mount_attr` of mount_setattr(2)."""

    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("user_ns", ctypes.c_uint64),
    )


def check(result: int, what: str) -> None:
    """Raise OSError for a failed call into libc."""
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def mount(source: str, target: str, kind: str | None, flags: int) -> None:
    """Mount, or raise OSError."""
    encoded = kind.encode() if kind else None
    result = _libc.mount(os.fsencode(source), os.fsencode(target), encoded, ctypes.c_ulong(flags), None)
    check(result, f"mount {target}")


def make_read_only(path: str) -> None:
    """Make a mount and all that is mounted below it read-only (Linux 5.12)."""
    attributes = MountAttributes(set=MOUNT_ATTR_RDONLY)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    flags = ctypes.c_uint(AT_RECURSIVE)
    number = ctypes.c_long(SYS_MOUNT_SETATTR)
    result = _libc.syscall(
        number, ctypes.c_int(AT_FDCWD), os.fsencode(path), flags, ctypes.byref(attributes), size
    )
    check(result, f"mount_setattr {path}")


def enter(uid: int, gid: int) -> None:
    """Enter new user, mount and process namespaces, as root of the first."""
    check(_libc.unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        Path(f"/proc/self/{name}").write_text(text, encoding="ascii")
    mount("none", "/", None, MS_REC | MS_PRIVATE)


def build(plan: Plan) -> None:
    """Build the new root: the host's folders read-only, the pod's own folders writable, a few devices."""
    root = str(plan["root"])
    mount(root, root, None, MS_BIND | MS_REC)
    for path, target in plan["links"]:
        link = Path(root + path)
        link.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            link.symlink_to(target)
    binds = [*plan["binds"], *((device, device, False) for device in plan["devices"])]
    for source, path, read_only in binds:
        make_point(Path(source), Path(root + path))
        mount(source, root + path, None, MS_BIND | MS_REC)
        if read_only:
            make_read_only(root + path)
    Path(root, "proc").mkdir(exist_ok=True)


def make_point(source: Path, target: Path) -> None:
    """Make the place where `source` will be mounted: a folder or an empty file."""
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch()


def move_in(root: str) -> None:
    """Make `root` the root, and let go of the old one."""
    mount("proc", f"{root}/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    os.chdir(root)
    check(_libc.pivot_root(b".", b"."), "pivot_root")
    check(_libc.umount2(b".", MNT_DETACH), "umount2")
    os.chdir("/")


def drop_privileges() -> None:
    """Give up every capability that could undo the mounts, for good."""
    for capability in range(LAST_CAPABILITY + 1):
        if capability not in KEPT_CAPABILITIES:
            _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails beyond the kernel's last one
    check(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def run_command(plan: Plan) -> int:
    """Become the command; comes back only with the status of one that cannot be started."""
    argv: list[str] = plan["argv"]
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    try:
        Path(plan["cwd"]).mkdir(parents=True, exist_ok=True)
        os.chdir(plan["cwd"])
        os.execvpe(argv[0], argv, plan["env"])  # noqa: S606 - the command of the plan, by its list of words
    except FileNotFoundError:
        message = f'failed to find name in PATH: exec: "{argv[0]}": executable file not found in $PATH'
    except OSError as error:
        message = f"fork/exec {argv[0]}: {error.strerror}"
    os.write(2, f"{message}\n".encode())
    Path("/dev/termination-log").write_text(message, encoding="utf-8")
    return CANNOT_START


def wait_for(child: int, *, reap: bool) -> int:
    """Wait for a child's end, reaping others on the way, and give its status."""
    while True:
        try:
            pid, status = os.waitpid(-1 if reap else child, 0)
        except InterruptedError:
            continue
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent ends."""
    check(_libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "pdeathsig")
    if parent and os.getppid() != parent:
        os._exit(CANNOT_ISOLATE)


def first_process(plan: Plan) -> int:
    """Be the first process of the namespace: move in, start the command, reap."""
    die_with_parent(0)  # the parent stands outside of this process namespace and has no number here
    move_in(str(plan["root"]))
    drop_privileges()
    child = os.fork()
    if child == 0:
        os._exit(run_command(plan))
    return wait_for(child, reap=True)


def main() -> int:
    """Run the plan named on the command line."""
    plan: Plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    # The command gets these signals itself, by its group; whoever waits for it must outlive them.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    try:
        die_with_parent(int(plan["parent"]))
        enter(os.getuid(), os.getgid())
        build(plan)
    except OSError as error:
        os.write(2, f"{error}\n".encode())
        return CANNOT_ISOLATE
    child = os.fork()
    if child:
        return wait_for(child, reap=False)
    try:
        os._exit(first_process(plan))
    except OSError as error:
        os.write(2, f"{error}\n".encode())
        os._exit(CANNOT_ISOLATE)


if __name__ == "__main__":
    sys.exit(main())
