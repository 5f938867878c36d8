"""Words for issues and conversations: open, comment, edit, delete."""

from __future__ import annotations

from kubeci.local.github.conversation import Comment, Issue, find_thread
from kubeci.local.github.memberships import may_write, role_of
from kubeci.local.github.person import Person
from kubeci.local.github.state import Account, Repository

TEXT_LIMIT = 65_536  # characters of a body, as the service enforces it


class Conversing(Person):
    """What people say; delivered as `issues` and `issue_comment`."""

    async def open_issue(
        self, repository: str, title: str, body: str = "", *, by: str | None = None
    ) -> Issue:
        """Open an issue in `owner/name`; ValueError without a title, and for who may not read the repository."""
        found, user = self._writable(repository), self._by(by)
        self._may_talk(found, user)
        if not title.strip():
            raise ValueError("an issue needs a title")
        return await self.events.issues.open(found, user, title, _text(body))

    async def comment(self, repository: str, number: int, body: str, *, by: str | None = None) -> Comment:
        """Comment on the issue or pull request of a number; ValueError for an empty text."""
        found, user = self._writable(repository), self._by(by)
        self._may_talk(found, user)
        thread = find_thread(self.state, found, number)
        if thread is None:
            raise ValueError(f"{repository} has no issue or pull request {number}")
        if not body.strip():
            raise ValueError("a comment cannot be blank")
        return await self.events.issues.comment(thread, user, _text(body))

    async def edit_comment(
        self, repository: str, comment_id: int, body: str, *, by: str | None = None
    ) -> None:
        """Change a comment's text, as its author or as who may write; else ValueError."""
        comment = self._comment(repository, comment_id, self._by(by))
        if not body.strip():
            raise ValueError("a comment cannot be blank")
        await self.events.issues.edit(comment, self._by(by), _text(body))

    async def delete_comment(self, repository: str, comment_id: int, *, by: str | None = None) -> None:
        """Take a comment away, as its author or as who may write; else ValueError."""
        user = self._by(by)
        await self.events.issues.delete(self._comment(repository, comment_id, user), user)

    def _comment(self, repository: str, comment_id: int, user: Account) -> Comment:
        found, comment = self._writable(repository), self.state.comments.get(comment_id)
        self._may_talk(found, user)
        if comment is None or comment.thread.repository is not found:
            raise ValueError(f"{repository} has no comment {comment_id}")
        if comment.user != user and not may_write(self.state, found, user):
            raise ValueError(f"{user.login} may not change a comment of {comment.user.login}")
        return comment

    def _may_talk(self, repository: Repository, user: Account) -> None:
        if role_of(self.state, repository, user) == "none":
            raise ValueError(f"{user.login} may not read {repository.full_name}")


def _text(body: str) -> str:
    if len(body) > TEXT_LIMIT:
        raise ValueError(f"a text has at most {TEXT_LIMIT} characters")
    return body
