"""An App's manifest, judged as GitHub judges it (docs.github.com, "Registering a GitHub App from a manifest")."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from kubeci.model.json import JsonObject

NAME_LIMIT = 34
URL_LIMIT = 2048
T = TypeVar("T")
_SHAPES: dict[type, str] = {dict: "object", list: "array", str: "string"}

# What an App can ask for, and up to which level (docs.github.com, "Permissions required for GitHub Apps").
PERMISSIONS = {
    **dict.fromkeys(
        (
            "actions",
            "administration",
            "checks",
            "contents",
            "deployments",
            "discussions",
            "environments",
            "issues",
            "members",
            "merge_queues",
            "organization_administration",
            "packages",
            "pages",
            "pull_requests",
            "repository_hooks",
            "secrets",
            "security_events",
            "statuses",
            "vulnerability_alerts",
        ),
        ("read", "write"),
    ),
    "metadata": ("read",),
    "organization_plan": ("read",),
    "workflows": ("write",),
}

# What an App can subscribe to, and one of which permissions that takes (docs.github.com, "Webhook events and payloads").
EVENTS = {
    "branch_protection_rule": ("administration",),
    "check_run": ("checks",),
    "check_suite": ("checks",),
    "code_scanning_alert": ("security_events",),
    "commit_comment": ("contents",),
    "create": ("contents",),
    "delete": ("contents",),
    "dependabot_alert": ("vulnerability_alerts",),
    "deployment": ("deployments",),
    "deployment_review": ("deployments",),
    "deployment_status": ("deployments",),
    "discussion": ("discussions",),
    "discussion_comment": ("discussions",),
    "fork": ("contents",),
    "gollum": ("contents",),
    "issue_comment": ("issues", "pull_requests"),
    "issues": ("issues",),
    "label": ("issues", "pull_requests"),
    "member": ("members",),
    "membership": ("members",),
    "merge_group": ("merge_queues",),
    "milestone": ("issues", "pull_requests"),
    "organization": ("members",),
    "public": ("metadata",),
    "pull_request": ("pull_requests",),
    "pull_request_review": ("pull_requests",),
    "pull_request_review_comment": ("pull_requests",),
    "pull_request_review_thread": ("pull_requests",),
    "push": ("contents",),
    "release": ("contents",),
    "repository": ("metadata",),
    "repository_dispatch": ("contents",),
    "star": ("metadata",),
    "status": ("statuses",),
    "team": ("members",),
    "workflow_dispatch": ("contents",),
    "workflow_job": ("actions",),
    "workflow_run": ("actions",),
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the App shall be; `name` may be empty, since a person names it before it is made."""

    name: str
    url: str
    webhook_url: str
    redirect_url: str
    description: str
    public: bool
    permissions: dict[str, str]
    events: tuple[str, ...]


def read_manifest(text: str) -> Manifest:
    """Read the form's field `manifest`; ValueError with what GitHub would not take."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("the manifest is no JSON") from None
    given = _shaped(given, dict, "the manifest")
    hook = _shaped(given.get("hook_attributes", {}), dict, "hook_attributes")
    permissions = _permissions(given.get("default_permissions", {}))
    return Manifest(
        name=_text(given, "name"),
        url=_url(given, "url"),
        webhook_url=_url(hook, "url"),
        redirect_url=_url(given, "redirect_url"),
        description=_text(given, "description"),
        public=given.get("public") is True,
        permissions=permissions,
        events=_events(given.get("default_events", []), permissions),
    )


def slug_of(name: str) -> str:
    """Give the name as an address writes it; ValueError for one that an App cannot have."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not slug:
        raise ValueError("the App needs a name")
    if len(name) > NAME_LIMIT:
        raise ValueError(f"Name is too long (maximum is {NAME_LIMIT} characters)")
    return slug


def _shaped(value: Any, shape: type[T], name: str) -> T:
    if isinstance(value, shape):
        return value
    raise ValueError(f"{name} must be JSON's {_SHAPES[shape]}")


def _text(given: JsonObject, key: str) -> str:
    return _shaped(given.get(key) or "", str, key).strip()


def _url(given: JsonObject, key: str) -> str:
    value = _text(given, key)
    try:
        fine = urlsplit(value).scheme in {"http", "https"} and bool(urlsplit(value).hostname)
    except ValueError:
        fine = False
    if not fine or len(value) > URL_LIMIT:
        raise ValueError(f"{key} must be a URL that begins with http:// or https://")
    return value


def _permissions(given: Any) -> dict[str, str]:
    for name, level in _shaped(given, dict, "default_permissions").items():
        if level not in PERMISSIONS.get(name, ()):
            raise ValueError(
                f"Default permission records resource is not included in the list: {name}: {level}"
            )
    return {"metadata": "read", **given}


def _events(given: Any, permissions: dict[str, str]) -> tuple[str, ...]:
    for event in _shaped(given, list, "default_events"):
        if not isinstance(event, str) or event not in EVENTS:
            raise ValueError(f"Default events unsupported: {event}")
        if permissions.keys().isdisjoint(EVENTS[event]):
            needed = " or ".join(EVENTS[event])
            raise ValueError(f"Default events are not supported by permissions: {event} needs {needed}")
    return tuple(given)
