"""Parameters that are declared and never used; volumes that are mounted and never declared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from kubeci.model.json import JsonObject
from kubeci.workflow.faults import Path
from kubeci.workflow.flaws import Flaw, quoted
from kubeci.workflow.outline import Outline, Template, mappings, named, text
from kubeci.workflow.tags import strings

_BY_NAME = re.compile(r"\b(?:inputs|workflow)\.parameters\.([-A-Za-z0-9_]+)")
_IN_BRACKETS = re.compile(r"\[\s*[\"']([^\"'\n]*)[\"']\s*\]")
_ALL = re.compile(
    r"\b(?:inputs|workflow)\.parameters(?:\.json)?\s*(?![-\w.\[\s])|\b(?:inputs|workflow)\b(?!\s*[.\[])"
)


class _Used:
    """The parameters that some strings use, as far as it can be seen."""

    def __init__(self, texts: Iterable[str], word: str) -> None:
        self.names: set[str] = set()
        self.all = False
        for each in texts:
            if word in each:
                self.names.update(_BY_NAME.findall(each))
                self.names.update(_IN_BRACKETS.findall(each))
                self.all = self.all or any("{{" in each and found for found in map(bool, _ALL.finditer(each)))


def unused_flaws(outline: Outline, given: frozenset[str], environment: str) -> Iterator[Flaw]:
    """Find parameters that nothing uses.

    `given` are those that every run gets: an author's of the same name only gives `argo submit` a value. `environment`
    is the input that deployments are recognised by.
    """
    for template in outline.templates:
        inputs = template.declared("inputs", "parameters")
        if not inputs or "suspend" in template.kinds:
            continue
        used = _Used((each for each, _ in strings(template.body, ())), "inputs")
        for parameter in inputs:
            if not used.all and parameter.name not in used.names and parameter.name not in {"", environment}:
                what = f"the input {quoted(parameter.name)} of the template {quoted(template.name)}"
                yield Flaw("unused-parameter", "warning", (*parameter.path, "name"), f"{what} is not used")
    yield from _of_workflow(outline, given)


def _of_workflow(outline: Outline, given: frozenset[str]) -> Iterator[Flaw]:
    if outline.elsewhere or any(call.elsewhere for each in outline.templates for call in each.calls):
        return  # a template of the cluster may use any of them
    left = [each for each in outline.parameters if each.name and each.name not in given]
    if not left:
        return
    used = _Used((each for each, _ in strings(outline.spec, ())), "workflow")
    started = (outline.by_name.get(text(outline.spec.get(field))) for field in ("entrypoint", "onExit"))
    taken = {each.name for one in started if one for each in one.declared("inputs", "parameters")}
    for parameter in left:
        if not used.all and parameter.name not in used.names | taken:
            what = f"the workflow's parameter {quoted(parameter.name)}"
            yield Flaw("unused-parameter", "warning", (*parameter.path, "name"), f"{what} is not used")


def volume_flaws(outline: Outline) -> Iterator[Flaw]:
    """Find mounts of volumes that are not declared, and volumes that name no claim."""
    spec = outline.spec
    everywhere = _volumes(spec, ("spec",)) | _claims(spec)
    for path, volume in _with_paths(spec, ("spec",)):
        yield from _claim(volume, path)
    for template in outline.templates:
        for path, volume in _with_paths(template.body, template.path):
            yield from _claim(volume, path)
        if spec.get("podSpecPatch") is not None or template.body.get("podSpecPatch") is not None:
            continue  # it may add any
        known = everywhere | _volumes(template.body, template.path)
        if any("{{" in name for name in known):
            continue
        for path, name in _mounts(template):
            if name and name not in known and "{{" not in name:
                yield Flaw(
                    "unknown-volume", "warning", path, f"there is no volume {quoted(name)} to mount",
                    "declare it in `spec.volumes`, in `spec.volumeClaimTemplates` or in the template's `volumes`", name, known,
                )  # fmt: skip


def _volumes(holder: JsonObject, path: Path) -> set[str]:
    return {each.name for each in named(holder, "volumes", path)}


def _claims(spec: JsonObject) -> set[str]:
    metas = (body.get("metadata") for _, body in mappings(spec.get("volumeClaimTemplates")))
    return {text(meta.get("name")) for meta in metas if isinstance(meta, dict)}


def _with_paths(holder: JsonObject, path: Path) -> Iterator[tuple[Path, JsonObject]]:
    for at, volume in mappings(holder.get("volumes")):
        yield (*path, "volumes", at), volume


def _claim(volume: JsonObject, path: Path) -> Iterator[Flaw]:
    claim = volume.get("persistentVolumeClaim")
    if isinstance(claim, dict) and not claim.get("claimName"):
        name = quoted(text(volume.get("name")))
        place = (*path, "persistentVolumeClaim")
        yield Flaw("unknown-volume", "warning", place, f"the volume {name} names no claim", "set `claimName`")


def _mounts(template: Template) -> Iterator[tuple[Path, str]]:
    body = template.body
    containers: list[tuple[Path, Any]] = [
        ((*template.path, kind), body.get(kind))
        for kind in ("container", "script")
        if isinstance(body.get(kind), dict)
    ]
    for field in ("initContainers", "sidecars"):
        containers += [((*template.path, field, at), each) for at, each in mappings(body.get(field))]
    grouped = body.get("containerSet")
    if isinstance(grouped, dict):
        path = (*template.path, "containerSet")
        containers += [((*path, "containers", at), each) for at, each in mappings(grouped.get("containers"))]
        containers.append((path, grouped))
    for path, container in containers:
        for at, mount in mappings(container.get("volumeMounts")):
            yield (*path, "volumeMounts", at, "name"), text(mount.get("name"))
