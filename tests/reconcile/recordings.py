"""The recorded scenarios: what the API server sent of a workflow, and what its check-run must come to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from kubeci.model.json import JsonObject
from kubeci.model.watch import Change, Changed, Gone, Listed

FOLDERS = sorted((Path(__file__).parents[1] / "data" / "argo-recordings").iterdir())
ENDED = {"Succeeded": "success", "Failed": "failure", "Error": "failure"}


@dataclass(frozen=True, slots=True)
class Recording:
    """A scenario; `expected` are the facts of the last event."""

    name: str
    events: tuple[JsonObject, ...]
    expected: JsonObject

    @property
    def key(self) -> tuple[str, str]:
        """Give the workflow's namespace and name."""
        return self.events[0]["object"]["metadata"]["namespace"], self.expected["workflow"]

    @property
    def conclusions(self) -> list[str]:
        """Give the conclusion of each check-run that there must be, oldest first: one more after each retry."""
        phases = [step["phase"] for step in self.expected["phaseSequence"]]
        retried = [
            ENDED[before] for before, after in pairwise(phases) if before in ENDED and after not in ENDED
        ]
        return [*retried, ENDED.get(self.expected["finalPhase"], "cancelled")]

    @property
    def pods(self) -> frozenset[str]:
        """Give the names of the pods that existed."""
        return frozenset(self.expected["podNames"])

    @property
    def pods_with_logs(self) -> list[str]:
        """Give the pods whose node has ended."""
        ended = {*ENDED, "Skipped", "Omitted"}
        return sorted(n["podName"] for n in self.expected["podNodes"] if n["podName"] and n["phase"] in ended)

    @property
    def failed_names(self) -> set[str]:
        """Give the author's names of the steps whose pod failed; an attempt goes by the name of its step."""
        return {
            node["template"]
            if node["name"] == self.expected["workflow"]
            else node["displayName"].removeprefix(f"{self.expected['workflow']}.")
            for node in self.expected["podNodes"]
            if node["phase"] in {"Failed", "Error"}
        }

    def object_at(self, index: int) -> JsonObject | None:
        """Give the workflow as the API server has it after an event; None: it is gone."""
        event = self.events[index]
        return None if event["type"] == "DELETED" else event["object"]

    def listed_at(self, index: int) -> Listed:
        """Give what a list brings after an event."""
        found = self.object_at(index)
        return Listed((found,) if found else ())

    def change(self, index: int) -> Change:
        """Give an event as the watch brings it."""
        event = self.events[index]
        return Gone(event["object"]) if event["type"] == "DELETED" else Changed(event["object"])


@cache
def read(folder: Path, prefix: str = "") -> Recording:
    """Read a scenario's folder; `prefix` names the second one of a folder that holds two."""

    def text(name: str) -> str:
        return (folder / f"{prefix}{name}").read_text(encoding="utf-8")

    events: list[Any] = [json.loads(line) for line in text("workflow-events.jsonl").splitlines()]
    return Recording(f"{prefix}{folder.name}", tuple(events), json.loads(text("expected.json")))


ALL = [
    *(read(folder) for folder in FOLDERS),
    *(read(folder, "holder-") for folder in FOLDERS if (folder / "holder-expected.json").exists()),
]


def named(start: str) -> Recording:
    """Find a scenario by the beginning of its name."""
    return next(recording for recording in ALL if recording.name.startswith(start))
