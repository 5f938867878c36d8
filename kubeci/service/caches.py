"""Cache volumes: found or created for a build, and cleared (contract, section 5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from kubeci.errors import Conflict, DefinitionError, Forbidden, Invalid, NotFound, Unready, UpstreamError
from kubeci.model.build import Build
from kubeci.model.cache import CacheClaim
from kubeci.model.json import JsonObject
from kubeci.model.repository import Repository
from kubeci.service.rooms import Rooms
from kubeci.settings.config import Config
from kubeci.workflow.cache import FAILED, cache_branch, fork_branch
from kubeci.workflow.claims import BRANCH, belongs_to, claim_manifest, repository_labels
from kubeci.workflow.quantity import quantity

NO_CACHE = "there is no cache volume"
NAMES_SHOWN = 10
QUOTA = "exceeded quota: "
"""The API server's words for storage, or a number of claims, of which others have taken what there is."""


async def ensure(claim: CacheClaim, rooms: Rooms) -> tuple[str, ...]:
    """Find or create the claim that a build asks for; gives what its author should know of the one that is used.

    A claim that exists must be this repository's and branch's, or one that the operator shares with it. Raises
    `DefinitionError` where it may not be used or cannot be created, `Unready` while a quota is used up, and a retryable
    `UpstreamError` while a claim of that name is being deleted, and where a right is missing.
    """
    existing = await _found(claim, rooms)
    if existing is None:
        _refuse_reserved(claim, rooms.config)
        existing = await _created(claim, rooms)
    shared = claim.named and _shared_with(claim.name, claim.repository, rooms.config)
    if not (shared or belongs_to(existing, claim.repository, claim.branch)):
        raise DefinitionError(
            f"{FAILED}the claim `{claim.name}` exists and is not the cache of {_owner(claim)}",
            hint="choose another name, or ask the operator to share it (`sharedClaims`)",
        )
    if existing["metadata"].get("deletionTimestamp"):
        if not shared:
            await _help_to_go(claim.name, rooms)
        raise UpstreamError(f"the cache volume `{claim.name}` is being cleared", retryable=True)
    return _differences(claim, existing)


async def _help_to_go(name: str, rooms: Rooms) -> None:
    """Delete the ended pods that hold a claim which is being deleted: who did that by hand may not have thought of them."""
    namespace = rooms.config.namespace
    builds = await rooms.builds.unfinished()
    running = [build for build in builds if build.workflow_uid and build.plan.cache_claim == name]
    if not running:
        await rooms.cluster.claims.delete_pods_of(namespace, name)


async def has_its_cache(build: Build, rooms: Rooms) -> bool:
    """Say whether a build's workflow can run again: the volume that it mounts is there, and still one that it may mount.

    Else its pods would wait for ever for a volume that was cleared, or get one that another made under that name since.
    """
    name = build.plan.cache_claim
    if not name:
        return True
    try:
        claim = await rooms.cluster.claims.get(build.namespace, name)
    except NotFound:
        return False
    if claim["metadata"].get("deletionTimestamp"):
        return False
    return _is_of(claim, build) or _shared_with(name, build.commit.repository, rooms.config)


async def clear_build(build: Build, rooms: Rooms) -> str:
    """Delete the cache volume of a build, unless it is another's that is only shared with it, or in use; gives what came of it."""
    name = build.plan.cache_claim
    if not name:
        return NO_CACHE
    try:
        claim = await rooms.cluster.claims.get(build.namespace, name)
    except NotFound:
        return NO_CACHE
    if not _is_of(claim, build):
        return f"the cache volume {name} is not this build's alone, so that it stays"
    return await _clear([claim], build.namespace, rooms)


async def clear_branch(
    repository: Repository, branch: str, rooms: Rooms, *, fork: str = "", gone: str = ""
) -> str:
    """Delete the cache volumes of a branch, of the fork `owner/name` where that is not empty; gives what came of it.

    A build that uses one keeps it, unless `gone` says why there is no more use for it: then the build is stopped.
    """
    if not branch:
        return NO_CACHE
    return await _clear_labelled(repository, fork_branch(fork, branch) if fork else branch, rooms, gone)


async def clear_repository(repository: Repository, rooms: Rooms, *, gone: str = "") -> str:
    """Delete all cache volumes of a repository, those of its branches and forks too, as `clear_branch` does."""
    return await _clear_labelled(repository, None, rooms, gone)


async def has_caches(repository: Repository, branch: str | None, rooms: Rooms, *, fork: str = "") -> bool:
    """Say whether `clear_branch`, or with None for a branch `clear_repository`, would delete anything."""
    return bool(await _labelled(repository, fork_branch(fork, branch) if fork and branch else branch, rooms))


def _is_of(claim: JsonObject, build: Build) -> bool:
    of_branch = {cache_branch(build), cache_branch(build, foreign=True)}
    branches = of_branch if build.plan.cache_scope == BRANCH else {""}
    return any(belongs_to(claim, build.commit.repository, branch) for branch in branches)


async def _found(claim: CacheClaim, rooms: Rooms) -> JsonObject | None:
    try:
        with _told_to_the_author("get", rooms.config.namespace):
            return await rooms.cluster.claims.get(rooms.config.namespace, claim.name)
    except NotFound:
        return None


