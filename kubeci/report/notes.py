"""What an author should know beside a check-run's result: warnings, and what the definition printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kubeci.model.check_run import CheckRun
from kubeci.report.markdown import code, cut, fence

_WARNINGS = 20


def with_notes(
    check: CheckRun,
    *,
    warnings: Sequence[str] = (),
    prints: Sequence[str] = (),
    loaded: Sequence[str] = (),
) -> CheckRun:
    """Append warnings to a check-run's summary, and show as its text what was printed and loaded."""
    summary = [check.summary.rstrip(), _listed(warnings)]
    text = [_fenced("Printed by the definition", prints), _fenced("Loaded by the definition", loaded)]
    return replace(
        check,
        summary=cut("\n\n".join(filter(None, summary)) + "\n"),
        text=cut("\n\n".join(filter(None, text))),
    )


def _fenced(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"### {title}", "", fence(lines)]) if lines else ""


def _listed(warnings: Sequence[str]) -> str:
    if not warnings:
        return ""
    lines = [f"- {code(warning, 400)}" for warning in warnings[:_WARNINGS]]
    if len(warnings) > _WARNINGS:
        lines.append(f"- … and {len(warnings) - _WARNINGS} more")
    return "\n".join(["### Warnings", "", *lines])
