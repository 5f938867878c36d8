"""Who somebody is to a repository: role, permission, association."""

from __future__ import annotations

from kubeci.local.github import git
from kubeci.local.github.history import has_author
from kubeci.local.github.state import Account, PullRequest, Repository, Role, State

RANKS: tuple[Role, ...] = ("none", "read", "triage", "write", "maintain", "admin")
# The legacy word for a role: docs.github.com, "Get repository permissions for a user".
PERMISSIONS: dict[Role, Role] = {"maintain": "write", "triage": "read"}


def role_of(state: State, repository: Repository, account: Account) -> Role:
    """Give the highest role that somebody has: as owner, member, collaborator, or as anybody on a public repository."""
    roles: list[Role] = ["none" if repository.private else "read"]
    if account == repository.owner:
        roles.append("admin")
    member = state.members.get((repository.owner.id, account.id))
    if member is not None:
        roles.append("admin" if member.owner else "read")
    roles.append(state.collaborators.get((repository.id, account.id), "none"))
    return max(roles, key=RANKS.index)


def permission_of(role: Role) -> Role:
    """Give a role as one of admin, write, read and none."""
    return PERMISSIONS.get(role, role)


def may_write(state: State, repository: Repository, account: Account) -> bool:
    """Say whether somebody may push to a repository."""
    return permission_of(role_of(state, repository, account)) in {"admin", "write"}


async def association_of(state: State, repository: Repository, author: Account) -> str:
    """Give the `author_association` of who wrote an issue or a comment.

    A member who keeps the membership private counts as if there were none, which is why nobody should
    decide by this word.
    """
    if author == repository.owner:
        return "OWNER"
    member = state.members.get((repository.owner.id, author.id))
    if member is not None and member.public:
        return "MEMBER"
    if state.collaborators.get((repository.id, author.id), "none") != "none":
        return "COLLABORATOR"
    return "CONTRIBUTOR" if await _committed(repository, author) else "NONE"


async def association(state: State, pull: PullRequest) -> str:
    """Give a pull request's `author_association`, which alone knows a first contribution."""
    found = await association_of(state, pull.base, pull.user)
    first = found == "NONE" and pull.user.type != "Bot"
    return "FIRST_TIME_CONTRIBUTOR" if first else found


async def _committed(repository: Repository, author: Account) -> bool:
    """Say whether the default branch holds a commit of somebody."""
    branch = f"refs/heads/{repository.default_branch}"
    if branch not in await git.refs(repository.path, branch):
        return False
    return await has_author(repository.path, branch, f"{author.login}@users.noreply.github.com")
