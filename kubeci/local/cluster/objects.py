"""The cluster's state: every object, its resource versions, and the changes that watches see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from kubeci.local.cluster import deletion, garbage, metadata
from kubeci.local.cluster.deletion import AT_ONCE, BACKGROUND, FOREGROUND, DeleteOptions
from kubeci.local.cluster.history import Change, Cursor, History, Key, Stored, stored
from kubeci.local.cluster.patches import merge
from kubeci.local.cluster.resources import PODS, RESOURCES, Resource
from kubeci.local.cluster.selectors import EVERYTHING, Selector
from kubeci.local.cluster.status import ApiError, already_exists, modified_since, not_found

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from kubeci.local.cluster.logs import LogBuffer, LogKey
    from kubeci.model.json import JsonObject

OBJECT_LIMIT = 3 * 1024 * 1024 // 2  # etcd's --max-request-bytes
NAME_TRIES = 8

__all__ = ["AT_ONCE", "BACKGROUND", "FOREGROUND", "Change", "DeleteOptions", "Objects"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Objects:
    """The objects of a cluster, for the API server and the engine alike; JSON goes in and out by copy.

    A single event loop may use it. Every change takes the next resource version. `logs` maps (namespace, pod name,
    container) to what that container wrote; whoever runs the container puts the buffer there, and the pod's end
    closes and removes it.
    """

    def __init__(self, *, now: Callable[[], datetime] = _utc_now, history: History | None = None) -> None:
        self.logs: dict[LogKey, LogBuffer] = {}
        self._now = now
        self._history = history or History(1)
        self._kept: dict[Resource, dict[Key, Stored]] = {resource: {} for resource in RESOURCES}

    @property
    def version(self) -> int:
        """Give the resource version of the last change; a watch since here sees only what comes."""
        return self._history.version

    def create(self, resource: Resource, namespace: str, obj: JsonObject) -> JsonObject:
        """Store a new object and give it as stored; its name may come from `generateName`.

        Raises ApiError 409 when the name is taken, 422 when name or labels are not valid.
        """
        # As the API server does: a generated name that is taken is drawn anew, eight times in all.
        for _ in range(NAME_TRIES):
            new = metadata.born(resource, namespace, _copied(obj), self._now())
            key = (namespace, new["metadata"]["name"])
            if key not in self._kept[resource]:
                break
        else:
            raise already_exists(resource, key[1])
        return self._commit("ADDED", stored(resource, new, self.version + 1), None).object

    def get(self, resource: Resource, namespace: str, name: str) -> JsonObject:
        """Give an object; raises ApiError 404."""
        return self.one(resource, namespace, name).object

    def one(self, resource: Resource, namespace: str, name: str) -> Stored:
        """Give an object as it is stored; raises ApiError 404."""
        try:
            return self._kept[resource][namespace, name]
        except KeyError:
            raise not_found(resource, name) from None

    def has(self, resource: Resource, namespace: str, name: str) -> bool:
        """Say whether there is such an object."""
        return (namespace, name) in self._kept[resource]

    def list(
        self, resource: Resource, namespace: str | None, selector: Selector = EVERYTHING
    ) -> list[JsonObject]:
        """Give the objects of a namespace (None: of all) that the selector matches, by namespace and name."""
        return [found.object for found in self.stored(resource, namespace, selector)]

    def stored(
        self,
        resource: Resource,
        namespace: str | None,
        selector: Selector = EVERYTHING,
        *,
        at: int | None = None,
    ) -> tuple[Stored, ...]:
        """Give what `list` gives, as it is stored, now or as it was at version `at`; raises Expired."""
        kept = self._kept[resource] if at is None else self._past(resource, at)
        return tuple(
            found
            for key, found in sorted(kept.items())
            if namespace in {None, key[0]} and selector.matches(*key, found.labels)
        )

    def replace(self, resource: Resource, namespace: str, name: str, obj: JsonObject) -> JsonObject:
        """Put an object in the place of the one stored and give it as stored; no difference, no change.

        Raises ApiError 404, 409 when `obj` carries a stale resourceVersion (none: whatever is stored), 422.
        """
        before = self.one(resource, namespace, name)
        return self._update(before, _copied(obj))

    def merge_patch(self, resource: Resource, namespace: str, name: str, patch: JsonObject) -> JsonObject:
        """Apply a merge patch (RFC 7386) and give the object as stored; errors as in `replace`."""
        before = self.one(resource, namespace, name)
        return self._update(before, merge(before.object, _copied(patch)))

    def delete(
        self, resource: Resource, namespace: str, name: str, options: DeleteOptions = BACKGROUND
    ) -> JsonObject:
        """Delete an object, or mark it as being deleted, and give its last state.

        It stays, marked with a deletionTimestamp, while it has finalizers (so in the foreground, until its dependents
        are gone), and a pod that runs on a node does until it is deleted again with no seconds of grace, which is
        the kubelet's part. Raises ApiError 404, 409 when a precondition does not hold.
        """
        before = self.one(resource, namespace, name)
        deletion.check_preconditions(before, options)
        if options.propagation == "Orphan":
            garbage.orphan(self, before.uid)
        obj = before.object
        meta = obj["metadata"]
        if options.propagation == "Foreground":
            meta["finalizers"] = [*(meta.get("finalizers") or []), garbage.FOREGROUND]
        grace = deletion.grace_seconds(resource, obj, options)
        if before.deleting and (meta.get("finalizers") or 0 < meta["deletionGracePeriodSeconds"] <= grace):
            return before.object
        if grace or meta.get("finalizers") or before.deleting or resource is PODS:
            before = self._mark(before, obj, grace)
        if grace or meta.get("finalizers"):
            return before.object
        return self._remove(before).object

    async def watch(self, resource: Resource, namespace: str | None, since: int) -> AsyncIterator[Change]:
        """Give every change after version `since`, then wait for more; raises Expired when history lacks some."""
        cursor = self.cursor(resource, namespace, since)
        while True:
            for change in cursor.take():
                yield change
            await cursor.wait()

    def cursor(self, resource: Resource, namespace: str | None, since: int) -> Cursor:
        """Give a reader of the changes after version `since`, for who must know how far it has read."""
        return Cursor(self._history, resource, namespace, since)

    def compact(self) -> None:
        """Forget all history: watches and pages of before today's version are Expired."""
        self._history.clear()

    def rehearsal(self) -> Objects:
        """Give a copy whose changes touch nothing here: what `dryRun=All` works on."""
        copy = Objects(now=self._now, history=History(self.version))
        copy._kept = {resource: dict(kept) for resource, kept in self._kept.items()}
        return copy

    def _past(self, resource: Resource, version: int) -> dict[Key, Stored]:
        kept = dict(self._kept[resource])
        for change in self._history.back_to(version):
            if change.resource is resource:
                kept.pop(change.stored.key, None)
                if change.before:
                    kept[change.stored.key] = change.before
        return kept

    def _update(self, before: Stored, obj: JsonObject) -> JsonObject:
        old = before.object
        asked = metadata.shaped(before.resource, obj).get("resourceVersion")
        if asked and asked != str(before.version):
            raise modified_since(before.resource, before.key[1])
        new = metadata.updated(before.resource, old, obj)
        if new == old:
            return old
        meta = new["metadata"]
        if before.deleting and not meta.get("finalizers") and not meta.get("deletionGracePeriodSeconds"):
            self._remove(before)
            return new
        return self._commit("MODIFIED", stored(before.resource, new, self.version + 1), before).object

    def _mark(self, before: Stored, obj: JsonObject, grace: int) -> Stored:
        meta = obj["metadata"]
        meta["deletionTimestamp"] = metadata.timestamp(self._now() + timedelta(seconds=grace))
        meta["deletionGracePeriodSeconds"] = grace
        if "generation" in meta and not before.deleting:
            meta["generation"] += 1
        return self._commit("MODIFIED", stored(before.resource, obj, self.version + 1), before)

    def _remove(self, before: Stored) -> Stored:
        for key in [key for key in self.logs if before.resource is PODS and key[:2] == before.key]:
            self.logs.pop(key).close()
        return self._commit("DELETED", stored(before.resource, before.object, self.version + 1), before)

    def _commit(
        self, kind: Literal["ADDED", "MODIFIED", "DELETED"], new: Stored, before: Stored | None
    ) -> Stored:
        if len(new.body) > OBJECT_LIMIT and kind != "DELETED":
            raise ApiError(500, "", "etcdserver: request is too large")
        change = Change(kind, new, before)
        if kind == "DELETED":
            del self._kept[new.resource][new.key]
        else:
            self._kept[new.resource][new.key] = new
        self._history.append(change)
        garbage.collect(self, change)
        garbage.protect_claims(self, change)
        return new


def _copied(obj: JsonObject) -> JsonObject:
    copy: JsonObject = msgspec.json.decode(msgspec.json.encode(obj))
    return copy
