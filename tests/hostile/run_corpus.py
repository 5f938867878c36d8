"""Run attacks on the way that the server goes with a commit, and measure what they cost it.

`run()` gives a `Measured` for each attack as it ends. One at a time, its growth is that of this process, which is the
server's: the sandbox's parent, the checks and the rendering are here.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from attack import Attack, Verdict
from corpus import CORPUS

from kubeci.definition.module_reader import ModuleSources
from kubeci.definition.protocol import Limits
from kubeci.definition.sandbox import Sandbox
from kubeci.errors import DefinitionError, NotFound
from kubeci.fetch.web import WebModules
from kubeci.model.build import BuildRequest
from kubeci.model.module import ModuleFile
from kubeci.model.repository import Commit, Ref, Repository
from kubeci.model.source import CommitSource
from kubeci.report.errors import annotation_of, definition_failed
from kubeci.service.prepare import Tools, prepare, render
from kubeci.settings.config import Config
from kubeci.workflow.cache import FAILED as CACHE_FAILED

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REPOSITORY = Repository("acme", "widgets", 1)
COMMIT = Commit(REPOSITORY, "a" * 40)
PAGE = os.sysconf("SC_PAGE_SIZE")
MAX_GROWTH = 64 << 20
"""Bytes that the server may hold more after an attack: allocators keep some of what they were given."""
MAX_MS_BESIDE = 4_000
"""Beside the wall clock of an evaluation: its grace, and the checks."""
MAX_BLOCKED_MS = 250
MAX_SUMMARY = 65_535


@dataclass(frozen=True, slots=True)
class Measured:
    """How an attack ended; `flaw` says what is not as it should be."""

    family: str
    name: str
    verdict: str
    ms: int
    growth: int
    """Bytes that the server's process holds more than before."""
    worker: int
    """The most bytes that the confined process held, as far as it was seen."""
    blocked: int
    """Milliseconds of processor time for which the event loop did nothing else, at most."""
    said: str = ""
    """The words of a refusal."""
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of an attack's files."""

    verdict: Verdict
    said: str = ""
    flaw: str = ""


class NoRepositories:
    """A GitHub that holds nothing."""

    async def read(self, _repository: Repository, full_name: str, _ref: str, path: str) -> ModuleFile:
        raise NotFound(f"{full_name} has no {path}")


@asynccontextmanager
async def tools(limits: Limits | None = None) -> AsyncIterator[Tools]:
    """Start a sandbox as the server has it, and give what definitions are prepared with."""
    sources = ModuleSources(NoRepositories(), WebModules())
    async with Sandbox(limits, sources=sources) as sandbox:
        yield Tools(sandbox, Config(definition_from_base=False))


def chosen(*, costly: bool) -> list[tuple[str, Attack]]:
    """Give the attacks with their families; without the costly ones the run is quick."""
    return [
        (family, attack)
        for family, attacks in CORPUS.items()
        for attack in attacks
        if costly or not attack.costly
    ]


async def run(attacks: Iterable[tuple[str, Attack]], given: Tools) -> AsyncIterator[Measured]:
    """Run attacks one after the other."""
    gc.collect()
    for family, attack in attacks:
        yield await measured(family, attack, given)


async def measured(family: str, attack: Attack, given: Tools) -> Measured:
    """Run one attack."""
    before, started = _held(), time.monotonic()
    over = asyncio.Event()
    watch = asyncio.create_task(_peak(given.sandbox, over))
    ended = await _end(attack, given)
    ms = int((time.monotonic() - started) * 1000)
    over.set()
    worker, blocked = await watch
    growth = _held() - before
    if growth > MAX_GROWTH:
        gc.collect()
        growth = _held() - before
    flaw = ended.flaw or _flaw(attack, ended)
    if not flaw and ms > given.sandbox.limits.wall_seconds * 1000 + MAX_MS_BESIDE:
        flaw = "takes too long"
    if not flaw and growth > MAX_GROWTH:
        flaw = "stays in the server's memory"
    if not flaw and blocked > MAX_BLOCKED_MS:
        flaw = "keeps all others waiting"
    if not flaw and worker > given.sandbox.limits.memory_mib << 20:
        flaw = "the confined process grew beyond its limit"
    return Measured(family, attack.name, ended.verdict, ms, growth, worker, blocked, ended.said, flaw)


