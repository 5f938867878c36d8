"""What the schema of Argo's full CustomResourceDefinitions asks of a workflow's values, beyond their types.

The rules of what kubeci's definitions use; the others (metrics, resource templates, s3 and the like) are the real
server's alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from kubeci.local.cluster.status import Cause
from kubeci.model.json import JsonObject

Check: TypeAlias = Callable[[str, Any], Iterator[Cause]]
"""Gives what is wrong with a value, whose path is written as in the server's messages."""

KINDS = (
    "container",
    "script",
    "dag",
    "steps",
    "resource",
    "suspend",
    "containerSet",
    "data",
    "http",
    "plugin",
)
_LOCATIONS = ("s3", "git", "http", "artifactory", "hdfs", "raw", "oss", "gcs", "azure", "plugin")
_QUANTITY = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|"
    r"(\.[0-9]+))))?$"
)


def _matches(pattern: str) -> Check:
    def check(path: str, value: Any) -> Iterator[Cause]:
        if isinstance(value, str) and not re.search(pattern, value):
            yield Cause(path, f"Invalid value: \"{value}\": {path} in body should match '{pattern}'")

    return check


def _at_most_bytes(limit: int) -> Check:
    def check(path: str, value: Any) -> Iterator[Cause]:
        if isinstance(value, str) and len(value) > limit:
            yield Cause(path, f"Too long: may not be more than {limit} bytes", "FieldValueTooLong")

    return check


def _at_most_items(limit: int) -> Check:
    def check(path: str, value: Any) -> Iterator[Cause]:
        if isinstance(value, list) and len(value) > limit:
            why = f"Too many: {len(value)}: must have at most {limit} items"
            yield Cause(path, why, "FieldValueTooMany")

    return check


def _not_empty(path: str, value: Any) -> Iterator[Cause]:
    if value == []:
        yield Cause(path, f"Invalid value: 0: {path} in body should have at least 1 items")


def _between(least: int, most: float, words: str) -> Check:
    def check(path: str, value: Any) -> Iterator[Cause]:
        if isinstance(value, int) and not least <= value <= most:
            yield Cause(path, f"Invalid value: {value}: {path} in body should be {words}")

    return check


def _one_of(*known: str) -> Check:
    def check(path: str, value: Any) -> Iterator[Cause]:
        if isinstance(value, str) and value not in known:
            quoted = ", ".join(f'"{one}"' for one in known)
            why = f'Unsupported value: "{value}": supported values: {quoted}'
            yield Cause(path, why, "FieldValueNotSupported")

    return check


def _needs(field: str) -> Check:
    def check(path: str, value: Any) -> Iterator[Cause]:
        if isinstance(value, dict) and field not in value:
            yield Cause(f"{path}.{field}", "Required value", "FieldValueRequired")

    return check


def _rule(words: str, broken: Callable[[JsonObject], bool]) -> Check:
    """Make a rule about an object of the kind that the server evaluates last (CEL)."""

    def check(path: str, value: Any) -> Iterator[Cause]:
        if isinstance(value, dict) and broken(value):
            yield Cause(path, f"Invalid value: {words}")

    return check


def _of_each(words: str, broken: Callable[[JsonObject], bool]) -> Check:
    """Make a rule that all objects of a list keep; it is told of the list."""

    def check(path: str, value: Any) -> Iterator[Cause]:
        if isinstance(value, list) and any(isinstance(one, dict) and broken(one) for one in value):
            yield Cause(path, f"Invalid value: {words}")

    return check


def _has_two(obj: JsonObject, fields: tuple[str, ...]) -> bool:
    return sum(obj.get(field) is not None for field in fields) > 1


_NAME: Final = (_matches("^[a-zA-Z0-9][-a-zA-Z0-9]*$"), _at_most_bytes(128))
_PARAMETER: Final = (_matches("^[-a-zA-Z0-9_]+$"),)
_ARTIFACT: Final = (_matches("^[-a-zA-Z0-9_{}.]+$"),)
_RETRY: Final = (_one_of("Always", "OnFailure", "OnError", "OnTransientError"),)
_T = "spec.templates[]"
_TASK = f"{_T}.dag.tasks[]"
_STEP = f"{_T}.steps[][]"
_HOLDERS = ("spec.arguments", f"{_T}.inputs", f"{_T}.outputs", f"{_TASK}.arguments", f"{_STEP}.arguments")
_GC = ("", "OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess")

