"""Where in a workflow Argo's validation points: `templates.main.steps[0].one template reference a.b not found`."""

from __future__ import annotations

import re
from typing import Any

from kubeci.model.json import JsonObject
from kubeci.workflow.faults import Path

_PATH = re.compile(r"\b(?:spec|templates)(?:\.[\w-]+|\[\d+\])+")
_STEP = re.compile(r"[\w-]+|\[\d+\]")
_UNDEFINED = re.compile(r"^template name '(.*)' undefined$")
_WORDS_READ = 2000
# What stands between a name of Argo's paths and the list of things with names.
_BETWEEN = ("dag", "parameters", "artifacts")


def pointed_at(words: str, manifest: JsonObject) -> Path:
    """Give the path in a canonical manifest that Argo's words name, as far as the manifest has it; empty: none.

    Argo names templates, steps and tasks rather than counting them, and leaves out `spec` and `dag`.
    """
    if undefined := _UNDEFINED.match(words):
        spec = _child(manifest, "spec")
        fields = ("entrypoint", "onExit")
        return next((("spec", field) for field in fields if _child(spec, field) == undefined[1]), ())
    if not (found := _PATH.search(words[:_WORDS_READ])):
        return ()
    steps = _STEP.findall(found[0])
    path: tuple[str | int, ...] = () if steps[0] == "spec" else ("spec",)
    at: Any = manifest if steps[0] == "spec" else manifest.get("spec")
    for step in steps:
        further = _find(at, step)
        if further is None:
            break
        for key in further:
            at = at[key]
        path += further
    return path


def _find(at: Any, step: str) -> Path | None:
    """Find what a step of Argo's path means below a value; None: there is no such thing."""
    if step.startswith("["):
        index = int(step[1:-1])
        return (index,) if isinstance(at, list) and index < len(at) else None
    if isinstance(at, dict):
        if step in at:
            return (step,)
        for between in _BETWEEN:
            if further := _find(at.get(between), step):
                return (between, *further)
    if isinstance(at, list):
        named = (index for index, each in enumerate(at) if _child(each, "name") == step)
        return next(((index,) for index in named), None)
    return None


def _child(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None
