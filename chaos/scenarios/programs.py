"""Hostile definitions and fuzzing: programs of `tests/hostile`, whose processes' memory is theirs alone."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from asyncio.subprocess import PIPE, STDOUT

from chaos.figure import Figure, Outcome
from chaos.postgres import TESTS
from chaos.setting import Setting

EXAMPLES = 3_000
FEW = 100
TOLD_LINES = 40
_CORPUS_END = re.compile(r"(\d+) attacks, (\d+) not contained")
_CORPUS_ROW = re.compile(r"\s(\d+) ms\s+([+-][\d.]+) MB\s+(\d+) MB\s+(\d+) ms")
_FUZZ_END = re.compile(r"(\d+) cases tried, (\d+) findings")
_FUZZ_ROW = re.compile(r"\d+ cases(?! tried)")


async def hostile(setting: Setting) -> Outcome:
    """Run the corpus of hostile definitions, each on the way that the server goes with a commit."""
    started = time.monotonic()
    lines = await _lines(setting, "run_corpus.py")
    count, flaws = _end(lines, _CORPUS_END)
    rows = [[float(each) for each in found.groups()] for line in lines if (found := _CORPUS_ROW.search(line))]
    longest, growth, worker, blocked = (max(column) for column in zip(*rows, strict=True))
    return Outcome(
        [
            Figure("attacks not contained", flaws, zero=True),
            Figure("attacks", count),
            Figure("longest attack", longest / 1000, "s"),
            Figure("server's memory, most growth", growth, "MB"),
            Figure("confined process, most memory", worker, "MB"),
            Figure("event loop held up, most", blocked, "ms"),
            Figure("time", time.monotonic() - started, "s"),
        ],
        "\n".join(lines[-TOLD_LINES:]) if flaws else "",
    )


async def fuzzing(setting: Setting) -> Outcome:
    """Fuzz all that reads foreign input."""
    started = time.monotonic()
    lines = await _lines(setting, "fuzz.py", str(FEW if setting.short else EXAMPLES))
    cases, findings = _end(lines, _FUZZ_END)
    return Outcome(
        [
            Figure("findings", findings, zero=True),
            Figure("targets", sum(bool(_FUZZ_ROW.search(line)) for line in lines)),
            Figure("cases tried", cases),
            Figure("time", time.monotonic() - started, "s"),
        ],
        "\n".join(lines[-TOLD_LINES:]) if findings else "",
    )


async def _lines(setting: Setting, program: str, *arguments: str) -> list[str]:
    """Run a program to its end; gives what it wrote. It is killed when this is cancelled."""
    command = [sys.executable, "-u", str(TESTS / "hostile" / program), *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=PIPE, stderr=STDOUT, cwd=TESTS.parent, limit=1 << 20
    )
    assert process.stdout is not None
    found: list[str] = []
    try:
        told = time.monotonic()
        async for line in process.stdout:
            found.append(line.decode(errors="replace").rstrip())
            if time.monotonic() - told > 5:
                told = time.monotonic()
                setting.tell(f"{len(found)} done, the last: {found[-1][:100].strip()}")
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return found


def _end(lines: list[str], summary: re.Pattern[str]) -> tuple[int, int]:
    found = summary.search(lines[-1]) if lines else None
    if not found:
        raise RuntimeError("it did not come to its end: " + "\n".join(lines[-TOLD_LINES:]))
    return int(found[1]), int(found[2])
