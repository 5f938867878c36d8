from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.model.check_run import Annotation
from kubeci.report.annotations import COUNT_LIMIT, LINE_LIMIT, AnnotationParser, parse_line


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a.go:10: unused variable", Annotation("a.go", 10, "notice", "unused variable")),
        (
            "./src/x.py:3:7: error: name 'y' is not defined",
            Annotation("src/x.py", 3, "failure", "name 'y' is not defined"),
        ),
        (
            ".github/workflows/a.yml:2: Warning: old",
            Annotation(".github/workflows/a.yml", 2, "warning", "old"),
        ),
        (
            "Makefile:12: *** missing separator.",
            Annotation("Makefile", 12, "notice", "*** missing separator."),
        ),
        ("    main_test.go:9: got 1: want 2", Annotation("main_test.go", 9, "notice", "got 1: want 2")),
        ("a.go:10: 20: is a number", Annotation("a.go", 10, "notice", "20: is a number")),
        ("a.go:1: error:", Annotation("a.go", 1, "notice", "error:")),
        ("a.go:1: an error: inside", Annotation("a.go", 1, "notice", "an error: inside")),
        ("größe/[id].tsx:4: ✗ nein", Annotation("größe/[id].tsx", 4, "notice", "✗ nein")),
        (
            "\x1b[1m\x1b[31ma.c:7:1:\x1b[0m \x1b[31merror: \x1b[0mbad\x07",
            Annotation("a.c", 7, "failure", "bad"),
        ),
        ("\x1b]8;;file:///x\x1b\\a.c:7: linked\x1b]8;;\x1b\\", Annotation("a.c", 7, "notice", "linked")),
        ("a.go:10: windows\r", Annotation("a.go", 10, "notice", "windows")),
        ("a.go:0: no such line", None),
        ("a.go:x: no number", None),
        ("a.go:3:x: no column", None),
        ("a.go:99999999999: too far", None),
        ("a.go:٣: not a digit of ours", None),
        ("a.go:10:found by grep", None),
        ("a.go:10:", None),
        ("a.go:10: ", None),
        ("see http://host:80: fine", None),
        ("http://host:80: fine", None),
        ("//host/a:80: fine", None),
        ("/src/a.go:10: elsewhere", None),
        ("../a.go:10: outside", None),
        ("a/../../b.go:10: outside", None),
        ("C:\\src\\a.go:10: elsewhere", None),
        (".:1: a folder", None),
        ("src/:1: a folder", None),
        ("12:30:45: a time", None),
        ("2026-01-01T12:30:45: a time", None),
        ("[12:30:45: a time", None),
        ("10.0.0.1:8080: refused", None),
        ("localhost:8080: refused", None),
        ("error in a.go:10: a sentence", None),
        ("", None),
    ],
)
def test_parse_line(line: str, expected: Annotation | None) -> None:
    assert parse_line(line) == expected


def read(*chunks: bytes) -> tuple[list[Annotation], AnnotationParser]:
    parser = AnnotationParser(tail_lines=3)
    found = [annotation for chunk in chunks for annotation in parser.feed(chunk)]
    return [*found, *parser.close()], parser


pieces = st.lists(
    st.sampled_from(
        [
            b"a.go:1: x",
            b"\n",
            b"\r",
            b"\x1b[",
            b"31m",
            b"error: ",
            b"\xff",
            b":",
            b"7",
            "✗".encode()[:2],
            b"z" * 5000,
        ]
    )
    | st.binary(max_size=6),
    max_size=30,
)


@given(pieces)
def test_how_a_log_is_cut_into_chunks_makes_no_difference(chunks: list[bytes]) -> None:
    found, parser = read(*chunks)
    whole, other = read(b"".join(chunks))
    assert (found, parser.tail, parser.lines) == (whole, other.tail, other.lines)
    assert parser.lines == len(b"".join(chunks).split(b"\n")) - (
        not b"".join(chunks) or b"".join(chunks).endswith(b"\n")
    )


@given(st.text(max_size=60))
def test_parse_line_never_raises_and_gives_sane_paths(text: str) -> None:
    for line in (text, f"{text}:3: message", f"a.go:3: {text}"):
        annotation = parse_line(line)
        if annotation:
            assert annotation.line >= 1
            assert annotation.message.strip()
            assert not annotation.path.startswith("/")
            assert ".." not in annotation.path.split("/")


def test_a_very_long_line_keeps_its_beginning_in_bounded_memory() -> None:
    parser = AnnotationParser()
    parser.feed(b"a.go:1: ")
    for _ in range(100):
        parser.feed(b"x" * 1_000_000)
        assert len(parser._line) <= LINE_LIMIT
    (first,) = parser.feed(b"\na.go:2: next\n")[:1]
    assert first.message == "x" * (LINE_LIMIT - len("a.go:1: "))
    assert parser.lines == 2


def test_annotations_over_the_limit_are_counted() -> None:
    found, parser = read(b"a.go:1: x\n" * (COUNT_LIMIT + 7))
    assert (len(found), parser.dropped) == (COUNT_LIMIT, 7)


def test_the_tail_is_what_a_terminal_shows() -> None:
    _, parser = read(b"one\n10%\r50%\r100% \r\n\x1b[32mgreen\x1b[0m\nlast")
    assert parser.tail == ("100%", "green", "last")
    assert parser.truncated
    assert not read(b"one\n")[1].truncated


def test_escapes_without_an_end_are_read_in_linear_time() -> None:
    _, parser = read((b"\x1b]" * 2000 + b"\n") * 500)
    assert parser.tail == ("", "", "")
