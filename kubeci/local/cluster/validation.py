"""The names, labels and annotations that Kubernetes accepts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubeci.local.cluster.status import Cause, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubeci.local.cluster.resources import Resource
    from kubeci.model.json import JsonObject

_ANNOTATIONS_LIMIT = 256 * 1024  # of all keys and values together
_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    f"'{_SUBDOMAIN}')"
)
_LABEL = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_LABEL_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation "
    f"is '{_LABEL}')"
)
_QUALIFIED_NAME = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_QUALIFIED_NAME_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    f"'{_QUALIFIED_NAME}')"
)


def check(resource: Resource, obj: JsonObject) -> None:
    """Check name and labels; raises ApiError 422 with every cause."""
    metadata = obj["metadata"]
    given = str(metadata.get("name") or "")
    causes = []
    if not given:
        causes.append(
            Cause("metadata.name", "Required value: name or generateName is required", "FieldValueRequired")
        )
    elif problem := subdomain_problem(given):
        causes.append(Cause("metadata.name", problem))
    for key, value in (metadata.get("labels") or {}).items():
        causes += _label_causes(key, value)
    causes += _annotation_causes(metadata.get("annotations") or {})
    if causes:
        raise invalid(resource, given, causes)


def subdomain_problem(value: str) -> str:
    """Say why a value is no DNS subdomain, as the server words it; empty when it is one."""
    if len(value) > 253:
        return f'Invalid value: "{value}": must be no more than 253 bytes'
    return "" if re.fullmatch(_SUBDOMAIN, value) else f'Invalid value: "{value}": {_SUBDOMAIN_RULE}'


def _label_causes(key: str, value: str) -> list[Cause]:
    causes = []
    if not _is_qualified(key):
        causes.append(Cause("metadata.labels", f'Invalid value: "{key}": {_QUALIFIED_NAME_RULE}'))
    if len(value) > 63:
        causes.append(Cause("metadata.labels", f'Invalid value: "{value}": must be no more than 63 bytes'))
    elif not re.fullmatch(_LABEL, value):
        causes.append(Cause("metadata.labels", f'Invalid value: "{value}": {_LABEL_RULE}'))
    return causes


def _annotation_causes(annotations: Mapping[str, str]) -> list[Cause]:
    causes = [
        Cause("metadata.annotations", f'Invalid value: "{key}": {_QUALIFIED_NAME_RULE}')
        for key in annotations
        if not _is_qualified(key.lower())
    ]
    if (
        sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
        > _ANNOTATIONS_LIMIT
    ):
        too_long = f"Too long: may not be more than {_ANNOTATIONS_LIMIT} bytes"
        causes.append(Cause("metadata.annotations", too_long, "FieldValueTooLong"))
    return causes


def _is_qualified(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    good_prefix = not slash or (len(prefix) <= 253 and re.fullmatch(_SUBDOMAIN, prefix) is not None)
    return good_prefix and len(name) <= 63 and re.fullmatch(_QUALIFIED_NAME, name) is not None
