"""One node of a workflow's status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

FAILED = frozenset({"Failed", "Error"})
ENDED = FAILED | {"Succeeded", "Skipped", "Omitted"}


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a workflow, in Argo's words; texts are empty and times None while absent.

    `parent` is the id of the node that a person sees it in: the steps, DAG, retry or group around it, else empty;
    `depth` counts these. `inputs` and `outputs` hold the parameters that have a text as value, `artifacts` the names of the
    artifacts that it left.
    """

    id: str
    name: str
    display_name: str
    type: str
    phase: str
    message: str = ""
    template_name: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: str = ""
    host_node: str = ""
    memoized: bool = False
    children: tuple[str, ...] = ()
    boundary_id: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    artifacts: tuple[str, ...] = ()
    parent: str = ""
    depth: int = 0

    @property
    def ended(self) -> bool:
        """Say whether the node has come to its end in this attempt."""
        return self.phase in ENDED

    @property
    def failed(self) -> bool:
        """Say whether the node ended badly."""
        return self.phase in FAILED
