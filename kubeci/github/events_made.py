"""Events as GitHub would have sent them, made of what REST tells (docs.github.com/webhooks/webhook-events-and-payloads)."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from datetime import datetime

from kubeci.model.heads import Head, Installed
from kubeci.model.json import JsonObject

ZEROS = "0" * 40
"""GitHub's sha of nothing."""
_LISTS = {"added": "added", "copied": "added", "renamed": "added", "removed": "removed"}


def pull_request_event(installed: Installed, head: Head, action: str, pull: JsonObject) -> JsonObject:
    """Make `pull_request` of GitHub's pull request; of who changed it we know the author alone."""
    shas = {"before": ZEROS, "after": head.sha} if action == "synchronize" else {}
    return {
        "action": action,
        "number": head.number,
        "pull_request": pull,
        **shas,
        "repository": installed.described,
        **_around(installed, pull.get("user")),
    }


def push_event(installed: Installed, head: Head, commit: JsonObject) -> JsonObject:
    """Make `push` of GitHub's commit."""
    described = installed.described
    before, pushed = head.before or ZEROS, _pushed_commit(commit)
    sender = commit.get("author") or commit.get("committer")
    return {
        "ref": f"refs/heads/{head.name}",
        "before": before,
        "after": head.sha,
        "repository": _as_in_pushes(described),
        "pusher": {"name": head.pusher or _login(sender)},
        **_around(installed, sender),
        "created": not before.strip("0"),
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "compare": f"{described.get('html_url', '')}/compare/{before[:12]}...{head.sha[:12]}",
        "commits": [pushed],
        "head_commit": pushed,
    }


def _pushed_commit(commit: JsonObject) -> JsonObject:
    written = commit["commit"]
    return {
        "id": commit["sha"],
        "tree_id": written["tree"]["sha"],
        "distinct": True,
        "message": written["message"],
        "timestamp": (written.get("committer") or {}).get("date") or "",
        "url": commit.get("html_url") or "",
        "author": _signature(written.get("author"), commit.get("author")),
        "committer": _signature(written.get("committer"), commit.get("committer")),
        **_files(commit.get("files") or ()),
    }


def _signature(written: JsonObject | None, account: JsonObject | None) -> JsonObject:
    found = {"name": (written or {}).get("name") or "", "email": (written or {}).get("email")}
    return {**found, "username": account["login"]} if account and account.get("login") else found


def _files(files: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
    for each in files:
        if each["status"] == "renamed":
            found["removed"].append(each.get("previous_filename") or "")
        found[_LISTS.get(each["status"], "modified")].append(each["filename"])
    return found


def _around(installed: Installed, sender: JsonObject | None) -> JsonObject:
    """Give what every event of an App carries."""
    owner, number = installed.described["owner"], installed.repository.installation_id
    node_id = base64.b64encode(f"023:IntegrationInstallation{number}".encode()).decode()
    organization = {"organization": _organization(owner)} if owner.get("type") == "Organization" else {}
    return {
        **organization,
        "sender": sender or owner,
        "installation": {"id": number, "node_id": node_id},
    }


def _organization(owner: JsonObject) -> JsonObject:
    url = str(owner.get("url") or "").replace("/users/", "/orgs/")
    below = ("repos", "events", "hooks", "issues")
    return {
        "login": owner.get("login"),
        "id": owner.get("id"),
        "node_id": owner.get("node_id"),
        "url": url,
        **{f"{name}_url": f"{url}/{name}" for name in below},
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": owner.get("avatar_url"),
        "description": "",
    }


def _as_in_pushes(described: JsonObject) -> JsonObject:
    """Give the repository as push events alone write it: with seconds for times, and the owner's name."""
    owner = described["owner"]
    return {
        **described,
        "owner": {**owner, "name": owner.get("login"), "email": None},
        **{key: _seconds(described.get(key)) for key in ("created_at", "pushed_at")},
        "stargazers": described.get("stargazers_count") or 0,
        "master_branch": described.get("default_branch") or "",
    }


def _seconds(time: str | None) -> int | None:
    return int(datetime.fromisoformat(time).timestamp()) if time else None


def _login(account: JsonObject | None) -> str:
    return str((account or {}).get("login") or "ghost")
