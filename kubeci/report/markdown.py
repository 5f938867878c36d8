"""GitHub Markdown around text that may be hostile.

Foreign text stands in code spans and fences alone: there GitHub makes no mentions, links, references or HTML of it
(github.github.com/gfm, sections 6.3 and 4.5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from kubeci.report.plain import one_line, plain

LIMIT_BYTES = 65_535  # of a check-run's summary and of its text, each: docs.github.com/rest/checks/runs
_CUT_NOTE = "\n\n… cut"


def code(text: str, limit: int = 200) -> str:
    """Put foreign text into a code span of one line; empty text gives nothing."""
    line = one_line(text, limit)
    if not line:
        return ""
    ticks = "`" * (_longest_run(line) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{space}{line}{space}{ticks}"


def fence(lines: Iterable[str]) -> str:
    """Put foreign lines into a fenced block that nothing inside can close."""
    content = "\n".join(plain(line) for line in lines)
    ticks = "`" * max(3, _longest_run(content) + 1)
    return f"{ticks}text\n{content}\n{ticks}"


def row(cells: Sequence[str]) -> str:
    """Write one row of a table; a bar inside a cell does not end it."""
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; the cells are Markdown, foreign text in them already in code spans."""
    return "\n".join([row(header), row(["---"] * len(header)), *map(row, rows)])


def cut(text: str, limit: int = LIMIT_BYTES) -> str:
    """Shorten a text to `limit` bytes of UTF-8, between characters, and say so at its end.

    A fence that the cut leaves open is closed.
    """
    raw = text.encode(errors="replace")
    if len(raw) <= limit:
        return raw.decode()
    kept = _head(raw, limit - len(_CUT_NOTE.encode()))
    fence_left_open = _open_fence(kept)
    if fence_left_open:
        ending = f"\n{fence_left_open}{_CUT_NOTE}"
        kept = _head(raw, limit - len(ending.encode()))
        return kept + ending
    return _head((kept + _CUT_NOTE).encode(), limit)


def _head(raw: bytes, limit: int) -> str:
    return raw[: max(0, limit)].decode(errors="ignore")


def _open_fence(text: str) -> str:
    opened = ""
    for ticks in re.findall(r"^(`{3,})[^`\n]*$", text, re.MULTILINE):
        if not opened:
            opened = ticks
        elif len(ticks) >= len(opened):
            opened = ""
    return opened


def _longest_run(text: str) -> int:
    return max(map(len, re.findall(r"`+", text)), default=0)


def _cell(text: str) -> str:
    # A backslash before the bar would escape our own backslash.
    return text.replace("\\|", "¦").replace("|", "\\|").replace("\n", " ")
