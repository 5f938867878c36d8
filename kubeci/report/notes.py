"""What an author should know beside a check-run's result: warnings, and what the definition printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kubeci.model.check_run import CheckRun
from kubeci.report.markdown import code, cut, fence

_WARNINGS = 20


def with_notes(check: CheckRun, *, warnings: Sequence[str] = (), prints: Sequence[str] = ()) -> CheckRun:
    """Append warnings to a check-run's summary, and show printed lines as its text."""
    blocks = [check.summary.rstrip(), _listed(warnings)]
    text = "\n".join(["### Printed by the definition", "", fence(prints)]) if prints else check.text
    return replace(check, summary=cut("\n\n".join(filter(None, blocks)) + "\n"), text=cut(text))


def _listed(warnings: Sequence[str]) -> str:
    if not warnings:
        return ""
    lines = [f"- {code(warning, 400)}" for warning in warnings[:_WARNINGS]]
    if len(warnings) > _WARNINGS:
        lines.append(f"- … and {len(warnings) - _WARNINGS} more")
    return "\n".join(["### Warnings", "", *lines])
