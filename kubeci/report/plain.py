"""Text of unknown origin (logs, node names, messages of upstreams) made fit to be shown."""

from __future__ import annotations

import re

# ECMA-48: control sequences, operating system commands (up to their end or the next escape), other escapes.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]?|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)")
# Control characters but tab and newline, line ends that only some readers know, byte order marks, lone surrogates.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
# Marks that turn the direction of text or hide in it: what is read then is not what is there (trojansource.codes;
# Unicode Standard Annex 9 and its table of default ignorable characters; the joiners of scripts and emoji are none of them).
_DECEIVING = re.compile(
    r"[\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def plain(text: str) -> str:
    """Make text harmless; tabs and newlines stay.

    Terminal escapes and control characters are dropped; marks that change the direction of text, or that nobody sees, are written
    out: `[U+202E]`.
    """
    if text.isascii() and text.isprintable():
        return text
    return _DECEIVING.sub(_written_out, _UNSEEN.sub("", _ESCAPES.sub("", text)))


def _written_out(mark: re.Match[str]) -> str:
    return f"[U+{ord(mark[0]):04X}]"


def one_line(text: str, limit: int = 200) -> str:
    """Write a text in one line of at most `limit` characters; a cut shows as `…`."""
    line = " ".join(plain(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
