"""Starlark text made fit for the interpreter: size, nesting, BOM, line ends and tabs (contract, section 3, "Dialect")."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from kubeci.errors import DefinitionError, Location

MAX_SOURCE_BYTES = 64 << 10
MAX_NESTING = 200  # the interpreter's parser recurses; 100,000 nested brackets end its process
TAB_COLUMNS = 8

_TOKEN = re.compile(
    r'''(?P<string>"""(?:\\.|[^\\])*?(?:"""|\Z)|\'\'\'(?:\\.|[^\\])*?(?:\'\'\'|\Z)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)'''
    r"""|(?P<comment>\#[^\n]*)|(?P<tab>\t)|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<functions>\b(?:def|lambda)\b)""",
    re.DOTALL,
)


@dataclass(slots=True)
class Source:
    """A module's text for the interpreter, and the way back to the columns that the author's editor shows.

    `functions` counts the definitions in it, lambdas included.
    """

    text: str
    functions: int = 0
    shifts: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def column(self, line: int, column: int) -> int:
        """Turn a column of the interpreter's (from 1) into the author's."""
        return column - sum(extra for end, extra in self.shifts.get(line, ()) if end < column)


def prepare(text: str, file: str) -> Source:
    """Bring a module into the dialect that the interpreter reads.

    A BOM is dropped, CRLF becomes LF, tabs outside strings become spaces up to the next multiple of 8 columns.
    Raises DefinitionError for a text over 64 KB, for brackets nested deeper than 200 and for one that is never closed.
    """
    if len(text.encode("utf-8", "replace")) > MAX_SOURCE_BYTES:
        raise DefinitionError(f"has more than {MAX_SOURCE_BYTES >> 10} KB", where=Location(file))
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    source = Source("")
    out: list[str] = []
    opened: list[tuple[int, int, str]] = []
    line, column = 1, 0  # of what was written to `out`
    done = 0
    for token in _TOKEN.finditer(text):
        for piece in (text[done : token.start()], _written(token, column, text[done : token.start()])):
            before = line, column
            out.append(piece)
            line, column = _advanced(line, column, piece)
        done = token.end()
        match token.lastgroup:
            case "tab":
                source.shifts.setdefault(line, []).append((column, column - before[1] - 1))
            case "open":
                opened.append((line, column, token[0]))
            case "close" if opened:
                opened.pop()
            case "functions":
                source.functions += 1
            case _:
                pass
        if len(opened) > MAX_NESTING:
            raise _at(source, file, opened[-1], f"brackets are nested deeper than {MAX_NESTING}")
    if opened:
        raise _at(source, file, opened[-1], f"`{opened[-1][2]}` is never closed")
    source.text = "".join(out) + text[done:]
    return source


def _written(token: re.Match[str], column: int, before: str) -> str:
    if token.lastgroup == "comment":
        return token[0].replace("\t", " ")
    if token.lastgroup != "tab":
        return token[0]
    column = _advanced(0, column, before)[1]
    return " " * (TAB_COLUMNS - column % TAB_COLUMNS)


def _advanced(line: int, column: int, piece: str) -> tuple[int, int]:
    breaks = piece.count("\n")
    return line + breaks, len(piece) - piece.rfind("\n") - 1 if breaks else column + len(piece)


def _at(source: Source, file: str, place: tuple[int, int, str], message: str) -> DefinitionError:
    line, column, _ = place
    return DefinitionError(message, where=Location(file, line, source.column(line, column)))
