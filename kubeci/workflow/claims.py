"""Cache volumes as persistent volume claims: their names, what they carry, and whose they are (contract, section 5)."""

from __future__ import annotations

from kubeci.model.cache import CacheClaim
from kubeci.model.json import JsonObject
from kubeci.model.repository import Repository
from kubeci.workflow import metadata
from kubeci.workflow.names import label_safe, short_hash

PROJECT = "project"
BRANCH = "branch"


def claim_name(repository: Repository, branch: str) -> str:
    """Name the claim of a branch, or where `branch` is empty the whole repository's; at most 50 characters, no dots."""
    scope = BRANCH if branch else PROJECT
    name = label_safe("ci", scope, repository.owner, repository.name, _hash(repository, branch))
    return name.replace(".", "-")


def repository_labels(repository: Repository, managed_by: str) -> dict[str, str]:
    """Give the labels that find a repository's claims, and those of others whose names look the same in labels."""
    return {
        metadata.LABEL_MANAGED_BY: managed_by,
        metadata.LABEL_ORG: label_safe(repository.owner),
        metadata.LABEL_REPO: label_safe(repository.name),
    }


def claim_manifest(claim: CacheClaim, namespace: str, managed_by: str) -> JsonObject:
    """Give the claim to create; its annotations hold the exact names, by which `belongs_to` knows it again."""
    labels = repository_labels(claim.repository, managed_by) | {metadata.LABEL_SCOPE: claim.scope}
    annotations = {metadata.ORG: claim.repository.owner, metadata.REPO: claim.repository.name}
    if claim.branch:
        labels[metadata.LABEL_CACHE_HASH] = label_safe(_hash(claim.repository, claim.branch))
        annotations[metadata.BRANCH] = claim.branch
    storage_class = {"storageClassName": claim.storage_class_name} if claim.storage_class_name else {}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": claim.name,
            "namespace": namespace,
            "labels": labels,
            "annotations": annotations,
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": claim.size}},
            **storage_class,
        },
    }


def belongs_to(claim: JsonObject, repository: Repository, branch: str | None) -> bool:
    """Say whether a claim is a repository's: of one branch, with `branch` empty the whole repository's, with None any.

    The annotations decide, since labels of different names can be the same. Owner and repository are compared as
    GitHub does, without regard to case; branches exactly. A claim without any of our annotations, as older versions
    made them, is known by its name alone; those of branches only where the branch is given.
    """
    carried = metadata.annotations_of(claim)
    if not carried.keys() & {metadata.ORG, metadata.REPO, metadata.BRANCH}:
        return _is_named_after(claim, repository, branch or "")
    owner, name = carried.get(metadata.ORG, ""), carried.get(metadata.REPO, "")
    if (owner.lower(), name.lower()) != (repository.owner.lower(), repository.name.lower()):
        return False
    return branch is None or carried.get(metadata.BRANCH, "") == branch


def _is_named_after(claim: JsonObject, repository: Repository, branch: str) -> bool:
    # Older versions knew no branches with a colon (`kubeci.workflow.cache.cache_branch`): a fork that finds a branch of
    # the same hash gets nothing by it.
    return ":" not in branch and (claim.get("metadata") or {}).get("name") == claim_name(repository, branch)


def _hash(repository: Repository, branch: str) -> str:
    return short_hash("#".join(filter(None, (repository.owner, repository.name, branch))))
