"""Runs one command in namespaces of its own, by `python -I -S -c LAUNCH PLAN`.

It runs once for each pod, so it imports nothing of the standard library that takes longer than the work itself:
pathlib, json, signal and typing took three times as long as the interpreter's own start.

The plan is a file that `write` makes and the same Python reads: `root` (a folder that becomes `/`), `links` ([path,
target]), `binds` ([source, path, read-only]), `devices` (paths), `cwd`, `argv`, `env`. Three processes: this one waits,
the first of the new process namespace reaps, and the command does the work; when the second ends, the kernel ends
everything the command left behind.
Status: the command's exit code, 128 and the signal's number when one ended it, 64 when it cannot be started (the code of
Argo's executor), 65 when the namespaces cannot be made.
"""

# ruff: noqa: PTH103, PTH112, PTH119, PTH120, PTH123, PTH211 # pathlib is not imported, as is said above

from __future__ import annotations

import ctypes
import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    Plan: TypeAlias = Mapping[str, Any]

LAUNCH = f"import sys; sys.path.append({os.path.dirname(__file__)!r}); import {os.path.basename(__file__)[:-3]} as s; s.main()"
"""What Python is to execute: an import finds the file compiled, a script would be compiled anew."""

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x10000000, 0x20000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
MNT_DETACH = 2
SYS_MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 1
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
LAST_CAPABILITY = 63
SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGTERM = 1, 2, 9, 13, 15
SIG_DFL, SIG_IGN = 0, 1
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


def overwrite(path: str, content: bytes) -> None:
    """Write a file, made where it is not there."""
    with open(path, "wb", buffering=0) as file:
        file.write(content)


def handle(numbers: tuple[int, ...], how: int) -> None:
    """Set what a signal does, for this process and those that it starts."""
    for number in numbers:
        _libc.signal(number, ctypes.c_void_p(how))


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
    for name, text in (("setgroups", b"deny"), ("uid_map", b"0 %d 1" % uid), ("gid_map", b"0 %d 1" % gid)):
        overwrite(f"/proc/self/{name}", text)
    mount("none", "/", None, MS_REC | MS_PRIVATE)


def build(plan: Plan) -> None:
    """Build the new root: the host's folders read-only, the pod's own folders writable, a few devices."""
    root = str(plan["root"])
    mount(root, root, None, MS_BIND | MS_REC)
    for path, target in plan["links"]:
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        if not os.path.lexists(root + path):
            os.symlink(target, root + path)
    binds = [*plan["binds"], *((device, device, False) for device in plan["devices"])]
    for source, path, read_only in binds:
        make_point(source, root + path)
        mount(source, root + path, None, MS_BIND | MS_REC)
        if read_only:
            make_read_only(root + path)
    os.makedirs(f"{root}/proc", exist_ok=True)


def make_point(source: str, target: str) -> None:
    """Make the place where `source` will be mounted: a folder or an empty file."""
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666))


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
    handle((SIGTERM, SIGINT, SIGHUP, SIGPIPE), SIG_DFL)
    try:
        os.makedirs(plan["cwd"], exist_ok=True)
        os.chdir(plan["cwd"])
        os.execvpe(argv[0], argv, plan["env"])  # noqa: S606 - the command of the plan, by its list of words
    except FileNotFoundError:
        message = f'failed to find name in PATH: exec: "{argv[0]}": executable file not found in $PATH'
    except OSError as error:
        message = f"fork/exec {argv[0]}: {error.strerror}"
    os.write(2, f"{message}\n".encode())
    overwrite("/dev/termination-log", message.encode())
    return CANNOT_START


def wait_for(child: int, *, reap: bool) -> int:
    """Wait for a child's end, reaping others on the way, and give its status."""
    while True:
        pid, status = os.waitpid(-1 if reap else child, 0)
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent ends."""
    check(_libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "pdeathsig")
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


def write(plan: Plan, path: str) -> None:
    """Write a plan for a process of this same Python."""
    overwrite(path, marshal.dumps({**plan}))


def read(path: str) -> Plan:
    """Read a plan, which lies where no command of a pod can write."""
    with open(path, "rb") as file:
        plan: Plan = marshal.load(file)  # noqa: S302 - whoever starts this process wrote it
    return plan


def run(plan: Plan) -> int:
    """Run a plan to the end of its command, and give the status."""
    # The command gets these signals itself, by its group; whoever waits for it must outlive them.
    handle((SIGTERM, SIGINT, SIGHUP), SIG_IGN)
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


def main() -> None:
    """Run the plan named on the command line, and exit with its status."""
    os._exit(run(read(sys.argv[1])))
