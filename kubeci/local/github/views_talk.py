"""What the pages of issues, conversations and deployments show, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kubeci.local.github.conversation import Comment, Issue, Reaction, Thread, comments_of
from kubeci.local.github.issue_payloads import thread_association
from kubeci.local.github.state import Account, State

PICTURES = {
    "+1": "👍",
    "-1": "👎",
    "laugh": "😄",
    "hooray": "🎉",
    "confused": "😕",
    "heart": "❤️",
    "rocket": "🚀",
    "eyes": "👀",
}
# The icon of a deployment's state; the word beside it is GitHub's own.
DEPLOYMENT_ICONS = {
    "success": "success",
    "failure": "failure",
    "error": "failure",
    "inactive": "skipped",
    "in_progress": "in_progress",
    "queued": "queued",
    "pending": "queued",
}


@dataclass(frozen=True, slots=True)
class Given:
    """A reaction as it is shown: the picture, how many gave it, and who."""

    content: str
    picture: str
    count: int
    logins: str


@dataclass(frozen=True, slots=True)
class Said:
    """A comment, or what an issue was opened with."""

    anchor: str
    user: Account
    association: str
    body: str
    at: datetime
    edited: bool
    reactions: list[Given]


def _given(reactions: list[Reaction]) -> list[Given]:
    shown = []
    for content, picture in PICTURES.items():
        logins = [reaction.user.login for reaction in reactions if reaction.content == content]
        if logins:
            shown.append(Given(content, picture, len(logins), ", ".join(logins)))
    return shown


async def conversation(state: State, thread: Thread) -> list[Said]:
    """List what was said, oldest first; an issue's own text is the first of it."""
    said = [await _said(state, thread, thread)] if isinstance(thread, Issue) else []
    return said + [await _said(state, thread, comment) for comment in comments_of(state, thread)]


async def _said(state: State, thread: Thread, words: Comment | Issue) -> Said:
    return Said(
        f"{'issue' if isinstance(words, Issue) else 'issuecomment'}-{words.id}",
        words.user,
        await thread_association(state, thread, words.user),
        words.body or "",
        words.created_at,
        isinstance(words, Comment) and words.updated_at > words.created_at,
        _given(state.reactions.get(words.id, [])),
    )
