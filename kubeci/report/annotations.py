"""Annotations out of log lines: `file:line: message` and `file:line:col: message` (contract, section 6)."""

from __future__ import annotations

import re
from collections import deque

from kubeci.model.check_run import Annotation, Level
from kubeci.report.executor_lines import is_executors
from kubeci.report.plain import plain

LINE_LIMIT = 4096
"""Bytes of a line that are looked at; the rest is dropped."""
COUNT_LIMIT = 1000
"""Annotations of one log; further ones are counted only."""
TAIL_LINES = 30
"""Last lines of a log that are kept."""

_LINE = re.compile(r"\s*([^\s:\"<>|*?\\]+):([0-9]{1,9}):(?:([0-9]{1,9}):)?\s+(\S.*)")
_LEVEL = re.compile(r"(error|warning):\s*(?=\S)", re.IGNORECASE)
_LEVELS: dict[str, Level] = {"error": "failure", "warning": "warning"}
# A time (`12:30:45: x`, `2024-01-01T12:30:45: x`), an address (`10.0.0.1:80: x`), a host.
_NO_FILE = re.compile(r"[\[(]?[0-9.\-/T]*|\[?localhost", re.IGNORECASE)


def parse_line(line: str) -> Annotation | None:
    """Read one line of a log; None: it is no remark on a file of the repository.

    The level is `failure` or `warning` where the message begins with `error:` or `warning:`, else `notice`. Paths
    are relative to the repository: absolute ones, addresses and ways out of it (`..`) are none of ours.
    """
    match = _LINE.fullmatch(plain(line).rstrip())
    if not match:
        return None
    path, number, message = _path(match[1]), int(match[2]), match[4]
    if not path or number < 1:
        return None
    level: Level = "notice"
    prefix = _LEVEL.match(message)
    if prefix:
        level, message = _LEVELS[prefix[1].lower()], message[prefix.end() :]
    return Annotation(path=path, line=number, level=level, message=message)


def _path(text: str) -> str:
    """Give a path as git writes it, or nothing if it cannot be one of the repository's."""
    parts = [part for part in text.split("/") if part not in {"", "."}]
    if ".." in parts or text.startswith("/") or text.endswith("/") or _NO_FILE.fullmatch(text):
        return ""
    return "/".join(parts)


class AnnotationParser:
    """Reads a log in chunks of any size, in bounded memory; how it is cut into chunks makes no difference.

    `tail` holds the last lines as a person reads them, `lines` counts all lines, `dropped` the annotations over
    `COUNT_LIMIT`.
    """

    def __init__(self, *, tail_lines: int = TAIL_LINES) -> None:
        self._tail: deque[str] = deque(maxlen=tail_lines)
        self._line = bytearray()
        self._pending = False
        self.lines = 0
        self.found = 0
        self.dropped = 0

    @property
    def tail(self) -> tuple[str, ...]:
        """Give the last lines, oldest first."""
        return tuple(plain(line).rstrip() for line in self._tail)

    @property
    def truncated(self) -> bool:
        """Say whether the log has more lines than `tail`."""
        return self.lines > len(self._tail)

    def feed(self, chunk: bytes) -> list[Annotation]:
        """Take the next bytes of the log; gives the annotations of the lines that ended in them."""
        *ended, rest = chunk.split(b"\n")
        found: list[Annotation] = []
        for piece in ended:
            self._extend(piece)
            self._end_line(found)
        if rest:
            self._extend(rest)
            self._pending = True
        return found

    def close(self) -> list[Annotation]:
        """Take the end of the log: a last line needs no newline."""
        found: list[Annotation] = []
        if self._pending:
            self._end_line(found)
        return found

    def _extend(self, piece: bytes) -> None:
        self._line += piece[: LINE_LIMIT - len(self._line)]

    def _end_line(self, found: list[Annotation]) -> None:
        # A terminal shows of a line what stands after its last carriage return: progress bars.
        text = self._line.decode(errors="replace").rstrip("\r").rpartition("\r")[2]
        self._line.clear()
        self._pending = False
        if is_executors(text):
            return
        self.lines += 1
        self._tail.append(text)
        # A log may be millions of lines, and most are not looked at further.
        annotation = parse_line(text) if ":" in text else None
        if annotation is None:
            return
        if self.found < COUNT_LIMIT:
            self.found += 1
            found.append(annotation)
        else:
            self.dropped += 1
