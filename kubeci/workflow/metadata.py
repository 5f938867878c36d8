"""The labels and annotations that kubeci reads from and writes to a workflow; every key stands here.

What a workflow carries is a hint for people and a way to find our own record. It is never believed when something is
written to GitHub: the record decides (`kubeci.model.build.Build`).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from kubeci.errors import ConfigurationError, DefinitionError
from kubeci.model.build import Build
from kubeci.model.json import JsonObject
from kubeci.settings.pattern import Pattern

PREFIX = "kube-ci.qutics.com/"

SHA = PREFIX + "sha"
BRANCH = PREFIX + "branch"
REPO = PREFIX + "repo"
ORG = PREFIX + "org"
INSTALLATION = PREFIX + "github-install-id"
CHECK_RUN_NAME = PREFIX + "check-run-name"
CHECK_RUN_ID = PREFIX + "check-run-id"
BUILD_ID = PREFIX + "build-id"
ANNOTATIONS_PUBLISHED = PREFIX + "annotations-published"
DEPLOYMENT_IDS = PREFIX + "deployment-ids"
PR_URL = PREFIX + "pr-url"
TITLE = "workflows.argoproj.io/title"

RUN_FOR_BRANCH = PREFIX + "runForBranch"
RUN_FOR_TAG = PREFIX + "runForTag"
RUN_IF_CHANGED = PREFIX + "runIfChanged"
SKIP_IF_ONLY_CHANGED = PREFIX + "skipIfOnlyChanged"
CACHE_SCOPE = PREFIX + "cacheScope"
CACHE_SIZE = PREFIX + "cacheSize"
CACHE_STORAGE_CLASS_NAME = PREFIX + "cacheStorageClassName"
CACHE_NAME = PREFIX + "cacheName"
MANUAL_TEMPLATES = PREFIX + "manualTemplates"
ESSENTIAL_TEMPLATES = PREFIX + "essentialTemplates"
DEPLOY_TEMPLATES = PREFIX + "deployTemplates"
NON_INTERACTIVE_BRANCHES = PREFIX + "nonInteractiveBranches"

OURS = frozenset(
    {
        SHA,
        BRANCH,
        REPO,
        ORG,
        INSTALLATION,
        CHECK_RUN_NAME,
        CHECK_RUN_ID,
        BUILD_ID,
        ANNOTATIONS_PUBLISHED,
        DEPLOYMENT_IDS,
        PR_URL,
    }
)
"""Annotations that only kubeci writes; an author's own values for them are dropped."""

LABEL_MANAGED_BY = "managedBy"
LABEL_ORG = "org"
LABEL_REPO = "repo"
LABEL_BRANCH = "branch"
LABEL_SCOPE = "scope"
LABEL_CACHE_HASH = "cacheHash"

# Go's strconv.ParseBool, which read these annotations in the original (contract, section 3).
_BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}


def annotations_of(workflow: JsonObject) -> Mapping[str, str]:
    """Give a workflow's annotations that are text; anything odd in their place counts as none."""
    metadata = workflow.get("metadata")
    found = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str)}


def switch(workflow: JsonObject, key: str, *, default: bool) -> bool:
    """Read an annotation that switches something; a value that is no boolean is a `DefinitionError`."""
    text = annotations_of(workflow).get(key)
    if text is None:
        return default
    if text not in _BOOLEANS:
        raise DefinitionError(f"annotation `{key}` is `{text[:40]}`", hint='write "true" or "false"')
    return _BOOLEANS[text]


def pattern(workflow: JsonObject, key: str, default: Pattern) -> Pattern:
    """Read an annotation that holds a regular expression; a bad one is a `DefinitionError` that names the annotation."""
    text = annotations_of(workflow).get(key)
    if text is None:
        return default
    try:
        return Pattern(text)
    except ConfigurationError as error:
        raise DefinitionError(f"annotation `{key}`: {error}") from error


def is_of(workflow: JsonObject, build: Build) -> bool:
    """Say whether a workflow carries what we put into the one that was made for a build."""
    carried = annotations_of(workflow).get(BUILD_ID, "")
    # Bytes: `hmac.compare_digest` raises on a str beyond ASCII.
    return bool(build.nonce) and hmac.compare_digest(
        carried.encode(errors="replace"), build.nonce.encode(errors="replace")
    )