async def _created(claim: CacheClaim, rooms: Rooms) -> JsonObject:
    """Create a claim; one that appeared meanwhile is given instead."""
    config = rooms.config
    try:
        with _told_to_the_author("create", config.namespace):
            return await rooms.cluster.claims.create(
                claim_manifest(claim, config.namespace, config.managed_by)
            )
    except Conflict:
        existing = await _found(claim, rooms)
    if existing is None:
        raise UpstreamError(f"the cache volume `{claim.name}` came and went", retryable=True)
    return existing


@contextmanager
def _told_to_the_author(verb: str, namespace: str) -> Iterator[None]:
    """Turn what the cluster refuses into an error that tells what for; the caller sees the rest.

    A right that is missing may be tried again: an API server that has just started refuses until it has read the roles.
    """
    try:
        yield
    except Invalid as error:
        raise DefinitionError(f"{FAILED}{error.public}") from error
    except Forbidden as error:
        if error.status != 403:  # our token, not our rights
            raise
        if QUOTA in str(error):
            raise Unready(str(error), status=error.status, public=f"{FAILED}{error.public}") from error
        right = f"{verb} persistentvolumeclaims in the namespace {namespace}"
        told = "" if error.grantable else f"the cluster does not let the server {right}: "
        public = f"{FAILED}{told}{error.public}"
        raise UpstreamError(str(error), status=error.status, retryable=True, public=public) from error


def _refuse_reserved(claim: CacheClaim, config: Config) -> None:
    """Let nobody create a claim before those with whom the operator shares it: they would take it for a good one."""
    shared = _shared_with(claim.name, claim.repository, config)
    if claim.named and claim.name in config.shared_claims and not shared:
        raise DefinitionError(
            f"{FAILED}the operator keeps the claim `{claim.name}` for other repositories (`sharedClaims`)",
            hint="choose another name",
        )


def _shared_with(name: str, repository: Repository, config: Config) -> bool:
    return any(pattern.matches_all(repository.full_name) for pattern in config.shared_claims.get(name, ()))


def _owner(claim: CacheClaim) -> str:
    whole = claim.repository.full_name
    return f"branch `{claim.branch}` of {whole}" if claim.branch else f"{whole} as a whole"


def _differences(claim: CacheClaim, existing: JsonObject) -> tuple[str, ...]:
    """Tell where an existing claim is not what was asked for: neither can be changed, it is used as it is."""
    spec = existing.get("spec") or {}
    size = str(((spec.get("resources") or {}).get("requests") or {}).get("storage", ""))
    storage_class = spec.get("storageClassName")
    found = []
    if quantity(size) != quantity(claim.size):
        found.append(f"its size is {size}, not {claim.size}")
    if claim.storage_class_name and storage_class != claim.storage_class_name:
        found.append(f"its storage class is {storage_class}, not {claim.storage_class_name}")
    return tuple(
        f"the cache volume {claim.name} is used as it is: {each}, until it is cleared" for each in found
    )


async def _clear_labelled(repository: Repository, branch: str | None, rooms: Rooms, gone: str) -> str:
    return await _clear(await _labelled(repository, branch, rooms), rooms.config.namespace, rooms, gone)


async def _labelled(repository: Repository, branch: str | None, rooms: Rooms) -> list[JsonObject]:
    """List the claims of a branch; None: of the whole repository."""
    labels = repository_labels(repository, rooms.config.managed_by)
    candidates = await rooms.cluster.claims.labelled(rooms.config.namespace, labels)
    return [claim for claim in candidates if belongs_to(claim, repository, branch)]


async def _clear(claims: Sequence[JsonObject], namespace: str, rooms: Rooms, gone: str = "") -> str:
    """Delete claims, each before the pods that hold it; one that is being deleted already loses its pods.

    A build that runs would wait for ever for its volume: it keeps it, or is stopped because of `gone`.
    """
    deleted, pods, kept = [], 0, []
    for claim in claims:
        name = claim["metadata"]["name"]
        if not await _let_go(namespace, name, rooms, gone):
            kept.append(name)
            continue
        try:
            await rooms.cluster.claims.delete(namespace, name)
        except NotFound:
            continue
        pods += await rooms.cluster.claims.delete_pods_of(namespace, name)
        deleted.append(name)
    if kept:
        used = f"{', '.join(kept[:NAMES_SHOWN])} is in use by a running build: cancel it first, or wait for its end"
        return f"{_count(len(deleted), 'cache volume')} deleted; {used}" if deleted else used
    if not deleted:
        return NO_CACHE
    names = ", ".join(deleted[:NAMES_SHOWN]) + (", …" if len(deleted) > NAMES_SHOWN else "")
    told = f"{_count(len(deleted), 'cache volume')} deleted: {names}"
    return (
        f"{told}; with {_count(pods, 'pod')} that held {'it' if len(deleted) == 1 else 'them'}"
        if pods
        else told
    )


async def _let_go(namespace: str, claim: str, rooms: Rooms, gone: str) -> bool:
    """Say whether no running build needs a claim any more; with `gone` those that do are stopped."""
    users = [
        build
        for build in await rooms.builds.unfinished()
        if (build.namespace, build.plan.cache_claim) == (namespace, claim)
    ]
    if users and not gone:
        return False
    for build in users:
        await rooms.builds.change(build.id, stopped=build.stopped or gone)
        if build.workflow_uid:
            with suppress(NotFound):
                await rooms.cluster.workflows.stop(namespace, build.workflow_name)
    return True


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
