"""JSON Merge Patch (RFC 7386) and JSON Patch (RFC 6902)."""

from __future__ import annotations

from typing import Any

from kubeci.local.cluster.status import ApiError, bad_request


def merge(target: Any, patch: Any) -> Any:
    """Give `target` with a merge patch applied: null removes, objects merge, all else replaces. Changes neither."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def apply_operations(document: Any, operations: Any) -> Any:
    """Give `document` after a JSON Patch of add, remove, replace and test; the document is changed.

    Raises ApiError 422 when an operation cannot be done or a test fails, 400 for what is no patch.
    """
    if not isinstance(operations, list) or not all(isinstance(step, dict) for step in operations):
        raise bad_request("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    root = {"": document}
    for step in operations:
        try:
            _apply(root, step)
        except (KeyError, IndexError, TypeError, ValueError):
            raise _rejected() from None
    return root[""]


def _apply(root: Any, step: dict[str, Any]) -> None:
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in str(step["path"]).split("/")]
    container = root
    for part in parents:
        container = container[_index(container, part)]
    key = _index(container, last)
    match step["op"]:
        case "test":
            if container[key] != step["value"]:
                raise ValueError("test failed")
        case "remove":
            del container[key]
        case "replace":
            container[key]  # must be there
            container[key] = step["value"]
        case "add" if isinstance(container, list):
            container.insert(key, step["value"])
        case "add":
            container[key] = step["value"]
        case other:
            raise ValueError(other)


def _index(container: Any, part: str) -> Any:
    if not isinstance(container, list):
        return part
    return len(container) if part == "-" else int(part)


def _rejected() -> ApiError:
    message = "the server rejected our request due to an error in our request"
    return ApiError(422, "Invalid", message, details={})
