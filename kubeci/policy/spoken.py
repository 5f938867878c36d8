"""The lines of a Markdown text that are its author's own words: no code, no quote, nothing hidden.

Blocks are told apart as CommonMark does (spec.commonmark.org, sections 4.4 to 4.6 and 5.1), as far as that decides which
unindented lines are words; where a line could be either, it counts as none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE_END = re.compile(r"\r\n|\n|\r")
_FENCE = re.compile(r"(?P<fence>`{3,}(?=[^`]*\Z)|~{3,})")
_HIDDEN = re.compile(r"<(?:!--|(?:pre|script|style|textarea)(?=[\s>]|\Z))", re.IGNORECASE)
_SHOWN_AGAIN = re.compile(r"</(?:pre|script|style|textarea)>", re.IGNORECASE)
_COMMENT_END = re.compile(r"-->")
_CONTAINER = re.compile(r" {0,3}(?:>|(?:[-+*]|[0-9]{1,9}[.)])(?= |\Z))")
_NO_PARAGRAPH = re.compile(
    r" {0,3}(?:#{1,6}(?:[ \t]|\Z)|(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})\Z)"
)
_MAX_DEPTH = 100  # of quotes and lists on one line: GitHub's own reader gives up on so many


@dataclass(frozen=True, slots=True)
class _Fence:
    """A fenced block; it ends with its list item, whose text begins at column `indent`."""

    mark: str
    indent: int = 0

    def is_closed_by(self, line: str) -> bool:
        text = line.strip(" ")
        closing = len(text) >= len(self.mark) and not text.strip(self.mark[0])
        return closing and _indent(line) - self.indent <= 3


@dataclass(frozen=True, slots=True)
class _Html:
    """Hidden text, or such that is shown as it is, up to a line with its end."""

    end: re.Pattern[str]
    indent: int = 0

    def is_closed_by(self, line: str) -> bool:
        return bool(self.end.search(line))


@dataclass(slots=True)
class _Reader:
    """What is open after a line."""

    block: _Fence | _Html | None = None
    quoted_fence: _Fence | None = None
    quoted_paragraph: bool = False
    """A line without a mark goes on with the quote's paragraph."""
    item: int = 0
    """The column at which the text of an open list item begins; 0: none is open."""
    item_bare: bool = False
    """The line before began one with nothing in it, which a blank line ends."""
    paragraph: bool = False
    """The line before was a paragraph's."""
    commented: bool = False
    """A comment was opened within the paragraph."""

    def read(self, line: str) -> bool:
        """Take the next line, without tabs; says whether it is the author's own words."""
        if self._goes_on(line):
            return False
        text, column, quoted = _inside(line, self.item if _indent(line) >= self.item else 0)
        if quoted:
            self._quote(text)
            self.commented = False
            return False
        lazy = self.quoted_paragraph and bool(line.strip()) and not _NO_PARAGRAPH.match(line)
        self.quoted_fence, self.quoted_paragraph = None, False
        opened = _fence_in(text)
        self._enter(line, text, column, starts=bool(opened or _hidden_in(text)))
        if opened:
            self.block, self.commented, self.paragraph = _Fence(opened, self.item), False, False
            return False
        hides = self._hide(text)
        self.paragraph = not self.block and bool(text.strip()) and not _NO_PARAGRAPH.match(text)
        self.quoted_paragraph = lazy and self.paragraph and not column
        return not hides and not self.quoted_paragraph

    def _enter(self, line: str, text: str, column: int, *, starts: bool) -> None:
        """Begin a list item, or end the one that a line is not indented enough for."""
        goes_on = self.paragraph and not starts and not _NO_PARAGRAPH.match(line)
        begun, self.item_bare = self.item_bare, bool(column) and not text.strip()
        too_little = _indent(line) < self.item and not goes_on if line.strip() else begun
        if column or too_little:
            self.item = column

    def _goes_on(self, line: str) -> bool:
        """Say whether a line belongs to the block that is open, which it may end."""
        if self.block is None:
            return False
        if line.strip() and _indent(line) < self.block.indent:
            self.block = None  # the list item has ended, and the block with it
            return False
        if self.block.is_closed_by(line):
            self.block = None
        return True

    def _hide(self, text: str) -> bool:
        """Open what hides a line or those after it; says whether the line's begin is hidden."""
        if opened := _hidden_in(text):
            end = _COMMENT_END if opened == "<!--" else _SHOWN_AGAIN
            self.block = None if end.search(text) else _Html(end, self.item)
            self.commented = False
            return True
        hidden = self.commented = self.commented and bool(text.strip()) and not _NO_PARAGRAPH.match(text)
        if "<!--" in text or "-->" in text:
            self.commented = text.rfind("<!--") > text.rfind("-->")
        return hidden

    def _quote(self, text: str) -> None:
        if self.quoted_fence:
            if self.quoted_fence.is_closed_by(text):
                self.quoted_fence = None
            return
        opened = _fence_in(text)
        self.quoted_fence = _Fence(opened) if opened else None
        starts = self.quoted_paragraph or _indent(text) <= 3
        plain = bool(text.strip()) and not opened and not _NO_PARAGRAPH.match(text)
        self.quoted_paragraph = plain and starts


def spoken_lines(text: str) -> Iterator[str]:
    """Give the lines that are the author's own words, in time that grows with the text's length alone."""
    reader = _Reader()
    for line in _LINE_END.split(text):
        if reader.read(line.expandtabs(4)):
            yield line


def _fence_in(text: str) -> str:
    """Give the marks with which a line opens a fenced block."""
    found = _FENCE.match(text.lstrip(" ")) if _indent(text) <= 3 else None
    return found["fence"] if found else ""


def _hidden_in(text: str) -> str:
    """Give the HTML with which a line opens what is hidden, or shown as it is."""
    found = _HIDDEN.match(text.lstrip(" ")) if _indent(text) <= 3 else None
    return found[0] if found else ""


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _inside(line: str, begin: int) -> tuple[str, int, bool]:
    """Take the marks of quotes and list items off a line, from column `begin` on.

    Gives what is left, the column of its begin (0: there was no mark) and whether it is quoted.
    """
    at, quoted = begin, False
    for _ in range(_MAX_DEPTH):
        found = _CONTAINER.match(line, at)
        if not found:
            break
        quoted = quoted or found[0].endswith(">")
        at = found.end()
        if at < len(line) and line[at] == " ":
            at += 1
    return line[at:], at if at > begin else 0, quoted
