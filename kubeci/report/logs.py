"""The failed steps with the end of their logs, which often say more than any status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kubeci.model.report import NodeLog
from kubeci.report.failures import Failure
from kubeci.report.markdown import code, fence
from kubeci.report.plain import plain

SHOWN = 10
"""Failed steps shown with their logs; the table names all."""
LOG_BYTES = 24_000
"""What all these logs may take of a summary together."""
LINES = 20
LINE_CHARACTERS = 300


def failure_details(causes: Sequence[Failure], logs: Mapping[str, NodeLog]) -> Iterator[str]:
    """Give one block of Markdown for each failed step: name, reason, last lines of its log."""
    shown = causes[:SHOWN]
    for failure in shown:
        yield _details(failure, logs.get(failure.node.id), LOG_BYTES // len(shown))
    if len(causes) > SHOWN:
        yield f"… and {len(causes) - SHOWN} more failed steps"


def refused_logs(logs: Mapping[str, NodeLog]) -> Iterator[str]:
    """Give the warning that the cluster does not let us read logs, which nobody would miss where all went well."""
    refused = [log for log in logs.values() if log.refused]
    if refused:
        steps = "1 step" if len(refused) == 1 else f"{len(refused)} steps"
        yield f"annotations may be missing, since the log of {steps} could not be read: {refused[0].missing}"


def _details(failure: Failure, log: NodeLog | None, limit: int) -> str:
    why = [failure.reason] if failure.reason else []
    if failure.attempts > 1:
        why.append(f"after {failure.attempts} attempts")
    if failure.allowed:
        why.append("the workflow goes on")
    heading = f"### {'⚠️' if failure.allowed else '❌'} {code(failure.label)}"
    blocks = [heading, ", ".join(why)]
    if log and log.missing:
        blocks.append(f"No log: {code(log.missing)}")
    lines = _last_lines(log.tail if log else (), limit)
    if lines:
        blocks.append(fence(lines))
    return "\n\n".join(filter(None, blocks))


def _last_lines(tail: Sequence[str], limit: int) -> list[str]:
    """Give the last lines that fit into `limit` bytes, without empty ones at either end."""
    kept: list[str] = []
    used = 0
    for line in reversed(tail[-LINES:]):
        short = _short(line)
        used += len(short.encode(errors="replace")) + 1
        if used > limit:
            break
        if short or kept:
            kept.append(short)
    while kept and not kept[-1]:
        kept.pop()
    return kept[::-1]


def _short(line: str) -> str:
    text = plain(line).replace("\n", " ").rstrip()
    return text if len(text) <= LINE_CHARACTERS else text[: LINE_CHARACTERS - 1] + "…"
