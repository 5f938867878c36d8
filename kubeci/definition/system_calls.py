"""Which system calls the process of an evaluation can still make: those of a program that computes, and of its one socket.

The kernel keeps the list (seccomp_filter, docs.kernel.org), also against code that somebody smuggled into the interpreter:
limits alone would let it close a descriptor and open a file in its place, or signal the server.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from dataclasses import dataclass

_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2  # linux/prctl.h, linux/seccomp.h
_KILL, _REFUSE, _ALLOW = 0x80000000, 0x00050000 | errno.EPERM, 0x7FFF0000
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h: a word of the call, a comparison, the end
_GET_FLAGS, _SET_FLAGS, _GET_STATUS = 1, 2, 3
"""linux/fcntl.h: F_GETFD, F_SETFD, F_GETFL. Others have the kernel signal any process of the user when a descriptor is ready."""
_NUMBER, _ARCHITECTURE = 0, 4  # offsets in struct seccomp_data
_INSTRUCTION = struct.Struct("=HBBI")

# read write close fstat lseek pread64 writev mmap mprotect munmap mremap madvise brk rt_sigaction rt_sigprocmask
# rt_sigreturn sigaltstack sched_yield sched_getaffinity nanosleep clock_gettime clock_getres clock_nanosleep getitimer
# setitimer getpid gettid getuid times getrusage sendto recvfrom sendmsg recvmsg shutdown getsockname getpeername getsockopt
# dup poll ppoll futex set_robust_list membarrier rseq getrandom exit exit_group
_X86_64 = (
    0, 1, 3, 5, 8, 17, 20, 9, 10, 11, 25, 28, 12, 13, 14, 15, 131, 24, 204, 35, 228, 229, 230, 36, 38, 39, 186, 102, 100, 98,
    44, 45, 46, 47, 48, 51, 52, 55, 32, 7, 271, 202, 273, 324, 334, 318, 60, 231,
)  # fmt: skip
_AARCH64 = (
    63, 64, 57, 80, 62, 67, 66, 222, 226, 215, 216, 233, 214, 134, 135, 139, 132, 124, 123, 101, 113, 114, 115, 102, 103, 172,
    178, 174, 153, 165, 206, 207, 211, 212, 210, 204, 205, 209, 23, 73, 98, 99, 283, 293, 278, 93, 94,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Machine:
    """A kind of processor: its number in the kernel's audit, what may be called, and three calls that depend on their arguments."""

    audit: int
    allowed: tuple[int, ...]
    fcntl: int
    tgkill: int
    prlimit: int


_MACHINES = {
    "x86_64": _Machine(0xC000003E, _X86_64, fcntl=72, tgkill=234, prlimit=302),
    "aarch64": _Machine(0xC00000B7, _AARCH64, fcntl=25, tgkill=131, prlimit=261),
}
_MACHINE = _MACHINES.get(platform.machine()) if platform.system() == "Linux" else None
_LIBC = ctypes.CDLL(None, use_errno=True) if _MACHINE else None


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def confine_system_calls() -> int:
    """Give up all system calls but those, for good; gives 0, or the `errno` that says why the limits alone hold.

    ENOTSUP: there is no list for this system or processor; EINVAL or ENOSYS: a kernel without such lists, or one that is
    played. Raises `OSError` where the kernel refuses for another reason.
    """
    if _MACHINE is None or _LIBC is None:
        return errno.ENOTSUP
    code = _program(_MACHINE, os.getpid())
    program = _Program(len(code) // _INSTRUCTION.size, code)
    if (
        _LIBC.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
        and _LIBC.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program)) == 0
    ):
        return 0
    number = ctypes.get_errno()
    if number in {errno.EINVAL, errno.ENOSYS}:
        return number
    raise OSError(number, os.strerror(number))


def _program(machine: _Machine, pid: int) -> bytes:
    """Write the filter: each test skips to the end that allows, or goes on to the one that refuses."""
    allowed = len(machine.allowed)
    # The last instructions: a look at a descriptor's flags; a signal to oneself, as `abort` sends it; a look at one's own
    # limits; the two ends.
    last = [
        (_IF_EQUAL, 0, 4, machine.fcntl),
        (_LOAD, 0, 0, _argument(1)),
        (_IF_EQUAL, 13, 0, _GET_FLAGS),
        (_IF_EQUAL, 12, 0, _SET_FLAGS),
        (_IF_EQUAL, 11, 10, _GET_STATUS),
        (_IF_EQUAL, 0, 2, machine.tgkill),
        (_LOAD, 0, 0, _argument(0)),
        (_IF_EQUAL, 8, 7, pid),
        (_IF_EQUAL, 0, 6, machine.prlimit),
        (_LOAD, 0, 0, _argument(0)),
        (_IF_EQUAL, 0, 4, 0),
        (_LOAD, 0, 0, _argument(2)),
        (_IF_EQUAL, 0, 2, 0),
        (_LOAD, 0, 0, _argument(2) + 4),
        (_IF_EQUAL, 1, 0, 0),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 1, 0, machine.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        *(
            (_IF_EQUAL, allowed - at - 1 + len(last) - 1, 0, number)
            for at, number in enumerate(machine.allowed)
        ),
        *last,
    ]
    return b"".join(_INSTRUCTION.pack(code, true, false, value) for code, true, false, value in program)


def _argument(number: int) -> int:
    """Give the offset of an argument's lower half; both machines put it first."""
    return 16 + 8 * number
