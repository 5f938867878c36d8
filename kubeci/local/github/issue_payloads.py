"""Issues, comments and reactions as GitHub's JSON, the same in REST answers and webhooks."""

from __future__ import annotations

from kubeci.local.github.conversation import REACTIONS, Comment, Issue, Reaction, Thread, comments_of
from kubeci.local.github.memberships import association, association_of
from kubeci.local.github.payloads import api_url, node_id, performed_by, user_json
from kubeci.local.github.pull_payloads import label_json
from kubeci.local.github.state import Account, State, timestamp
from kubeci.model.json import JsonObject


async def issue_json(state: State, thread: Thread) -> JsonObject:
    """Give an issue, or a pull request as the issue that it also is: only that has a `pull_request`."""
    name = thread.repository.full_name
    repository, page = api_url(state, f"/repos/{name}"), f"{state.base_url}/{name}"
    url, closed = f"{repository}/issues/{thread.number}", thread.closed_at
    body: JsonObject = {
        "url": url,
        "repository_url": repository,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": f"{page}/issues/{thread.number}",
        "id": thread.id,
        "node_id": node_id("Issue" if isinstance(thread, Issue) else "PullRequest", thread.id),
        "number": thread.number,
        "title": thread.title,
        "user": user_json(state, thread.user),
        "labels": [label_json(state, thread.repository, label) for label in thread.labels],
        "state": thread.state,
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": len(comments_of(state, thread)),
        "created_at": timestamp(thread.created_at),
        "updated_at": timestamp(thread.updated_at),
        "closed_at": timestamp(closed) if closed else None,
        "author_association": await thread_association(state, thread, thread.user),
        "active_lock_reason": None,
        "body": thread.body,
        "reactions": _rollup(state, thread.id, url),
        "timeline_url": f"{url}/timeline",
        "performed_via_github_app": performed_by(state, thread.user),
        "state_reason": "completed" if closed and isinstance(thread, Issue) else None,
        "draft": False,
    }
    if not isinstance(thread, Issue):
        pull, merged = f"{page}/pull/{thread.number}", thread.merged_at
        body |= {
            "html_url": pull,
            "draft": thread.draft,
            "pull_request": {
                "url": f"{repository}/pulls/{thread.number}",
                "html_url": pull,
                "diff_url": f"{pull}.diff",
                "patch_url": f"{pull}.patch",
                "merged_at": timestamp(merged) if merged else None,
            },
        }
    return body


async def comment_json(state: State, comment: Comment) -> JsonObject:
    """Give a comment."""
    thread = comment.thread
    name, kind = thread.repository.full_name, "issues" if isinstance(thread, Issue) else "pull"
    repository = api_url(state, f"/repos/{name}")
    url = f"{repository}/issues/comments/{comment.id}"
    return {
        "url": url,
        "html_url": f"{state.base_url}/{name}/{kind}/{thread.number}#issuecomment-{comment.id}",
        "issue_url": f"{repository}/issues/{thread.number}",
        "id": comment.id,
        "node_id": node_id("IssueComment", comment.id),
        "user": user_json(state, comment.user),
        "created_at": timestamp(comment.created_at),
        "updated_at": timestamp(comment.updated_at),
        "author_association": await thread_association(state, thread, comment.user),
        "body": comment.body,
        "reactions": _rollup(state, comment.id, url),
        "performed_via_github_app": performed_by(state, comment.user),
    }


def reaction_json(state: State, reaction: Reaction) -> JsonObject:
    """Give a reaction."""
    return {
        "id": reaction.id,
        "node_id": node_id("Reaction", reaction.id),
        "user": user_json(state, reaction.user),
        "content": reaction.content,
        "created_at": timestamp(reaction.created_at),
    }


async def thread_association(state: State, thread: Thread, author: Account) -> str:
    """Give the `author_association` of who wrote on an issue or a pull request, or opened it."""
    if not isinstance(thread, Issue) and author == thread.user:
        return await association(state, thread)
    return await association_of(state, thread.repository, author)


def _rollup(state: State, subject: int, url: str) -> JsonObject:
    given = [reaction.content for reaction in state.reactions.get(subject, [])]
    counts = {content: given.count(content) for content in REACTIONS}
    return {"url": f"{url}/reactions", "total_count": len(given), **counts}
