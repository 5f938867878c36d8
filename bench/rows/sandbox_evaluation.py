"""Time to evaluate a CI definition, each in a confined process of its own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec

from bench.fakes import ci_files
from bench.figure import Figure, milliseconds
from kubeci.definition.loader import ContextNames, Inputs, load_definition
from kubeci.definition.sandbox import Sandbox

EVALUATIONS = 200
EVENT = Path(__file__).parents[2] / "tests" / "data" / "webhooks" / "check_suite.requested.json"
KINDS = (("starlark", "Starlark"), ("matrix", "YAML"))


async def measure(_folder: Path) -> list[Figure]:
    """Evaluate the definitions of two examples again and again."""
    inputs = _inputs(msgspec.json.decode(EVENT.read_bytes()))
    async with Sandbox() as sandbox:
        first = await _evaluate(sandbox, ci_files("starlark"), inputs)
        figures = [Figure("first evaluation", first * 1000, "ms", "the sandbox was started just before")]
        for example, kind in KINDS:
            files = ci_files(example)
            seconds = [await _evaluate(sandbox, files, inputs) for _ in range(EVALUATIONS)]
            how = f"{EVALUATIONS} of examples/{example}, one after the other"
            figures += milliseconds(f"sandbox evaluation, {kind}", seconds, how)
    return figures


async def _evaluate(sandbox: Sandbox, files: dict[str, str], inputs: Inputs) -> float:
    started = time.perf_counter()
    if await load_definition(files, inputs, ContextNames(), sandbox) is None:
        raise RuntimeError("the example has no definition")
    return time.perf_counter() - started


def _inputs(event: Any) -> Inputs:
    suite = event["check_suite"]
    return Inputs(suite["head_branch"], "branch", suite["head_sha"], repo=event["repository"], event=event)
