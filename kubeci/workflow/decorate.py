"""What is put into an author's workflow before it is submitted (contract, section 4)."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import msgspec

from kubeci.errors import DefinitionError
from kubeci.model.build import Build
from kubeci.model.json import JsonObject
from kubeci.model.repository import RefType
from kubeci.model.source import PullRequest
from kubeci.settings.config import Config
from kubeci.workflow import metadata
from kubeci.workflow.names import label_safe

SIZE_LIMIT = 1_000_000
"""Bytes of a workflow with what the API server notes of its fields.

etcd refuses objects over 1.5 MB, Argo's controller those over 1 MiB (MAX_WORKFLOW_SIZE), and its status needs room beside the
spec. Too large an object is created without those notes, but then no update of the controller's is taken. The largest of Argo's
examples takes 13 KB.
"""
KEEP_SECONDS = 3 * 24 * 3600
KEEP_AT_LEAST_SECONDS = 15 * 60  # the end must be seen and reported before the workflow goes

PARAMETERS = frozenset(
    [
        "repo",
        "repo_git_url",
        "repo_https_url",
        "repoName",
        "orgName",
        "revision",
        "refType",
        "refName",
        "branch",
        "tag",
        "repoDefaultBranch",
        "pullRequestID",
        "pullRequestBaseBranch",
        "cacheVolumeClaimName",
    ]
)
"""The parameters that builds get: `branch` or `tag`, `cacheVolumeClaimName` with a cache."""


SERVERS = (
    "generateName",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
)
"""Fields of an object's metadata that the API server alone writes, or that would name the workflow otherwise."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a build's parameters are made of, beside the build itself."""

    repository_object: JsonObject
    """GitHub's repository object; missing keys become empty strings."""
    pull_request: PullRequest | None = None
    cache_claim: str = ""


def decorate(manifest: JsonObject, build: Build, around: Surroundings, config: Config) -> JsonObject:
    """Give the workflow that is submitted for `build`, made from the author's canonical manifest.

    The author's manifest is not changed, and nothing in it is lost but what we own: name, namespace, our parameters
    and our annotations. Raises `DefinitionError` when the result is larger than a cluster takes.
    """
    workflow = copy.deepcopy(manifest)
    workflow["apiVersion"] = "argoproj.io/v1alpha1"
    workflow["kind"] = "Workflow"
    _set_metadata(workflow.setdefault("metadata", {}), build, around, config)
    _set_spec(workflow.setdefault("spec", {}), build, around, config)
    size = len(msgspec.json.encode(workflow)) + _noted(workflow)
    if size > SIZE_LIMIT:
        raise DefinitionError(
            f"the workflow is {size:,} bytes large (keys of maps count twice), at most {SIZE_LIMIT:,} can be submitted",
            hint="move scripts into files of the repository or into workflow templates",
        )
    return workflow


def _noted(workflow: JsonObject) -> int:
    """Count the bytes of `metadata.managedFields`: each key once more, as `"f:key":{".":{}},`; a list is one."""
    size, maps = 0, [workflow]
    while maps:
        for key, value in maps.pop().items():
            size += len(msgspec.json.encode(key)) + len("f::{},")
            if isinstance(value, dict):
                size += len('".":{},')
                maps.append(value)
    return size


def _set_metadata(meta: JsonObject, build: Build, around: Surroundings, config: Config) -> None:
    for field in SERVERS:
        meta.pop(field, None)
    meta["name"] = build.workflow_name
    meta["namespace"] = build.namespace
    repository = build.commit.repository
    meta["labels"] = {
        **meta.get("labels", {}),
        metadata.LABEL_MANAGED_BY: config.managed_by,
        metadata.LABEL_ORG: label_safe(repository.owner),
        metadata.LABEL_REPO: label_safe(repository.name),
        metadata.LABEL_BRANCH: label_safe(build.ref.name),
    }
    authors = {key: value for key, value in meta.get("annotations", {}).items() if key not in metadata.OURS}
    ours = {
        metadata.SHA: build.commit.sha,
        metadata.BRANCH: build.ref.name,
        metadata.REPO: repository.name,
        metadata.ORG: repository.owner,
        metadata.INSTALLATION: str(repository.installation_id),
        metadata.CHECK_RUN_NAME: build.check_name,
        metadata.CHECK_RUN_ID: str(build.check_run_id),
        metadata.BUILD_ID: build.nonce or build.id,
    }
    if around.pull_request:
        ours |= {metadata.PR_URL: around.pull_request.url, metadata.TITLE: around.pull_request.title}
    meta["annotations"] = authors | ours


def _set_spec(spec: JsonObject, build: Build, around: Surroundings, config: Config) -> None:
    if build.entrypoint:
        spec["entrypoint"] = build.entrypoint
    spec["ttlStrategy"] = _keep_long_enough(spec.get("ttlStrategy"))
    if config.tolerations:
        spec["tolerations"] = [*spec.get("tolerations", []), *copy.deepcopy(config.tolerations)]
    if config.node_selector:
        spec["nodeSelector"] = {**spec.get("nodeSelector", {}), **config.node_selector}
    ours = parameters(build, around, config)
    arguments = spec.setdefault("arguments", {})
    authors = [entry for entry in arguments.get("parameters", []) if entry.get("name") not in ours]
    arguments["parameters"] = [*authors, *({"name": name, "value": value} for name, value in ours.items())]


def _keep_long_enough(authors: Any) -> JsonObject:
    if not authors:
        return {"secondsAfterCompletion": KEEP_SECONDS}
    return {
        key: max(value, KEEP_AT_LEAST_SECONDS) if isinstance(value, int) else value
        for key, value in authors.items()
    }


def parameters(build: Build, around: Surroundings, config: Config) -> dict[str, str]:
    """Give the parameters that every build gets, by name; they replace an author's of the same name."""
    repo = around.repository_object
    pull = around.pull_request
    ours = {
        "repo": repo.get("ssh_url"),
        "repo_git_url": repo.get("git_url"),
        "repo_https_url": repo.get("clone_url"),
        "repoName": build.commit.repository.name,
        "orgName": build.commit.repository.owner,
        "revision": build.commit.sha,
        "refType": build.ref.type.value,
        "refName": build.ref.name,
        "tag" if build.ref.type is RefType.TAG else "branch": build.ref.name,
        "repoDefaultBranch": repo.get("default_branch") or "main",
        "pullRequestID": str(pull.number) if pull else "",
        "pullRequestBaseBranch": pull.base_ref if pull else "",
    }
    if around.cache_claim:
        ours["cacheVolumeClaimName"] = around.cache_claim
    return {name: value or "" for name, value in (ours | config.extra_parameters).items()}
