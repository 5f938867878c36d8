"""A copy of JSON."""

from __future__ import annotations

import msgspec

from kubeci.model.json import JsonObject


def copied(value: JsonObject) -> JsonObject:
    """Copy JSON by writing and reading it, in a tenth of the time that `deepcopy` takes."""
    copy: JsonObject = msgspec.json.decode(msgspec.json.encode(value))
    return copy
