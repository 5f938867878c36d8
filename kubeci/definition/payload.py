"""GitHub's objects made fit for Starlark's `input`."""

from __future__ import annotations

from typing import Any


def without_nulls(value: Any) -> Any:
    """Drop null members, as the original's typed payloads do, and make every string fit to be UTF-8."""
    if isinstance(value, dict):
        return {without_nulls(key): without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
