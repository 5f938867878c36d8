"""Problems as SARIF 2.1.0 (OASIS), which code hosts and editors read."""

from __future__ import annotations

from collections.abc import Sequence

from kubeci import __version__
from kubeci.model.json import JsonObject
from kubeci.workflow.schema import Problem

ROOT = "%SRCROOT%"
"""What the paths are relative to: the repository."""


def sarif(problems: Sequence[Problem]) -> JsonObject:
    """Write problems as a log of one run."""
    driver: JsonObject = {
        "name": "kubeci",
        "version": __version__,
        "rules": [{"id": rule} for rule in sorted({problem.rule for problem in problems})],
    }
    results = [_result(problem) for problem in problems]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"version": "2.1.0", "runs": [run]}


def _result(problem: Problem) -> JsonObject:
    place: JsonObject = {"artifactLocation": {"uri": problem.where.path, "uriBaseId": ROOT}}
    if problem.where.line:
        place["region"] = {"startLine": problem.where.line}
        if problem.where.column:
            place["region"]["startColumn"] = problem.where.column
    text = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
    return {
        "ruleId": problem.rule,
        "level": problem.severity,
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }
