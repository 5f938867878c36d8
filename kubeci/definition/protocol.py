"""What passes between the server, the zygote and the process of one evaluation.

The server holds a control socket to the zygote: fixed frames, `START` (with the evaluation's own socket beside it) and
`KILL` in one direction, `ENDED` in the other, of which the first tells how a trial of the confinement ended. On an evaluation's own socket, messages are JSON after a length of four bytes;
the server sends a `Request`, the process answers an `Outcome`. Before that it may send an `Ask` at a time, and gets an
`Answer`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import msgspec

from kubeci.definition.addresses import Address
from kubeci.model.json import JsonObject

START = 1
KILL = 2
TRIAL = 0
"""In place of an evaluation's number: the status is 0, or the `errno` for which system calls cannot be given up."""
COMMAND = struct.Struct("!IIIII")  # evaluation, START or KILL, CPU seconds, memory in MiB, wall clock in ms
ENDED = struct.Struct("!IiI")  # evaluation, status as waitpid gives it, 1 when memory ran out
LENGTH = struct.Struct("!I")
MAX_REQUEST_BYTES = 64 << 20
MAX_OUTCOME_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one evaluation may use; beyond it the kernel ends its process."""

    cpu_seconds: int = 2
    memory_mib: int = 512
    wall_seconds: float = 10.0


class Request(msgspec.Struct, frozen=True):
    """Evaluate one file of a CI context.

    `path` names the file, `kept_out` says why other entries of the folder are missing (`path: reason`),
    `inputs` become the fields of Starlark's `input`, `now` is the time of the event in nanoseconds since 1970,
    `owner` is the owner of the build's repository.
    """

    path: str
    files: dict[str, str]
    starlark: bool
    kept_out: tuple[str, ...] = ()
    inputs: JsonObject = {}
    now: int = 0
    cpu_seconds: int = 2
    owner: str = ""


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with the definition, and where: a file of the context or a module's address."""

    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    hint: str = ""


class Ask(msgspec.Struct, frozen=True, tag=True):
    """Wish for a file from elsewhere."""

    address: Address


class Answer(msgspec.Struct, frozen=True):
    """A file's text; or why it is `missing`, which a definition may expect; or why it is `refused`."""

    text: str | None = None
    missing: str = ""
    refused: str = ""


class Outcome(msgspec.Struct, frozen=True, tag=True):
    """How an evaluation ended: a manifest (None: the author left it to the other file), or a fault."""

    manifest: JsonObject | None = None
    prints: tuple[str, ...] = ()
    positions: dict[str, tuple[int, int]] = {}
    fault: Fault | None = None


OUT_OF_MEMORY = Fault("ran out of memory")
"""What a process answers that could still answer; the server knows the limit and says it."""
