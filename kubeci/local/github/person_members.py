"""Words for who belongs to whom: members, collaborators, required checks."""

from __future__ import annotations

from collections.abc import Iterable

from kubeci.local.github.person import Person
from kubeci.local.github.state import Account, Member, Role


class Membership(Person):
    """Grants and takes roles; GitHub's events of that are not ones that the App hears."""

    def member(self, organization: str, login: str, *, public: bool = True, owner: bool = False) -> Account:
        """Make somebody a member of an organisation, or change how; gives the account."""
        account = self.state.user(login)
        found = self.state.account(organization)
        if found.type != "Organization":
            raise ValueError(f"{organization} is no organisation")
        self.state.members[found.id, account.id] = Member(public, owner)
        return account

    def remove_member(self, organization: str, login: str) -> None:
        """End a membership."""
        self.state.members.pop((self.state.account(organization).id, self.state.user(login).id), None)

    def collaborator(self, full_name: str, login: str, role: Role = "write") -> Account:
        """Give somebody a role on a repository, `none` to take it away; gives the account."""
        account = self.state.user(login)
        self.state.collaborators[self._repository(full_name).id, account.id] = role
        return account

    def require(self, full_name: str, checks: Iterable[str]) -> None:
        """Name the checks without which nothing is merged into a repository's branches."""
        self._repository(full_name).required = set(checks)