async def _end(attack: Attack, given: Tools) -> Ended:
    request = BuildRequest(
        "b" * 40,
        COMMIT,
        Ref("main"),
        automatic=True,
        head_repository="stranger/widgets" if attack.untrusted else "",
        changed_files=("README.md",),
    )
    try:
        prepared = await prepare(request, CommitSource(attack.files), given, NOW)
        if prepared is None:
            return Ended(Verdict.EVALUATED, flaw="nothing came of it")
        manifest = render(prepared, given.config)
    except DefinitionError as error:
        return Ended(Verdict.REFUSED, str(error), _told_badly(error, attack))
    flaw = "" if attack.proof(manifest) else "got what it was after"
    verdict = Verdict.HARMLESS if attack.verdict is Verdict.HARMLESS else Verdict.EVALUATED
    return Ended(verdict, flaw=flaw)


def _told_badly(error: DefinitionError, attack: Attack) -> str:
    """Say what is wrong with how a refusal is told; empty: nothing."""
    check = definition_failed(error, prefix="unable to parse workflow, ")
    if error.message.startswith(CACHE_FAILED):  # people know what these begin with; they have no place
        return ""
    if error.where is None or not error.where.path:
        return "refused without a place"
    if attack.line >= 0 and error.where.line != attack.line:
        return f"refused at line {error.where.line}, not {attack.line}: {str(error)[:200]}"
    if len(check.summary.encode()) > MAX_SUMMARY or len(check.title) > 300:
        return "more is told than a check-run takes"
    annotation = annotation_of(error)
    told = check.summary + (annotation.message if annotation else "")
    if any(character in told for character in "\x1b\u202e\u200b\x00\r"):
        return "a character that nobody sees is told as it is"
    return ""


def _flaw(attack: Attack, ended: Ended) -> str:
    if ended.verdict is not attack.verdict:
        return f"{ended.verdict} instead of {attack.verdict}: {ended.said[:200]}"
    if attack.says not in ended.said:
        return f"does not say {attack.says!r}: {ended.said[:300]}"
    return ""


async def _peak(sandbox: Sandbox, over: asyncio.Event) -> tuple[int, int]:
    """Watch until it is over; give the most that a confined process held, and for how long the event loop stood still."""
    peak = 0
    longest, woken = 0.0, time.thread_time()
    children = Path(f"/proc/{sandbox.zygote_pid}/task/{sandbox.zygote_pid}/children")
    while not over.is_set():
        with suppress(OSError):
            found = children.read_text()  # noqa: ASYNC240 - /proc answers at once
            peak = max([peak, *map(_most, found.split())])
        with suppress(TimeoutError):
            async with asyncio.timeout(0.02):
                await over.wait()
        longest, woken = max(longest, time.thread_time() - woken), time.thread_time()
    return peak, int(longest * 1000)


def _most(pid: str) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    return 0


def _held() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def row(each: Measured) -> str:
    """Write one line of the table: family, name, verdict, milliseconds, growth and the worker's peak in MB, the loop's stand in ms."""
    return (
        f"{each.family:<12} {each.name:<40} {each.verdict:<10} {each.ms:>6} ms {each.growth / 1e6:>+7.1f} MB "
        f"{each.worker / 1e6:>6.0f} MB {each.blocked:>5} ms{'  ' + each.flaw if each.flaw else ''}"
    )


async def main() -> int:
    """Print the table of all attacks; 1 when one of them is not contained."""
    count = flaws = 0
    async with tools() as given:
        await _end(CORPUS["names"][0], given)  # what is imported and compiled once is no growth
        async for each in run(chosen(costly=True), given):
            count, flaws = count + 1, flaws + bool(each.flaw)
            sys.stdout.write(f"{row(each)}\n")
            if "-v" in sys.argv:
                sys.stdout.write(f"{' ' * 13}{each.said[:300]!a}\n")
    sys.stdout.write(f"{count} attacks, {flaws} not contained\n")
    return 1 if flaws else 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
