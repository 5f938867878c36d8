"""Issues, comments and reactions over REST.

A pull request is an issue too: what is said there needs the permission for issues or for pull requests, on an
issue only the first (docs.github.com, "Permissions required for GitHub Apps").
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.responses import Response

from kubeci.local.github.calls import Call, Operation, no_integration
from kubeci.local.github.conversation import REACTIONS, Comment, Issue, Thread, comments_of, find_thread
from kubeci.local.github.errors import invalid_field, invalid_request, not_found
from kubeci.local.github.issue_payloads import comment_json, issue_json, reaction_json
from kubeci.local.github.person_issues import TEXT_LIMIT


def _thread(call: Call, level: str) -> Thread:
    found = find_thread(call.state, call.repository, call.number("issue_number"))
    if found is None:
        raise not_found()
    return _allowed(call, found, level)


def _comment(call: Call, level: str) -> Comment:
    found = call.state.comments.get(call.number("comment_id"))
    if found is None or found.thread.repository is not call.repository:
        raise not_found()
    _allowed(call, found.thread, level)
    return found


def _allowed(call: Call, thread: Thread, level: str) -> Thread:
    if isinstance(thread, Issue) and not call.may(f"issues:{level}"):
        raise no_integration()
    return thread


def _body(call: Call) -> str:
    if "body" not in call.body:
        raise invalid_request('"body" wasn\'t supplied.')
    body: Any = call.body["body"]
    if not isinstance(body, str):
        raise invalid_request(f"For 'properties/body', {body!r} is not a string.")
    if not body.strip():
        raise invalid_field("IssueComment", "data", "unprocessable", "Body cannot be blank")
    if len(body) > TEXT_LIMIT:
        message = f"Body is too long (maximum is {TEXT_LIMIT} characters)"
        raise invalid_field("IssueComment", "data", "unprocessable", message)
    return body


async def get_issue(call: Call) -> Response:
    """Answer `GET …/issues/{issue_number}`."""
    return call.answer(await issue_json(call.state, _thread(call, "read")))


async def list_comments(call: Call) -> Response:
    """Answer `GET …/issues/{issue_number}/comments`, oldest first; `since` leaves out what did not change."""
    comments, since = comments_of(call.state, _thread(call, "read")), call.query("since")
    if since:
        try:
            moment = datetime.fromisoformat(since)
        except ValueError:
            raise invalid_field("IssueComment", "since") from None
        if moment.tzinfo is not None:
            comments = [comment for comment in comments if comment.updated_at >= moment]
    return call.answer([await comment_json(call.state, each) for each in call.page(comments)])


async def create_comment(call: Call) -> Response:
    """Answer `POST …/issues/{issue_number}/comments`."""
    thread, body = _thread(call, "write"), _body(call)
    comment = await call.services.events.issues.comment(thread, call.sender, body)
    answer = await comment_json(call.state, comment)
    call.headers["location"] = answer["url"]
    return call.answer(answer, 201)


async def get_comment(call: Call) -> Response:
    """Answer `GET …/issues/comments/{comment_id}`."""
    return call.answer(await comment_json(call.state, _comment(call, "read")))


async def update_comment(call: Call) -> Response:
    """Answer `PATCH …/issues/comments/{comment_id}`."""
    comment, body = _comment(call, "write"), _body(call)
    await call.services.events.issues.edit(comment, call.sender, body)
    return call.answer(await comment_json(call.state, comment))


async def delete_comment(call: Call) -> Response:
    """Answer `DELETE …/issues/comments/{comment_id}`."""
    await call.services.events.issues.delete(_comment(call, "write"), call.sender)
    return Response(status_code=204)


def _react(call: Call, subject: int) -> Response:
    if "content" not in call.body:
        raise invalid_request('"content" wasn\'t supplied.')
    content: Any = call.body["content"]
    if content not in REACTIONS:
        raise invalid_field("Reaction", "content")
    reaction, new = call.services.events.issues.react(subject, call.sender, content)
    return call.answer(reaction_json(call.state, reaction), 201 if new else 200)


def _reactions(call: Call, subject: int) -> Response:
    wanted = call.query("content")
    given = [each for each in call.state.reactions.get(subject, []) if wanted in {"", each.content}]
    return call.answer([reaction_json(call.state, each) for each in call.page(given)])


async def react_to_comment(call: Call) -> Response:
    """Answer `POST …/issues/comments/{comment_id}/reactions`: 200 for a reaction that is there."""
    return _react(call, _comment(call, "write").id)


async def react_to_issue(call: Call) -> Response:
    """Answer `POST …/issues/{issue_number}/reactions`: 200 for a reaction that is there."""
    return _react(call, _thread(call, "write").id)


async def comment_reactions(call: Call) -> Response:
    """Answer `GET …/issues/comments/{comment_id}/reactions`."""
    return _reactions(call, _comment(call, "read").id)


async def issue_reactions(call: Call) -> Response:
    """Answer `GET …/issues/{issue_number}/reactions`."""
    return _reactions(call, _thread(call, "read").id)


_ISSUES = "/repos/{owner}/{repo}/issues"
_ISSUE, _COMMENT = f"{_ISSUES}/{{issue_number}}", f"{_ISSUES}/comments/{{comment_id}}"
_READ, _WRITE = "issues:read|pull_requests:read", "issues:write|pull_requests:write"
OPERATIONS = [
    Operation("GET", _COMMENT, get_comment, _READ),
    Operation("PATCH", _COMMENT, update_comment, _WRITE, creates=True),
    Operation("DELETE", _COMMENT, delete_comment, _WRITE),
    Operation("GET", f"{_COMMENT}/reactions", comment_reactions, _READ),
    Operation("POST", f"{_COMMENT}/reactions", react_to_comment, _WRITE, creates=True),
    Operation("GET", _ISSUE, get_issue, _READ),
    Operation("GET", f"{_ISSUE}/comments", list_comments, _READ),
    Operation("POST", f"{_ISSUE}/comments", create_comment, _WRITE, creates=True),
    Operation("GET", f"{_ISSUE}/reactions", issue_reactions, _READ),
    Operation("POST", f"{_ISSUE}/reactions", react_to_issue, _WRITE, creates=True),
]