SCHEMA: Final[dict[str, tuple[Check, ...]]] = {
    "spec.templates": (_at_most_items(200),),
    "spec.parallelism": (_between(1, 2**63, "greater than or equal to 1"),),
    "spec.retryStrategy.retryPolicy": _RETRY,
    "spec.podGC.strategy": (_one_of(*_GC),),
    f"{_T}.name": _NAME,
    f"{_T}.steps": (_not_empty,),
    f"{_T}.dag": (_needs("tasks"),),
    f"{_T}.dag.tasks": (_not_empty, _at_most_items(200)),
    f"{_T}.parallelism": (_between(1, 2**63, "greater than or equal to 1"),),
    f"{_T}.retryStrategy.retryPolicy": _RETRY,
    f"{_TASK}.name": _NAME,
    f"{_STEP}.name": _NAME,
    **{f"{holder}.parameters[].name": _PARAMETER for holder in _HOLDERS},
    **{f"{holder}.parameters[]": (_needs("name"),) for holder in _HOLDERS},
    **{f"{holder}.parameters[].enum": (_not_empty,) for holder in _HOLDERS},
    **{f"{holder}.artifacts[].name": _ARTIFACT for holder in _HOLDERS},
    **{f"{holder}.artifacts[].mode": (_between(0, 511, "less than or equal to 511"),) for holder in _HOLDERS},
    **{f"{_T}.{kind}.env[]": (_needs("name"),) for kind in ("container", "script")},
    **{
        f"{_T}.{kind}.resources.{bound}.*": (_matches(_QUANTITY),)
        for kind in ("container", "script")
        for bound in ("limits", "requests")
    },
}
RULES: Final[dict[str, tuple[Check, ...]]] = {
    "spec.templates": (
        _of_each("template must have at most one template type", lambda one: _has_two(one, KINDS)),
        _of_each(
            "timeout cannot be applied to steps or dag templates",
            lambda one: bool(one.get("timeout")) and ("steps" in one or "dag" in one),
        ),
        _of_each(
            "activeDeadlineSeconds is only valid for leaf templates",
            lambda one: "activeDeadlineSeconds" in one and ("steps" in one or "dag" in one),
        ),
    ),
    _TASK: (
        _rule(
            "cannot use both 'depends' and 'dependencies'",
            lambda task: _has_two(task, ("depends", "dependencies")),
        ),
        _rule(
            "cannot use 'continueOn' when using 'depends'",
            lambda task: _has_two(task, ("depends", "continueOn")),
        ),
        _rule(
            "task name cannot begin with a digit when using 'depends' or 'dependencies'",
            lambda task: (
                ("depends" in task or "dependencies" in task) and str(task.get("name"))[:1].isdigit()
            ),
        ),
    ),
    **{
        f"{step}.withSequence": (
            _rule("only one of count or end can be defined", lambda one: _has_two(one, ("count", "end"))),
        )
        for step in (_TASK, _STEP)
    },
    **{
        f"{holder}.artifacts[]": (
            _rule("at most one artifact location can be specified", lambda one: _has_two(one, _LOCATIONS)),
        )
        for holder in _HOLDERS
    },
}


def broken(obj: JsonObject, table: dict[str, tuple[Check, ...]]) -> list[Cause]:
    """Hold a workflow or a template against a table (SCHEMA, then RULES where nothing blocks them)."""
    return [
        cause
        for where, checks in table.items()
        for path, value in _places(obj, where.replace("[]", ".[]").split("."), "")
        for check in checks
        for cause in check(path, value)
    ]


def _places(value: Any, steps: list[str], path: str) -> Iterator[tuple[str, Any]]:
    """Find the values at a path: `[]` stands for each of a list, `*` for each of an object."""
    if not steps:
        yield path, value
    elif steps[0] == "[]" and isinstance(value, list):
        for index, one in enumerate(value):
            yield from _places(one, steps[1:], f"{path}[{index}]")
    elif steps[0] == "*" and isinstance(value, dict):
        for key, one in value.items():
            yield from _places(one, steps[1:], f"{path}.{key}")
    elif isinstance(value, dict) and steps[0] in value:
        yield from _places(value[steps[0]], steps[1:], f"{path}.{steps[0]}" if path else steps[0])
