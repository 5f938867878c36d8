"""Logs of any size and shape cost a bounded amount of memory, and time in proportion."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubeci.cluster.logs import CHUNK_BYTES
from kubeci.report.annotations import COUNT_LIMIT, LINE_LIMIT, TAIL_LINES, AnnotationParser
from kubeci.service.step_logs import LINES, LogTail

MB = 1_000_000
PAGE = os.sysconf("SC_PAGE_SIZE")
MAX_GROWTH = 60 * MB
"""Of the process: what is kept, its copies while it is read, and what the allocator does not give back at once."""
MAX_SECONDS_A_CHUNK = 1.0
"""Processor time for which the event loop does nothing else; the usual is a hundredth of it."""

LOGS = {
    # name: what repeats, how much of it in all
    "a line of 100 MB": (b"x", 100 * MB),
    "a line of 100 MB that is an annotation": (b"src/a.py:1: error: " + b"y" * CHUNK_BYTES, 100 * MB),
    "zeros": (b"\0", 50 * MB),
    "no text": (b"\xff\xfe\xc3\x28\xed\xa0\x80", 50 * MB),
    "a progress bar": (b"\r 50 %", 50 * MB),
    "long lines": (b"z" * 5_000 + b"\n", 40 * MB),
    "usual lines": (b"w" * 79 + b"\n", 10 * MB),
    "nothing but line ends": (b"\n", MB // 2),
    "annotations alone": (b"src/a.py:3: error: x\n", 1 * MB),
    "annotations as long as may be": (b"src/a.py:3: error: " + b"v" * 5_000 + b"\n", 10 * MB),
    "terminal escapes": (b"\x1b]0;" + b"\x1b[" * 2_000 + b"\n", 2 * MB),
    "marks that turn the text": ("\u202e".encode() * 1_000 + b"\n", 2 * MB),
    "the executor's words": (
        b'time=2024-01-01T00:00:00 level=info msg="x" ' + b"argo=truex" * 300 + b"\n",
        10 * MB,
    ),
    "numbers at their limits": (
        b"a:999999999:999999999: x\nb:0: x\nc:-1: x\nd:9223372036854775808: x\n",
        1 * MB,
    ),
}


def chunks(piece: bytes, total: int) -> Iterator[bytes]:
    chunk = (piece * (CHUNK_BYTES // len(piece) + 1))[: max(CHUNK_BYTES, len(piece))]
    for _ in range(max(1, total // len(chunk))):
        yield chunk


def held() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def fed(log: Iterator[bytes], feed: Callable[[bytes], object]) -> int:
    """Feed a log; gives the most by which the process grew."""
    before = most = held()
    for chunk in log:
        started = time.thread_time()
        feed(chunk)
        assert time.thread_time() - started < MAX_SECONDS_A_CHUNK
        most = max(most, held())
    return most - before


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
@pytest.mark.parametrize("name", LOGS)
def test_annotations_of_a_log_are_found_in_bounded_memory(name: str) -> None:
    parser = AnnotationParser()
    kept = []
    assert fed(chunks(*LOGS[name]), lambda chunk: kept.extend(parser.feed(chunk))) < MAX_GROWTH
    kept += parser.close()
    assert len(kept) <= COUNT_LIMIT
    assert all(0 < each.line <= 999_999_999 and len(each.message) <= LINE_LIMIT for each in kept)
    assert len(parser.tail) <= TAIL_LINES
    assert parser.lines > 0


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
@pytest.mark.parametrize("name", LOGS)
def test_a_log_is_shown_in_bounded_memory(name: str) -> None:
    tail = LogTail()
    assert fed(chunks(*LOGS[name]), tail.feed) < MAX_GROWTH
    tail.close()
    assert 0 < len(tail.lines()) <= LINES or name == "the executor's words"


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("src/a.py:3: x", "src/a.py"),
        ("../a.py:3: x", None),
        ("a/../../b:3: x", None),
        ("/etc/passwd:3: x", None),
        ("//host/a:3: x", None),
        ("C:\\a.py:3: x", None),
        ("a\\..\\b:3: x", None),
        ("https://example.org/a.py:3: x", None),
        ("a.py:0: x", None),
        ("a.py:-1: x", None),
        ("a.py:1.5: x", None),
        ("a.py:9223372036854775807: x", None),
        ("a.py:٣: x", None),
        ("src/\u202ea.py:3: x", "src/[U+202E]a.py"),
        ("src/\u200ba.py:3: x", "src/[U+200B]a.py"),
        ("src/a\x00.py:3: x", "src/a.py"),
        ("./src//a.py:3: x", "src/a.py"),
        (".:3: x", None),
        ("..:3: x", None),
        ("a/:3: x", None),
    ],
)
def test_an_annotation_is_for_a_file_of_the_repository(line: str, path: str | None) -> None:
    parser = AnnotationParser()
    found = parser.feed(line.encode() + b"\n")
    assert [each.path for each in found] == ([] if path is None else [path])
