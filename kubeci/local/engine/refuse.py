"""What the local engine runs: the table of fields. Whatever is not in it is refused by name before a step starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from kubeci.model.json import JsonObject

Fields: TypeAlias = "Mapping[str, Fields | None]"
"""Fields of an object (or of each object of a list); None takes whatever stands there."""


def _any(*names: str) -> dict[str, Fields | None]:
    return dict.fromkeys(names)


# Fields that cannot change a step's outcome on this machine: where, as whom and with how much a pod runs in a cluster,
# what is scraped from it, and what is cleaned up after it.
ACCEPTED_OF_PODS: Final = _any(
    "affinity",
    "automountServiceAccountToken",
    "executor",
    "metrics",
    "nodeSelector",
    "priority",
    "schedulerName",
    "securityContext",
    "serviceAccountName",
    "tolerations",
)
ACCEPTED_OF_WORKFLOWS: Final = ACCEPTED_OF_PODS | _any(
    "archiveLogs",
    "dnsConfig",
    "dnsPolicy",
    "imagePullSecrets",
    "podDisruptionBudget",
    "podGC",
    "podMetadata",
    "podPriorityClassName",
    "volumeClaimGC",
    "workflowMetadata",
)
ACCEPTED_OF_CONTAINERS: Final = _any(
    "imagePullPolicy", "ports", "resources", "securityContext", "terminationMessagePolicy"
)

_VOLUME: Final[Fields] = {
    "name": None,
    "emptyDir": None,
    "persistentVolumeClaim": _any("claimName", "readOnly"),
}
_ARTIFACT: Final[Fields] = {
    **_any("name", "path", "optional", "description"),
    "git": _any("repo", "revision", "depth", "singleBranch", "branch", "fetch", "disableSubmodules"),
    "raw": _any("data"),
}
_CONTAINER: Final[Fields] = ACCEPTED_OF_CONTAINERS | {
    **_any("name", "image", "command", "args", "workingDir"),
    "env": _any("name", "value"),
    "volumeMounts": _any("name", "mountPath", "readOnly", "subPath"),
}
_STEP: Final[Fields] = {
    **_any("name", "template", "when", "withItems", "withParam"),
    "withSequence": _any("count", "start", "end", "format"),
    "continueOn": _any("failed", "error"),
    "arguments": {"parameters": _any("name", "value", "description"), "artifacts": _ARTIFACT},
}
_TEMPLATE: Final[Fields] = ACCEPTED_OF_PODS | {
    **_any("name", "metadata", "activeDeadlineSeconds", "parallelism", "priorityClassName"),
    "inputs": {"parameters": _any("name", "value", "default", "enum", "description"), "artifacts": _ARTIFACT},
    "outputs": {
        "parameters": {
            **_any("name", "globalName", "description"),
            "valueFrom": _any("path", "parameter", "default"),
        }
    },
    "volumes": _VOLUME,
    "container": _CONTAINER,
    "script": {**_CONTAINER, "source": None},
    "steps": _STEP,
    "dag": {"target": None, "failFast": None, "tasks": {**_STEP, "depends": None, "dependencies": None}},
    "suspend": _any("duration"),
    "retryStrategy": _any("limit", "retryPolicy", "affinity"),
}
SPEC: Final[Fields] = ACCEPTED_OF_WORKFLOWS | {
    **_any("entrypoint", "onExit", "parallelism", "activeDeadlineSeconds", "suspend", "shutdown"),
    "arguments": {"parameters": _any("name", "value", "enum", "description")},
    "ttlStrategy": _any("secondsAfterCompletion", "secondsAfterSuccess", "secondsAfterFailure"),
    "volumes": _VOLUME,
    "volumeClaimTemplates": None,
    "templates": _TEMPLATE,
}


def refusal(spec: JsonObject) -> str:
    """Say what of a spec the engine does not run, naming the field; empty when it runs all of it."""
    for field in _refused(spec, SPEC, ""):
        return f"the local engine does not run `{field}`; use a cluster for it"
    for path, text in _texts(spec, ""):
        if "{{=" in text.replace(" ", ""):
            return f"the local engine does not evaluate the expression `{{{{=...}}}}` in `{path}`; use a cluster for it"
    return _incomplete(spec)


def _refused(value: Any, fields: Fields, path: str) -> Iterator[str]:
    """Give the paths of fields that the table lacks; fields that are empty ask for nothing."""
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from _refused(one, fields, _join(path, one, index))
    elif isinstance(value, dict):
        for key, one in value.items():
            here = f"{path}.{key}" if path else key
            if key not in fields:
                if one not in (None, [], {}, "", False):
                    yield here
            elif (inner := fields[key]) is not None:
                yield from _refused(one, inner, here)


def _join(path: str, one: Any, index: int) -> str:
    name = one.get("name") if isinstance(one, dict) else None
    return f"{path}.{name}" if isinstance(name, str) and name else f"{path}[{index}]"


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _texts(one, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _texts(one, _join(path, one, index))


def _incomplete(spec: JsonObject) -> str:
    """Say what only an image or a cluster could complete."""
    for volume, path in _volumes(spec):
        if not ("emptyDir" in volume or volume.get("persistentVolumeClaim")):
            return f"the local engine does not run `{path}.{volume.get('name')}` without emptyDir or persistentVolumeClaim"
    for template in spec.get("templates") or []:
        path = f"templates.{template['name']}"
        for kind in ("container", "script"):
            if template.get(kind) is not None and not template[kind].get("command"):
                return f"the local engine pulls no images, so that `{path}.{kind}.command` must be given"
        for artifact in (template.get("inputs") or {}).get("artifacts") or []:
            if not str(artifact.get("path") or "").startswith("/"):
                return f"the local engine needs an absolute `{path}.inputs.artifacts.{artifact.get('name')}.path`"
    return ""


def _volumes(spec: JsonObject) -> Iterator[tuple[JsonObject, str]]:
    for volume in spec.get("volumes") or []:
        yield volume, "volumes"
    for template in spec.get("templates") or []:
        for volume in template.get("volumes") or []:
            yield volume, f"templates.{template['name']}.volumes"
