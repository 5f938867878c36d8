"""The state a recorded request found, rebuilt from the recordings themselves."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kubeci.local.cluster.history import History, stored
from kubeci.local.cluster.logs import LogBuffer
from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import LEASES, RESOURCES, WORKFLOWS

RECORDINGS = Path(__file__).parents[1] / "data" / "argo-api"
NAMES = sorted(path.stem for path in RECORDINGS.glob("*.json"))


def recording(name: str) -> Any:
    return json.loads((RECORDINGS / f"{name}.json").read_text())


def body(recorded: str, **changes: Any) -> Any:
    """Give the object of a recorded answer, with some of its metadata changed."""
    obj = copy.deepcopy(recording(recorded)["response"]["body"])
    obj["metadata"] |= changes
    return obj


def cluster_at(version: int, *objects: Any, now: str = "2026-11-21T00:48:00Z") -> Objects:
    """Give a store that holds these objects as they are, at this resource version."""
    moment = datetime.strptime(now, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    cluster = Objects(now=lambda: moment, history=History(version))
    for obj in objects:
        kind = next(r for r in RESOURCES if r.kind == obj["kind"])
        held = stored(kind, copy.deepcopy(obj), int(obj["metadata"]["resourceVersion"]))
        cluster._kept[kind][held.key] = held
    return cluster


def advance(objects: Objects, version: int) -> None:
    """Let other things happen in the cluster until its resource version is `version`."""
    while objects.version < version:
        objects.create(LEASES, "other", {"metadata": {"generateName": "other-"}})


@dataclass(frozen=True)
class Scene:
    """What a request found: the objects, and what happens in the cluster while a watch runs, one step a line."""

    objects: Objects
    steps: list[Callable[[], Any]] = field(default_factory=list)


def _workflows(version: int) -> Objects:
    lines = recording("watch-without-resource-version")["response"]["lines"]
    return cluster_at(version, *(line["event"]["object"] for line in lines))


def _pages(floor: int) -> Objects:
    items = [item for page in "12" for item in body(f"workflow-list-limit-page{page}")["items"]]
    last = copy.deepcopy(items[-1])
    last["metadata"]["name"] = "page-lcsqn"
    return cluster_at(floor, *items, last)


def _created(name: str) -> Scene:
    metadata = body(name)["metadata"]
    version = int(metadata.get("resourceVersion", "2000"))
    return Scene(cluster_at(version - 1, now=metadata["creationTimestamp"]))


def _pods() -> Scene:
    pod = body("pod-get")
    waiting = copy.deepcopy(pod)
    waiting["metadata"] |= {"name": "waiting-2gzqw", "labels": {}}
    del waiting["spec"]["nodeName"]
    listed = [{**item, "kind": "Pod", "apiVersion": "v1"} for item in body("pod-list-by-workflow")["items"]]
    objects = cluster_at(3336, *listed, waiting)
    log = LogBuffer()
    start = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    for number in range(20):
        line = f"line {number} of the simulated main container\n"
        log.append(line.encode(), time_ns=(start + number) * 1_000_000_000)
    log.close()
    objects.logs["ci", pod["metadata"]["name"], "main"] = log
    return Scene(objects)


def _patched(name: str, before: Any) -> Scene:
    return Scene(cluster_at(int(body(name)["metadata"]["resourceVersion"]) - 1, before))


def _finished() -> Any:
    before = body("workflow-merge-patch-shutdown-on-finished", generation=4, resourceVersion="3000")
    del before["spec"]["shutdown"]
    return before


def _label_leaves() -> Scene:
    objects = _workflows(2821)

    def change(metadata: Any) -> None:
        objects.merge_patch(WORKFLOWS, "ci", "build-fixed", {"metadata": metadata})

    def comes_back() -> None:
        advance(objects, 2859)
        change({"labels": {"managedBy": "kube-ci"}})

    def is_deleted() -> None:
        advance(objects, 2883)
        objects.delete(WORKFLOWS, "ci", "build-fixed")

    return Scene(
        objects,
        [
            lambda: change({"annotations": {"kube-ci/x": "1"}}),
            lambda: change({"labels": {"managedBy": "other"}}),
            comes_back,
            is_deleted,
        ],
    )


def _bookmarks() -> Scene:
    objects = cluster_at(2819)
    advance(objects, 3666)
    return Scene(objects, [lambda: None, lambda: advance(objects, 3689)])


def _lease(name: str) -> Scene:
    return Scene(cluster_at(3358, body(name)))


def _claim(version: int = 3127) -> Scene:
    return Scene(cluster_at(version, body("pvc-get"), now="2026-11-21T00:48:25Z"))


def _other_uid() -> Any:
    return body("workflow-get", name="build-7l8l6", uid="363d8539-7e10-4182-93a2-c530121915d5")


_EMPTY = {
    "lease-get-404",
    "lease-bad-time-400",
    "lease-second-precision-time",
    "pvc-get-after-delete-404",
    "pvc-create-bad-access-mode-422",
    "pvc-create-negative-size-422",
    "pvc-create-no-size-422",
    "pvc-create-unparsable-size-400",
    "pvc-create-zero-size-422",
    "ssar-allowed",
    "ssar-denied",
    "ssar-pod-log-denied",
    "version",
    "watch-future-resource-version",
    "watch-invalid-resource-version",
    "workflow-create-bad-label-422",
    "workflow-create-bad-name-422",
    "workflow-create-forbidden-403",
    "workflow-create-missing-namespace-404",
    "workflow-create-namespace-mismatch-400",
    "workflow-create-no-spec",
    "workflow-create-not-json-400",
    "workflow-create-strict-unknown-field-400",
    "workflow-create-wrong-apiversion-400",
    "workflow-create-wrong-type-422",
    "workflow-create-wrong-types-nested-422",
    "workflow-list-bad-continue-400",
    "workflow-list-bad-selector-400",
    "workflow-list-field-selector-status-400",
    "workflow-list-forbidden-403",
    "workflow-list-unauthorized-401",
    "workflow-watch-forbidden-403",
}
_CREATED = {
    "lease-create",
    "pvc-create-ok",
    "workflow-create-container-without-image",
    "workflow-create-dry-run",
    "workflow-create-ignore-unknown-field-201",
    "workflow-create-named",
    "workflow-create-ok",
    "workflow-create-undefined-template-accepted",
    "workflow-create-warn-unknown-field-201",
}
_SCENES: dict[str, Callable[[], Scene]] = {
    "lease-create-already-exists-409": lambda: _lease("lease-create"),
    "lease-delete": lambda: _lease("lease-update"),
    "lease-update": lambda: _lease("lease-create"),
    "lease-update-conflict-409": lambda: _lease("lease-update"),
    "list-future-resource-version-504": lambda: Scene(cluster_at(2820)),
    "pvc-create-already-exists-409": _claim,
    "pvc-delete": _claim,
    "pvc-get": _claim,
    "pvc-merge-patch-shrink-422": _claim,
    "watch-bookmark": _bookmarks,
    "watch-label-leaves-and-returns": _label_leaves,
    "watch-list-initial-events": lambda: Scene(_workflows(2821)),
    "watch-timeout-3s": lambda: Scene(_workflows(2819)),
    "watch-too-old-expired": lambda: Scene(cluster_at(1576)),
    "watch-without-resource-version": lambda: Scene(_workflows(2821)),
    "workflow-create-already-exists-409": lambda: Scene(cluster_at(2801, body("workflow-create-named"))),
    "workflow-delete-precondition-409": lambda: Scene(cluster_at(2900, _other_uid())),
    "workflow-list-expired-continue": lambda: Scene(_pages(2000)),
    "workflow-list-limit-page1": lambda: Scene(_pages(2796)),
    "workflow-list-limit-page2": lambda: Scene(_pages(2796)),
    "workflow-merge-patch-annotation": lambda: _patched(
        "workflow-merge-patch-annotation", body("workflow-get")
    ),
    "workflow-merge-patch-annotation-delete": lambda: _patched(
        "workflow-merge-patch-annotation-delete", body("workflow-merge-patch-annotation")
    ),
    "workflow-merge-patch-shutdown-on-finished": lambda: _patched(
        "workflow-merge-patch-shutdown-on-finished", _finished()
    ),
    "workflow-get": lambda: Scene(cluster_at(2796, body("workflow-get"))),
}


def scene(name: str) -> Scene:
    """Give what the recorded request of this name found."""
    if name in _SCENES:
        return _SCENES[name]()
    if name in _EMPTY:
        return Scene(cluster_at(1000))
    if name in _CREATED:
        return _created(name)
    return _pods() if name.startswith("pod-") else Scene(_workflows(2819))
