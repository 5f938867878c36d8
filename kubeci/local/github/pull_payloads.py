"""Pull requests as GitHub's JSON: the short form of lists, the full form of events and single answers."""

from __future__ import annotations

from urllib.parse import quote

from kubeci.local.github import git
from kubeci.local.github.changes import STATUSES, FileChange
from kubeci.local.github.conclusions import latest
from kubeci.local.github.conversation import comments_of
from kubeci.local.github.memberships import association
from kubeci.local.github.payloads import api_url, node_id, repository_json, user_json
from kubeci.local.github.pulls import PullNode, merged_tree
from kubeci.local.github.state import PullRequest, Repository, State, timestamp
from kubeci.model.json import JsonObject

PASSING = {"success", "neutral", "skipped"}  # docs.github.com, "About status checks"
_COLORS = {"bug": "d73a4a", "documentation": "0075ca", "enhancement": "a2eeef"}


def label_json(state: State, repository: Repository, name: str) -> JsonObject:
    """Give a label."""
    url = api_url(state, f"/repos/{repository.full_name}/labels/{name}")
    number = sum(name.encode()) + 1
    return {
        "id": number,
        "node_id": node_id("Label", number),
        "url": url,
        "name": name,
        "color": _COLORS.get(name, "ededed"),
        "default": name in _COLORS,
        "description": "",
    }


async def pull_simple(state: State, read: PullNode) -> JsonObject:
    """Give a pull request as lists hold it."""
    pull = read.pull
    closed, merged = pull.closed_at, pull.merged_at
    return {
        "id": pull.id,
        "node_id": node_id("PullRequest", pull.id),
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "title": pull.title,
        "user": user_json(state, pull.user),
        "body": pull.body,
        "created_at": timestamp(pull.created_at),
        "updated_at": timestamp(read.updated_at),
        "closed_at": timestamp(closed) if closed else None,
        "merged_at": timestamp(merged) if merged else None,
        "merge_commit_sha": pull.merge_commit_sha,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [label_json(state, pull.base, name) for name in pull.labels],
        "milestone": None,
        "head": _side(state, pull.head, pull.head_ref, read.head_sha),
        "base": _side(state, pull.base, pull.base_ref, read.base_sha),
        "author_association": await association(state, pull),
        "auto_merge": None,
        "active_lock_reason": None,
        "draft": pull.draft,
        **_urls(state, pull, read.head_sha),
    }


async def pull_full(state: State, read: PullNode, *, judged: bool = True) -> JsonObject:
    """Give a pull request in full; not `judged`, GitHub does not know yet whether it can be merged."""
    pull, files = read.pull, await read.files()
    mergeable = await _mergeable(read) if judged and pull.state == "open" else None
    return {
        **await pull_simple(state, read),
        "merged": pull.merged_at is not None,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": _mergeable_state(state, read, mergeable=mergeable),
        "merged_by": user_json(state, pull.merged_by) if pull.merged_by else None,
        "comments": len(comments_of(state, pull)),
        "review_comments": 0,
        "maintainer_can_modify": pull.from_fork,
        "commits": len(await read.commits()),
        "additions": sum(file.additions for file in files),
        "deletions": sum(file.deletions for file in files),
        "changed_files": len(files),
    }


async def _mergeable(read: PullNode) -> bool:
    return await merged_tree(read.pull.base.path, read.base_sha, read.head_sha) is not None


def required_outcomes(state: State, read: PullNode) -> dict[str, str]:
    """Give the conclusion or status of each check that GitHub requires, empty for one that never came."""
    suite = state.suite_of(read.pull.base, read.head_sha)
    runs = {run.name: run.conclusion or run.status for run in latest(state.runs_of(suite))} if suite else {}
    return {name: runs.get(name, "") for name in sorted(read.pull.base.required)}


def is_blocked(state: State, read: PullNode) -> bool:
    """Say whether a required check keeps the pull request from being merged."""
    return not PASSING.issuperset(required_outcomes(state, read).values())


def _mergeable_state(state: State, read: PullNode, *, mergeable: bool | None) -> str:
    if mergeable is None:
        return "unknown"
    if not mergeable:
        return "dirty"
    if read.pull.draft:
        return "draft"
    return "blocked" if is_blocked(state, read) else "clean"


def _side(state: State, repository: Repository, ref: str, sha: str) -> JsonObject:
    gone = repository.deleted
    return {
        "label": f"{repository.owner.login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": user_json(state, repository.owner),
        "repo": None if gone else {**repository_json(state, repository), **_EVENTS_ONLY},
    }


_EVENTS_ONLY: JsonObject = {
    "allow_squash_merge": True,
    "allow_merge_commit": True,
    "allow_rebase_merge": True,
    "delete_branch_on_merge": False,
}


def _urls(state: State, pull: PullRequest, head_sha: str) -> JsonObject:
    repository = api_url(state, f"/repos/{pull.base.full_name}")
    url, issue = f"{repository}/pulls/{pull.number}", f"{repository}/issues/{pull.number}"
    page = f"{state.base_url}/{pull.base.full_name}/pull/{pull.number}"
    links = {
        "self": url,
        "html": page,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{repository}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": f"{repository}/statuses/{head_sha}",
    }
    named = {f"{name}_url": links[name] for name in ("html", "issue", "comments", "review_comments")}
    named |= {f"{name}_url": links[name] for name in ("review_comment", "commits", "statuses")}
    hrefs = {name: {"href": link} for name, link in links.items()}
    return {
        "url": url,
        **named,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "_links": hrefs,
    }


def file_json(state: State, repository: Repository, sha: str, file: FileChange) -> JsonObject:
    """Give a changed file as file lists and comparisons hold it; `sha` is the commit it is looked at."""
    page, path = f"{state.base_url}/{repository.full_name}", quote(file.path)
    row: JsonObject = {
        "sha": None if file.sha == git.ZERO else file.sha,
        "filename": file.path,
        "status": STATUSES[file.status],
        "additions": file.additions,
        "deletions": file.deletions,
        "changes": file.additions + file.deletions,
        "blob_url": f"{page}/blob/{sha}/{path}",
        "raw_url": f"{page}/raw/{sha}/{path}",
        "contents_url": api_url(state, f"/repos/{repository.full_name}/contents/{path}?ref={sha}"),
    }
    return row if file.previous is None else {**row, "previous_filename": file.previous}
