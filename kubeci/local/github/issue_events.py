"""What happens on issues and in conversations, and the `issues` and `issue_comment` events that tell of it."""

from __future__ import annotations

from kubeci.local.github.conversation import Comment, Issue, Reaction, Thread, next_number
from kubeci.local.github.issue_payloads import comment_json, issue_json
from kubeci.local.github.outbox import Outbox
from kubeci.local.github.state import Account, Repository, State
from kubeci.model.json import JsonObject


class IssueEvents:
    """Does what people and the App do alike, and tells the App of it: it hears of its own comments too."""

    def __init__(self, state: State, outbox: Outbox) -> None:
        self._state = state
        self._outbox = outbox

    async def open(self, repository: Repository, user: Account, title: str, body: str | None) -> Issue:
        """Open an issue."""
        state, now = self._state, self._state.now()
        issue = Issue(
            state.new_id(), next_number(repository), repository, title, user, now, now, body or None
        )
        state.issues.append(issue)
        payload = {"action": "opened", "issue": await issue_json(state, issue)}
        self._outbox.send("issues", repository, user, payload)
        return issue

    async def comment(self, thread: Thread, user: Account, body: str) -> Comment:
        """Write a comment."""
        now = self._state.now()
        comment = Comment(self._state.new_id(), thread, user, body, now, now)
        self._state.comments[comment.id] = comment
        await self._tell(comment, "created", user)
        return comment

    async def edit(self, comment: Comment, editor: Account, body: str) -> None:
        """Change a comment's text."""
        before, comment.body, comment.updated_at = comment.body, body, self._state.now()
        await self._tell(comment, "edited", editor, {"changes": {"body": {"from": before}}})

    async def delete(self, comment: Comment, user: Account) -> None:
        """Take a comment away."""
        del self._state.comments[comment.id]
        await self._tell(comment, "deleted", user)

    def react(self, subject: int, user: Account, content: str) -> tuple[Reaction, bool]:
        """Put a reaction on what has the id `subject`; also says whether it is new. GitHub sends no event of it."""
        given = self._state.reactions.setdefault(subject, [])
        for reaction in given:
            if reaction.user == user and reaction.content == content:
                return reaction, False
        reaction = Reaction(self._state.new_id(), user, content, self._state.now())
        given.append(reaction)
        return reaction, True

    async def _tell(
        self, comment: Comment, action: str, sender: Account, more: JsonObject | None = None
    ) -> None:
        state, thread = self._state, comment.thread
        thread.updated_at = state.now()
        payload = {
            "action": action,
            "issue": await issue_json(state, thread),
            "comment": await comment_json(state, comment),
            **(more or {}),
        }
        self._outbox.send("issue_comment", thread.repository, sender, payload)
