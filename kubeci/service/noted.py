"""What a trace tells of a definition: what was read and loaded, what it printed, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kubeci.definition.definition import Definition, EvaluationFailed
from kubeci.errors import DefinitionError, UpstreamError
from kubeci.model.build import Build
from kubeci.model.repository import Commit
from kubeci.model.trace import StepKind
from kubeci.report.plain import one_line
from kubeci.service.examine import NotAllowed
from kubeci.tracing import note

PRINTS = 20
LINE = 2_000  # characters of a printed line; the note is cut after secrets were masked in it


def evaluated(definition: Definition | None, commit: Commit, seconds: float) -> None:
    """Note what was evaluated, and how long that took with all that it loaded."""
    took = f"{seconds * 1000:.0f} ms"
    if definition is None:
        note(StepKind.EVALUATED, f"the definition of {commit.sha[:12]} gives no workflow, {took}")
        return
    note(StepKind.EVALUATED, f"{definition.path} of {commit.sha[:12]}, {took}")
    for each in definition.loaded:
        note(StepKind.EVALUATED, f"loaded {each.address} at {each.sha}")
    _printed(definition.prints)


def decided(build: Build, skip: str) -> None:
    """Note what a definition comes to."""
    note(StepKind.EVALUATED, f"starts at the template {build.entrypoint}, as {build.check_name}")
    if skip:
        note(StepKind.DECIDED, f"skipped: {skip}")


@contextmanager
def failure_noted() -> Iterator[None]:
    """Note why a definition cannot be used, where the block says so."""
    try:
        yield
    except NotAllowed as error:
        note(StepKind.DECIDED, f"refused by the workflow policy: {error}")
        raise
    except (DefinitionError, UpstreamError) as error:
        if isinstance(error, EvaluationFailed):
            _printed(error.prints)
        note(StepKind.EVALUATED, f"failed: {error}")
        raise


def _printed(prints: tuple[str, ...]) -> None:
    if prints:
        shown = [one_line(line, LINE) for line in prints[:PRINTS]]
        more = f", and {len(prints) - PRINTS} lines more" if len(prints) > PRINTS else ""
        note(StepKind.EVALUATED, f"printed: {' | '.join(shown)}{more}")
