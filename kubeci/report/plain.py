"""Text of unknown origin (logs, node names, messages of upstreams) made fit to be shown."""

from __future__ import annotations

import re

# ECMA-48: control sequences, operating system commands (up to their end or the next escape), other escapes.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]?|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)")
# Control characters but tab and newline, lone surrogates, marks that reverse or hide what stands beside them.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def plain(text: str) -> str:
    """Drop terminal escapes, control characters and what changes the direction of text; tabs and newlines stay."""
    return _UNSEEN.sub("", _ESCAPES.sub("", text))


def one_line(text: str, limit: int = 200) -> str:
    """Write a text in one line of at most `limit` characters; a cut shows as `…`."""
    line = " ".join(plain(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
