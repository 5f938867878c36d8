"""JSON Merge Patch (RFC 7386) and JSON Patch (RFC 6902)."""

from __future__ import annotations

from copy import deepcopy
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
    """Give `document` after a JSON Patch; the document is changed.

    Raises ApiError 422 when an operation cannot be done or a test fails, 400 for what is no patch.
    """
    if not isinstance(operations, list) or not all(isinstance(step, dict) for step in operations):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal into Go value of type []handlers.jsonPatchOp"
        )
    root = {"": document}
    for step in operations:
        try:
            _apply(root, step)
        except (KeyError, IndexError, TypeError, ValueError):
            raise _rejected() from None
    return root[""]


def _apply(root: Any, step: dict[str, Any]) -> None:
    container, key = _place(root, step["path"])
    match step["op"]:
        case "test":
            if container[key] != step["value"]:
                raise ValueError("test failed")
        case "remove":
            _remove(container, key)
        case "replace" if isinstance(container, list):
            container[key] = step["value"]
        case "add" | "replace":  # replaced is also what was not there: the server's library is lenient here
            _add(container, key, step["value"])
        case "copy" | "move" as operation:
            source, name = _place(root, step["from"])
            value = deepcopy(source[name])
            if operation == "move":
                _remove(source, name)
            _add(container, key, value)
        case other:
            raise ValueError(other)


def _place(root: Any, pointer: Any) -> tuple[Any, Any]:
    """Find what holds the value that a JSON pointer names, and its key or index there."""
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in str(pointer).split("/")]
    container = root
    for part in parents:
        container = container[_index(container, part)]
    return container, _index(container, last)


def _add(container: Any, key: Any, value: Any) -> None:
    if not isinstance(container, list):
        container[key] = value
    elif key > len(container):
        raise IndexError(key)
    else:
        container.insert(key, value)


def _remove(container: Any, key: Any) -> None:
    if isinstance(container, list):
        del container[key]
    else:
        container.pop(key, None)


def _index(container: Any, part: str) -> Any:
    if not isinstance(container, list):
        return part
    return len(container) if part == "-" else int(part)


def _rejected() -> ApiError:
    message = "the server rejected our request due to an error in our request"
    return ApiError(422, "Invalid", message, details={})
