"""What we say on pull requests and issues (docs.github.com/rest/issues/comments, docs.github.com/rest/reactions)."""

from __future__ import annotations

from kubeci.github.app import GitHubApp
from kubeci.github.request import Request
from kubeci.model.conversation import Post, Reaction
from kubeci.model.json import JsonObject
from kubeci.model.trace import StepKind
from kubeci.report.markdown import cut
from kubeci.report.plain import one_line
from kubeci.tracing import note

COMMENTS = "/repos/{owner}/{repo}/issues/{issue_number}/comments"
COMMENT_REACTIONS = "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions"
ISSUE_REACTIONS = "/repos/{owner}/{repo}/issues/{issue_number}/reactions"
MAX_COMMENT_BYTES = 65_000  # GitHub takes 65,536 characters, and our mark comes after it
PAGE = 100
MAX_PAGES = 3


class GitHubConversation:
    """Fulfils the port `Conversation`."""

    def __init__(self, app: GitHubApp) -> None:
        self._app = app

    async def react(self, post: Post, reaction: Reaction) -> None:
        """Answer a comment, or with `comment_id` 0 the text of an issue, with a reaction; a repetition changes nothing."""
        route = COMMENT_REACTIONS if post.comment_id else ISSUE_REACTIONS
        parameters = {"comment_id": post.comment_id, "issue_number": post.number}
        request = Request("POST", route, parameters=parameters, body={"content": reaction}, repeatable=True)
        await self._app.send(post.repository, request)
        note(StepKind.REPORTED, f"reaction {reaction} on #{post.number}")

    async def reply(self, post: Post, text: str) -> None:
        """Write the comment that answers a post, once: where our answer stands already, nothing is written.

        The answer carries a mark that nobody sees, by which it is found again when ours was lost on the way.
        """
        mark = f"<!-- kube-ci answers {post.comment_id or 'the issue'} -->"
        if await self._has(post, mark):
            note(StepKind.REPORTED, f"comment on #{post.number}: was there already")
            return
        body: JsonObject = {"body": f"{cut(text, MAX_COMMENT_BYTES)}\n\n{mark}"}
        request = Request("POST", COMMENTS, parameters={"issue_number": post.number}, body=body)
        await self._app.send(post.repository, request)
        note(StepKind.REPORTED, f"comment on #{post.number}: {one_line(text)}")

    async def _has(self, post: Post, mark: str) -> bool:
        since = post.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        for page in range(1, MAX_PAGES + 1):
            request = Request(
                "GET",
                COMMENTS,
                parameters={"issue_number": post.number},
                query={"since": since, "per_page": PAGE, "page": page},
                repeatable=True,
            )
            comments = await self._app.send(post.repository, request)
            if any(self._is_ours(comment) and mark in (comment.get("body") or "") for comment in comments):
                return True
            if len(comments) < PAGE:
                break
        return False

    def _is_ours(self, comment: JsonObject) -> bool:
        return (comment.get("performed_via_github_app") or {}).get("id") == self._app.app_id
