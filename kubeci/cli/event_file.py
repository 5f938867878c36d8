"""A webhook payload in a file, made into what a build of it would be given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from kubeci.errors import ConfigurationError
from kubeci.model.build import BuildRequest
from kubeci.model.json import JsonObject
from kubeci.model.repository import Commit, Ref, RefType, Repository
from kubeci.model.source import PullRequest

SIZE_LIMIT = 25_000_000  # GitHub sends no larger payloads


def read_event(path: Path) -> JsonObject:
    """Read a payload; `ConfigurationError` when it is no JSON object, or none with a repository."""
    try:
        raw = path.read_bytes()
        if len(raw) > SIZE_LIMIT:
            raise ConfigurationError(f"--event {path}: more than {SIZE_LIMIT:,} bytes")
        payload = msgspec.json.decode(raw)
    except OSError as error:
        raise ConfigurationError(f"--event {path}: {error.strerror}") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise ConfigurationError(f"--event {path}: is no JSON: {error}") from error
    if not isinstance(payload, dict) or not isinstance(payload.get("repository"), dict):
        raise ConfigurationError(f"--event {path}: is no payload of an event: it has no `repository`")
    return payload


def for_event(request: BuildRequest, payload: JsonObject) -> BuildRequest:
    """Give the request that an event would make; what its payload does not say stays as the working tree has it.

    Any kind of event with a repository does: ref and sha are found by the members that its kind has.
    """
    described = payload["repository"]
    owner = _text(described, "owner", "login") or request.commit.repository.owner
    name = _text(described, "name") or request.commit.repository.name
    installation = payload.get("installation")
    number = installation.get("id") if isinstance(installation, dict) else 0
    repository = Repository(owner, name, number if isinstance(number, int) else 0)
    return replace(
        request,
        commit=Commit(repository, _sha(payload) or request.commit.sha),
        ref=_ref(payload) or request.ref,
        repository_object=described,
        event=payload,
        changed_files=_changed_files(payload),
    )


def pull_requests(payload: JsonObject) -> tuple[PullRequest, ...]:
    """Give the pull request that a payload is about."""
    pull = payload.get("pull_request")
    number = pull.get("number") if isinstance(pull, dict) else None
    if not isinstance(pull, dict) or not isinstance(number, int):
        return ()
    return (
        PullRequest(
            number=number,
            title=_text(pull, "title"),
            url=_text(pull, "html_url"),
            draft=pull.get("draft") is True,
            base_ref=_text(pull, "base", "ref"),
            head_repository=_text(pull, "head", "repo", "full_name"),
        ),
    )


_SHAS = (
    ("pull_request", "head", "sha"),
    ("check_suite", "head_sha"),
    ("check_run", "head_sha"),
    ("merge_group", "head_sha"),
    ("deployment", "sha"),
    ("workflow_run", "head_sha"),
    ("after",),
)
_BRANCHES = (
    ("pull_request", "head", "ref"),
    ("check_suite", "head_branch"),
    ("check_run", "check_suite", "head_branch"),
    ("merge_group", "head_ref"),
    ("deployment", "ref"),
    ("workflow_run", "head_branch"),
    ("ref",),
)


def _sha(payload: JsonObject) -> str:
    return next((found for way in _SHAS if (found := _text(payload, *way))), "")


def _ref(payload: JsonObject) -> Ref | None:
    tag = _text(payload, "release", "tag_name")
    if tag or payload.get("ref_type") == "tag":
        return Ref(tag or _text(payload, "ref"), RefType.TAG)
    name = next((found for way in _BRANCHES if (found := _text(payload, *way))), "")
    if name.startswith("refs/tags/"):
        return Ref(name.removeprefix("refs/tags/"), RefType.TAG)
    return Ref(name.removeprefix("refs/heads/")) if name else None


def _changed_files(payload: JsonObject) -> tuple[str, ...] | None:
    """List what a push's commits changed; None: the payload does not say."""
    commits = payload.get("commits")
    if not isinstance(commits, list):
        return None
    named: dict[str, None] = {}
    for commit in commits:
        for kind in ("added", "modified", "removed"):
            files = commit.get(kind) if isinstance(commit, dict) else None
            named |= dict.fromkeys(file for file in files or () if isinstance(file, str))
    return tuple(named)


def _text(value: Any, *way: str) -> str:
    for step in way:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
