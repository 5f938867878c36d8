"""The names, labels and annotations that Kubernetes accepts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubeci.local.cluster.status import Cause, invalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
_WITH_PREFIX = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"


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
    for owner in metadata.get("ownerReferences") or []:
        causes += _owner_causes(owner)
    for finalizer in metadata.get("finalizers") or []:
        causes += _key_causes("metadata.finalizers", finalizer, finalizer)
    if causes:
        raise invalid(resource, given, causes)


def subdomain_problem(value: str) -> str:
    """Say why a value is no DNS subdomain, as the server words it; empty when it is one."""
    if len(value) > 253:
        return f'Invalid value: "{value}": must be no more than 253 characters'
    return "" if re.fullmatch(_SUBDOMAIN, value) else f'Invalid value: "{value}": {_SUBDOMAIN_RULE}'


def _label_causes(key: str, value: str) -> list[Cause]:
    causes = []
    causes += _key_causes("metadata.labels", key, key)
    if problem := value_problem(value):
        causes.append(Cause("metadata.labels", f'Invalid value: "{value}": {problem}'))
    return causes


def value_problem(value: str) -> str:
    """Say why a label cannot have a value; empty when it can."""
    if len(value) > 63:
        return "must be no more than 63 bytes"
    return "" if re.fullmatch(_LABEL, value) else _LABEL_RULE


def _annotation_causes(annotations: Mapping[str, str]) -> list[Cause]:
    # The keys of annotations may have upper case letters before the slash, too.
    causes = [cause for key in annotations for cause in _key_causes("metadata.annotations", key, key.lower())]
    if (
        sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
        > _ANNOTATIONS_LIMIT
    ):
        too_long = f"Too long: may not be more than {_ANNOTATIONS_LIMIT} bytes"
        causes.append(Cause("metadata.annotations", too_long, "FieldValueTooLong"))
    return causes


def _key_causes(field: str, shown: str, key: str) -> list[Cause]:
    """Give what is wrong with the name of a label, an annotation or a finalizer."""
    return [Cause(field, f'Invalid value: "{shown}": {problem}') for problem in key_problems(key)]


def key_problems(key: str) -> Iterator[str]:
    """Say why a label, an annotation or a finalizer cannot have a name; nothing when it can."""
    prefix, *rest = key.split("/")
    if len(rest) > 1:
        yield _QUALIFIED_NAME_RULE.replace("name part must", "a valid label key must") + _WITH_PREFIX
        return
    name = rest[0] if rest else prefix
    if rest and not prefix:
        yield "prefix part must be non-empty"
    elif rest and (problem := subdomain_problem(prefix)):
        yield f"prefix part {problem.partition(': ')[2].partition(': ')[2]}"
    if not name:
        yield "name part must be non-empty"
    elif len(name) > 63:
        yield "name part must be no more than 63 bytes"
    if not re.fullmatch(_QUALIFIED_NAME, name):
        yield _QUALIFIED_NAME_RULE


def _owner_causes(owner: Mapping[str, object]) -> list[Cause]:
    where = "metadata.ownerReferences"
    texts = {"apiVersion": "version must not be empty"} | dict.fromkeys(
        ("kind", "name", "uid"), "must not be empty"
    )
    return [
        Cause(f"{where}.{key}", f'Invalid value: "": {text}')
        for key, text in texts.items()
        if not owner.get(key)
    ]
