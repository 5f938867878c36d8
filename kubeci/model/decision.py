"""What policy answers; a refusal carries its reason for the person who will read it."""

from __future__ import annotations

from dataclasses import dataclass

from kubeci.model.check_run import Conclusion


@dataclass(frozen=True, slots=True)
class Allowed:
    """The build may start; `reason` says by which rule."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The build is not started; `reason` says why and what would start it."""

    reason: str
    conclusion: Conclusion
    ask: bool = False
    """Somebody who may write can press Run."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing is due for this event; `reason` is for the trace, not for a check-run."""

    reason: str
