"""Members and collaborators over REST."""

from __future__ import annotations

from starlette.responses import Response

from kubeci.local.github.auth import grants
from kubeci.local.github.calls import Call, Operation
from kubeci.local.github.errors import not_found
from kubeci.local.github.memberships import RANKS, permission_of, role_of
from kubeci.local.github.payloads import api_url, user_json
from kubeci.local.github.state import Account, Member, Role

_LEVELS: dict[str, Role] = {
    "pull": "read",
    "triage": "triage",
    "push": "write",
    "maintain": "maintain",
    "admin": "admin",
}


def _user(call: Call) -> Account:
    found = call.state.accounts.get(call.text("username").lower())
    if found is None or found.type == "Organization":
        raise not_found()
    return found


async def get_permission(call: Call) -> Response:
    """Answer `GET …/collaborators/{username}/permission`."""
    user = _user(call)
    role = role_of(call.state, call.repository, user)
    rank = RANKS.index(role)
    permissions = {name: rank >= RANKS.index(level) for name, level in _LEVELS.items()}
    body = {**user_json(call.state, user), "permissions": permissions, "role_name": role}
    return call.answer({"permission": permission_of(role), "role_name": role, "user": body})


async def is_collaborator(call: Call) -> Response:
    """Answer `GET …/collaborators/{username}`: 204 or 404."""
    user, repository = _user(call), call.repository
    known = (
        user == repository.owner
        or (repository.owner.id, user.id) in call.state.members
        or call.state.collaborators.get((repository.id, user.id), "none") != "none"
    )
    return _yes_or_no(known)


def _yes_or_no(known: bool) -> Response:  # noqa: FBT001 - it is the whole question
    """Answer a question of yes or no, which has no body either way."""
    return Response(status_code=204 if known else 404)


def _organization(call: Call) -> Account:
    found = call.state.accounts.get(call.text("org").lower())
    if found is None or found.type != "Organization":
        raise not_found()
    return found


def _member(call: Call, organization: Account) -> Member | None:
    found = call.state.accounts.get(call.text("username").lower())
    return None if found is None else call.state.members.get((organization.id, found.id))


async def is_member(call: Call) -> Response:
    """Answer `GET /orgs/{org}/members/{username}`: 204, 404, or 302 to the public members for who may not read all."""
    organization, token = _organization(call), call.token
    installation = call.state.installation_of(organization)
    inside = (
        token is not None
        and installation is not None
        and token.installation_id == installation.id
        and grants(token.permissions, "members:read")
    )
    if not inside:
        public = f"/orgs/{organization.login}/public_members/{call.text('username')}"
        return Response(status_code=302, headers={"location": api_url(call.state, public)})
    return _yes_or_no(_member(call, organization) is not None)


async def is_public_member(call: Call) -> Response:
    """Answer `GET /orgs/{org}/public_members/{username}`: 204 or 404."""
    member = _member(call, _organization(call))
    return _yes_or_no(member is not None and member.public)


_REPO = "/repos/{owner}/{repo}"
OPERATIONS = [
    Operation("GET", f"{_REPO}/collaborators/{{username}}", is_collaborator),
    Operation("GET", f"{_REPO}/collaborators/{{username}}/permission", get_permission),
    Operation("GET", "/orgs/{org}/members/{username}", is_member),
    Operation("GET", "/orgs/{org}/public_members/{username}", is_public_member),
]
