"""Time until a new server answers, and what its imports cost."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from pathlib import Path

from bench.fakes import fakes
from bench.figure import Figure
from bench.server import PROGRAM, server

STARTS = 5
IMPORT = "import time; t = time.perf_counter(); import kubeci.app; print(time.perf_counter() - t)"


async def measure(folder: Path) -> list[Figure]:
    """Start the server, the help and the bare import a few times each."""
    starts, helps, imports = [], [], []
    async with fakes(folder, engine=False) as around:
        for _ in range(STARTS):
            async with server(around) as target:
                starts.append(target.start_seconds)
            started = time.perf_counter()
            await _run(PROGRAM, "--help")
            helps.append(time.perf_counter() - started)
            imports.append(float(await _run(sys.executable, "-c", IMPORT)))
    return [
        Figure(what, statistics.median(seconds) * 1000, "ms", f"median of {STARTS}, {how}")
        for what, seconds, how in (
            ("server start", starts, "from exec of `kubeci serve` until /status answers 200"),
            ("import of kubeci.app", imports, "in a new interpreter"),
            ("kubeci --help", helps, "the whole process"),
        )
    ]


async def _run(*command: str) -> bytes:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with status {process.returncode}")
    return output
