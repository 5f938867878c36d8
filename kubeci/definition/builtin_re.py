"""`builtin:///re`: regular expressions with the meaning of Go's regexp package (contract, section 3; pkg.go.dev/regexp).

Go and RE2 agree on what one match is. Which matches are counted as "all", what a piece of a split is and what `$1` stands for
are rules of Go's package, and stand here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import re2

from kubeci.settings.pattern import LIMIT

Spans: TypeAlias = list[tuple[int, int]]
"""Byte offsets of a match and of its groups; (-1, -1) for a group that took no part."""

SOURCE = """
def match(pattern, string, flags = 0):
    return [tuple(found) for found in _match(pattern, string)]

def search(pattern, string, flags = 0):
    return _search(pattern, string)

def findall(pattern, string, flags = 0):
    return tuple(_findall(pattern, string))

def split(pattern, string, maxsplit = 0, flags = 0):
    return tuple(_split(pattern, string, maxsplit))

def sub(pattern, repl, string, count = 0, flags = 0):
    return _sub(pattern, repl, string, count)

def compile(pattern, flags = 0):
    _compile(pattern)
    return struct(
        match = lambda string, flags = 0: match(pattern, string),
        search = lambda string, flags = 0: _search(pattern, string),
        findall = lambda string, flags = 0: findall(pattern, string),
        split = lambda string, maxsplit = 0, flags = 0: split(pattern, string, maxsplit),
        sub = lambda repl, string, count = 0, flags = 0: _sub(pattern, repl, string, count),
    )

re = struct(compile = compile, match = match, search = search, findall = findall, split = split, sub = sub)
"""

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")


def compile_pattern(pattern: Any) -> Any:
    """Compile a pattern of at most 4,096 characters; ValueError with RE2's reason when it is none."""
    if not isinstance(pattern, str):
        raise TypeError("re: the pattern must be a string")
    if len(pattern) > LIMIT:
        raise ValueError(f"re: a pattern of {len(pattern):,} characters; at most {LIMIT:,} are accepted")
    try:
        return re2.compile(pattern.encode(), options=_OPTIONS)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        reason = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
        raise ValueError(f"re: `{pattern:.200}` is not a regular expression (RE2): {reason}") from None


def check(pattern: Any) -> None:
    """Refuse a pattern that does not compile."""
    compile_pattern(pattern)


def match(pattern: Any, string: Any) -> list[list[str]]:
    """Give the whole match and the groups of every match; a group that took no part is an empty string."""
    text = _encoded(string)
    return [
        [_decoded(text[slice(*span)]) if span[0] >= 0 else "" for span in spans]
        for spans in _all(compile_pattern(pattern), text)
    ]


def search(pattern: Any, string: Any) -> list[int] | None:
    """Give start and end of the first match, in characters, as this Starlark counts and slices."""
    text = _encoded(string)
    spans = _find(compile_pattern(pattern), text, 0)
    return [len(_decoded(text[:at])) for at in spans[0]] if spans else None


def findall(pattern: Any, string: Any) -> list[str]:
    """Give every whole match."""
    text = _encoded(string)
    return [_decoded(text[slice(*spans[0])]) for spans in _all(compile_pattern(pattern), text)]


def split(pattern: Any, string: Any, maxsplit: Any) -> list[str]:
    """Cut a string where the pattern matches, into at most `maxsplit` pieces; 0 or less: as many as there are."""
    text, limit = _encoded(string), _count(maxsplit)
    compiled = compile_pattern(pattern)
    if pattern and not text:
        return [""]
    pieces: list[bytes] = []
    begin = end = 0
    for spans in _all(compiled, text):
        if limit > 0 and len(pieces) == limit - 1:
            break
        end, after = spans[0]
        if after:  # an empty match at the very start cuts nothing off
            pieces.append(text[begin:end])
        begin = after
    if end != len(text):
        pieces.append(text[begin:])
    return [_decoded(piece) for piece in pieces]


def sub(pattern: Any, repl: Any, string: Any, count: Any) -> str:
    """Replace the first `count` matches, 0 or less: all; `$1`, `${1}` and `${name}` stand for groups, `$$` for a dollar."""
    if not isinstance(repl, str):
        raise TypeError("re: the replacement must be a string")
    text, limit = _encoded(string), _count(count)
    compiled = compile_pattern(pattern)
    template = _template(repl, {_decoded(name): at for name, at in compiled.groupindex.items()})
    out: list[bytes] = []
    done = 0
    for number, spans in enumerate(_all(compiled, text)):
        if 0 < limit <= number:
            break
        out.append(text[done : spans[0][0]])
        out += [part if isinstance(part, bytes) else _group(text, spans, part) for part in template]
        done = spans[0][1]
    return _decoded(b"".join(out) + text[done:])


def _find(compiled: Any, text: bytes, start: int) -> Spans | None:
    found = compiled.search(text, start)
    return [found.span(group) for group in range(compiled.groups + 1)] if found else None


def _all(compiled: Any, text: bytes) -> Iterator[Spans]:
    """Walk over the matches as Go's FindAll does: an empty one right after another does not count."""
    position, before = 0, -1
    while position <= len(text):
        spans = _find(compiled, text, position)
        if spans is None:
            return
        start, end = spans[0]
        counts = end != position or start != before
        position = end if end > position else _next(text, position)
        before = end
        if counts:
            yield spans


def _next(text: bytes, position: int) -> int:
    """Give where the next character begins."""
    position += 1
    while position < len(text) and text[position] & 0xC0 == 0x80:
        position += 1
    return position


def _template(repl: str, names: dict[str, int]) -> list[bytes | int]:
    """Take a replacement apart into texts and group numbers; an unknown name stands for nothing."""
    parts: list[bytes | int] = []
    done = 0
    for found in _REFERENCE.finditer(repl):
        parts.append(repl[done : found.start()].encode())
        done = found.end()
        name = found[1] or found[2]
        if name is None:
            parts.append(b"$")
        elif _NUMBER.fullmatch(name):
            parts.append(int(name))
        elif name in names:
            parts.append(names[name])
    parts.append(repl[done:].encode())
    return parts


def _group(text: bytes, spans: Spans, number: int) -> bytes:
    return text[slice(*spans[number])] if number < len(spans) and spans[number][0] >= 0 else b""


def _encoded(string: Any) -> bytes:
    if not isinstance(string, str):
        raise TypeError("re: the string must be a string")
    return string.encode()


def _decoded(text: bytes) -> str:
    return text.decode(errors="replace")


def _count(number: Any) -> int:
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError("re: a count must be an int")
    return number
