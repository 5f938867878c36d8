"""The changes of the last while, in the order of their resource versions."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from kubeci.local.cluster.status import Expired

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubeci.local.cluster.resources import Resource
    from kubeci.model.json import JsonObject

Key: TypeAlias = tuple[str, str]
"""Namespace and name."""

CHANGES_KEPT = 10_000
BYTES_KEPT = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as it is stored: JSON that nobody can change, and what is asked of it most."""

    resource: Resource
    body: bytes
    key: Key
    uid: str
    version: int
    labels: Mapping[str, str]
    owners: tuple[str, ...]
    deleting: bool

    @property
    def object(self) -> JsonObject:
        """Give a copy that the caller owns."""
        decoded: JsonObject = msgspec.json.decode(self.body)
        return decoded


def stored(resource: Resource, obj: JsonObject, version: int) -> Stored:
    """Freeze an object under a resource version; `obj` is changed only in its `metadata.resourceVersion`."""
    metadata = obj["metadata"]
    metadata["resourceVersion"] = str(version)
    return Stored(
        resource,
        msgspec.json.encode(obj),
        (metadata["namespace"], metadata["name"]),
        metadata["uid"],
        version,
        dict(metadata.get("labels") or {}),
        tuple(owner["uid"] for owner in metadata.get("ownerReferences") or []),
        "deletionTimestamp" in metadata,
    )


@dataclass(frozen=True, slots=True)
class Change:
    """One change: the object as it became (for DELETED: as it last was, with the version of its end).

    `before` is the object it took the place of; None when it is new.
    """

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    stored: Stored
    before: Stored | None

    @property
    def object(self) -> JsonObject:
        """Give a copy of the object that the caller owns."""
        return self.stored.object

    @property
    def resource(self) -> Resource:
        """Say what kind of object changed."""
        return self.stored.resource

    @property
    def resource_version(self) -> int:
        """Give the resource version of the change itself."""
        return self.stored.version

    @property
    def old_labels(self) -> Mapping[str, str]:
        """Give the labels before the change, so that a selector can see an object leave; none for a new object."""
        return self.before.labels if self.before else {}


class History:
    """Changes `floor + 1` to `version`, one for every number; bounded in changes and bytes."""

    def __init__(self, version: int, *, changes: int = CHANGES_KEPT, size: int = BYTES_KEPT) -> None:
        self.version = version
        self._limits = (changes, size)
        self._changes: deque[Change] = deque()
        self._size = 0
        self._grown = asyncio.Event()

    @property
    def floor(self) -> int:
        """Give the oldest version a watch can start from."""
        return self.version - len(self._changes)

    def append(self, change: Change) -> None:
        """Add the next change; the oldest ones fall out."""
        self._changes.append(change)
        self._size += len(change.stored.body)
        self.version = change.resource_version
        changes, size = self._limits
        while len(self._changes) > changes or (self._size > size and len(self._changes) > 1):
            self._size -= len(self._changes.popleft().stored.body)
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()

    async def wait(self, version: int) -> None:
        """Return when there is a change after `version`."""
        while self.version <= version:
            await self._grown.wait()

    def after(self, version: int) -> Change:
        """Give the change that follows `version`; raises Expired when it is no longer kept."""
        if version < self.floor:
            raise Expired(f"too old resource version: {version} ({self.floor})")
        return self._changes[version - self.floor]

    def back_to(self, version: int) -> list[Change]:
        """Give the changes since `version`, the newest first; raises Expired when some are no longer kept."""
        if version < self.floor:
            raise Expired(f"too old resource version: {version} ({self.floor})")
        return [self._changes[-n] for n in range(1, self.version - version + 1)]

    def clear(self) -> None:
        """Forget every change, as etcd's compaction does."""
        self._changes.clear()
        self._size = 0


class Cursor:
    """A reader of a history: the changes to one kind of object in a namespace (None: in all) after `position`."""

    def __init__(self, history: History, resource: Resource, namespace: str | None, position: int) -> None:
        self.position = position
        self._history = history
        self._resource = resource
        self._namespace = namespace

    def take(self) -> list[Change]:
        """Give the changes there are now and go on behind them; raises Expired when some are no longer kept."""
        taken = []
        while self.position < self._history.version:
            change = self._history.after(self.position)
            self.position = change.resource_version
            if change.resource is self._resource and self._namespace in {None, change.stored.key[0]}:
                taken.append(change)
        return taken

    async def wait(self) -> None:
        """Return when there is a change, of whatever kind, to take."""
        await self._history.wait(self.position)
