"""What a create or update of a check-run may say: GitHub's limits, as the service enforces them.

The published description accepts `completed` without a conclusion, misspelt keys and limits in characters;
the service does not (docs.github.com, "REST API endpoints for check runs").
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from kubeci.local.github.errors import invalid_field, invalid_request
from kubeci.model.json import JsonObject

TEXT_BYTES = 65_535
ANNOTATIONS = 50
ACTIONS = 3
ACTION_LIMITS = {"label": 20, "description": 40, "identifier": 20}
STATUSES = {"queued", "in_progress", "completed"}
CONCLUSIONS = {"action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"}
LEVELS = {"notice", "warning", "failure"}
DETAIL_BYTES = 64 * 1024
TITLE_CHARACTERS = 255

_KEYS = {
    "name",
    "head_sha",
    "details_url",
    "external_id",
    "status",
    "started_at",
    "conclusion",
    "completed_at",
    "output",
    "actions",
}
_OUTPUT_KEYS = {"title", "summary", "text", "annotations", "images"}
_ANNOTATION_NEEDS = ("path", "start_line", "end_line", "annotation_level", "message")
_ANNOTATION_MAY = {*_ANNOTATION_NEEDS, "start_column", "end_column", "title", "raw_details"}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")


def check(body: JsonObject, *, creating: bool) -> JsonObject:
    """Check a request's body and give it back with annotations completed.

    Raises ApiError 422. With `creating`, `name` and `head_sha` must be there; else every field may be absent.
    """
    _keys(body, _KEYS if creating else _KEYS - {"head_sha"}, ("name", "head_sha") if creating else ())
    for key in (
        "name",
        "head_sha",
        "details_url",
        "external_id",
        "status",
        "conclusion",
        "started_at",
        "completed_at",
    ):
        if key in body and not isinstance(body[key], str):
            raise invalid_request(f"For 'properties/{key}', {body[key]!r} is not a string.")
    if body.get("name") == "":
        raise invalid_field("CheckRun", "name", "missing_field")
    _status(body)
    if "details_url" in body and not re.match(r"https?://[^\s]+\Z", body["details_url"]):
        raise invalid_field("CheckRun", "details_url", "custom", "details_url must use http or https scheme")
    for key in ("started_at", "completed_at"):
        if key in body and not _is_moment(body[key]):
            raise invalid_request(f"For 'properties/{key}', {body[key]!r} is not a date-time.")
    checked = dict(body)
    if "output" in body:
        checked["output"] = _output(body["output"])
    if "actions" in body:
        _actions(body["actions"])
    return checked


def _keys(value: Any, known: set[str], needed: tuple[str, ...]) -> None:
    if not isinstance(value, dict):
        raise invalid_request(f"{value!r} is not an object.")
    missing = [key for key in needed if key not in value]
    if missing:
        raise invalid_request(", ".join(f'"{key}"' for key in sorted(missing)) + " weren't supplied.")
    unknown = sorted(value.keys() - known)
    if unknown:
        raise invalid_request(", ".join(f'"{key}"' for key in unknown) + " is not a permitted key.")


def _status(body: JsonObject) -> None:
    status, conclusion = body.get("status"), body.get("conclusion")
    if status is not None and status not in STATUSES:
        raise invalid_request(f"For 'properties/status', {status!r} is not a member of {sorted(STATUSES)}.")
    if conclusion is not None and conclusion not in CONCLUSIONS:
        raise invalid_request(
            f"For 'properties/conclusion', {conclusion!r} is not a member of {sorted(CONCLUSIONS)}."
        )
    if conclusion is None and (status == "completed" or "completed_at" in body):
        raise invalid_field("CheckRun", "conclusion", "missing_field")


def _is_moment(text: str) -> bool:
    if not _MOMENT.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _output(output: Any) -> JsonObject:
    _keys(output, _OUTPUT_KEYS, ("title", "summary"))
    for key in ("title", "summary", "text"):
        value = output.get(key)
        if key in output and not isinstance(value, str):
            raise invalid_request(f"For 'properties/{key}', {value!r} is not a string.")
        # GitHub counts bytes, whatever its description says of characters.
        if isinstance(value, str) and key != "title" and len(value.encode("utf-8", "replace")) > TEXT_BYTES:
            raise invalid_field(
                "CheckRun", key, "invalid", f"{key} exceeds a maximum bytesize of {TEXT_BYTES}"
            )
    annotations = output.get("annotations", [])
    if not isinstance(annotations, list) or len(annotations) > ANNOTATIONS:
        count = len(annotations) if isinstance(annotations, list) else annotations
        raise invalid_request(f"No more than {ANNOTATIONS} items are allowed; {count} were supplied.")
    return {**output, "annotations": [_annotation(annotation) for annotation in annotations]}


def _annotation(annotation: Any) -> JsonObject:
    _keys(annotation, _ANNOTATION_MAY, _ANNOTATION_NEEDS)
    lines = annotation["start_line"], annotation["end_line"]
    columns = annotation.get("start_column"), annotation.get("end_column")
    texts = {key: annotation.get(key) for key in ("path", "message", "title", "raw_details")}
    fine = (
        all(_is_count(line) for line in lines)
        and lines[0] <= lines[1]
        and all(column is None or _is_count(column) for column in columns)
        and (columns == (None, None) or lines[0] == lines[1])
        and (None in columns or columns[0] <= columns[1])
        and not (columns[0] is None and columns[1] is not None)
        and annotation["annotation_level"] in LEVELS
        and all(
            isinstance(text, str) or (text is None and key not in _ANNOTATION_NEEDS)
            for key, text in texts.items()
        )
        and all(texts[key] for key in ("path", "message"))
        and len(texts["title"] or "") <= TITLE_CHARACTERS
        and all(len((texts[key] or "").encode()) <= DETAIL_BYTES for key in ("message", "raw_details"))
    )
    if not fine:
        raise invalid_field("CheckRun", "annotations")
    return {
        "path": annotation["path"],
        "start_line": lines[0],
        "end_line": lines[1],
        "start_column": columns[0],
        "end_column": columns[1],
        "annotation_level": annotation["annotation_level"],
        "title": texts["title"],
        "message": texts["message"],
        "raw_details": texts["raw_details"],
    }


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _actions(actions: Any) -> None:
    if not isinstance(actions, list) or len(actions) > ACTIONS:
        raise invalid_request(f"No more than {ACTIONS} actions are allowed.")
    for action in actions:
        _keys(action, set(ACTION_LIMITS), tuple(ACTION_LIMITS))
        for key, limit in ACTION_LIMITS.items():
            value = action[key]
            if not isinstance(value, str) or not value or len(value) > limit:
                raise invalid_request(
                    f"For 'properties/{key}', {value!r} must be 1 to {limit} characters long."
                )
