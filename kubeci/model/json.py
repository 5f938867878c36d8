"""Names for the JSON values that pass through unchanged: manifests, payloads, status objects."""

from __future__ import annotations

from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object as the `json` module gives it: what an author or an upstream wrote, kept whole."""
