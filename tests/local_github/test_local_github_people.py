from __future__ import annotations

import httpx
import pytest
from local_github_kit import Receiver, token

from kubeci.local.github.server import LocalGitHub
from kubeci.local.github.state import Role

REPO = "/repos/acme/widgets"


@pytest.fixture
async def people(github: LocalGitHub) -> None:
    """One of each kind of people."""
    await github.push("acme/widgets", {"a": "1"})
    github.member("acme", "ada")
    github.member("acme", "shy", public=False)
    github.member("acme", "boss", owner=True)
    roles: tuple[Role, ...] = ("admin", "maintain", "write", "triage", "read")
    for role in roles:
        github.collaborator("acme/widgets", f"{role}-bob", role)
    github.state.user("stranger")
    await github.create_repository("acme/secret", private=True)
    github.collaborator("acme/secret", "read-bob", "read")


ROLES = {
    "ada": ("read", "read"),
    "boss": ("admin", "admin"),
    "octocat": ("admin", "admin"),
    "admin-bob": ("admin", "admin"),
    "maintain-bob": ("write", "maintain"),
    "write-bob": ("write", "write"),
    "triage-bob": ("read", "triage"),
    "read-bob": ("read", "read"),
    "stranger": ("read", "read"),
}
SECRET_ROLES = {"ada": "read", "read-bob": "read", "stranger": "none", "write-bob": "none"}


@pytest.mark.usefixtures("people")
async def test_permissions(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    for login, expected in ROLES.items():
        answer = (await http.get(f"{REPO}/collaborators/{login}/permission")).json()
        assert (answer["permission"], answer["role_name"]) == expected, login
        assert answer["user"]["login"] == login
        assert answer["user"]["permissions"]["push"] is (expected[0] in {"admin", "write"}), login
    for login, role in SECRET_ROLES.items():
        answer = (await http.get(f"/repos/acme/secret/collaborators/{login}/permission")).json()
        assert answer["permission"] == role, login
    for path in ("nobody/permission", "acme/permission", "nobody", "stranger"):
        assert (await http.get(f"{REPO}/collaborators/{path}")).status_code == 404, path
    for login in ("ada", "read-bob"):
        assert (await http.get(f"{REPO}/collaborators/{login}")).status_code == 204, login
    github.collaborator("acme/widgets", "write-bob", "none")
    assert (await http.get(f"{REPO}/collaborators/write-bob")).status_code == 404
    await github.create_repository("mona/dotfiles", owner_type="User")
    with pytest.raises(ValueError, match="no organisation"):
        github.member("mona", "ada")


@pytest.mark.usefixtures("people")
async def test_members(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    async def status(login: str, organization: str = "acme") -> int:
        return (await http.get(f"/orgs/{organization}/members/{login}")).status_code

    found = {login: await status(login) for login in ("ada", "shy", "boss", "write-bob", "nobody")}
    assert found == {"ada": 204, "shy": 204, "boss": 204, "write-bob": 404, "nobody": 404}
    assert await status("ada", "nothing") == 404
    await github.create_repository("other/things")
    assert await status("ada", "other") == 302
    http.headers["authorization"] = f"Bearer {await token(github, permissions={'checks': 'read'})}"
    for login, known in (("ada", 204), ("shy", 404), ("nobody", 404)):
        sent = await http.get(f"/orgs/acme/members/{login}")
        assert sent.status_code == 302
        assert (await http.get(sent.headers["location"])).status_code == known, login
    github.remove_member("acme", "ada")
    assert (await http.get("/orgs/acme/public_members/ada")).status_code == 404


ASSOCIATIONS = {
    "ada": "MEMBER",
    "shy": "FIRST_TIME_CONTRIBUTOR",
    "write-bob": "COLLABORATOR",
    "octocat": "MEMBER",
    "carl": "CONTRIBUTOR",
    "stranger": "FIRST_TIME_CONTRIBUTOR",
    "helper[bot]": "NONE",
}


@pytest.mark.usefixtures("people")
async def test_author_associations_and_bots(github: LocalGitHub, receiver: Receiver) -> None:
    github.user = "carl"
    await github.push("acme/widgets", {"carl": "1"})
    for number, login in enumerate(ASSOCIATIONS):
        github.user = login
        await github.push("acme/widgets", {"x": login}, branch=f"topic-{number}", base="main")
        await github.open_pull_request("acme/widgets", head=f"topic-{number}")
    await github.settled()
    opened = [body["pull_request"] for body in receiver.named("pull_request", "opened")]
    assert {pull["user"]["login"]: pull["author_association"] for pull in opened} == ASSOCIATIONS
    senders = {body["sender"]["login"]: body["sender"]["type"] for body in receiver.named("pull_request")}
    assert (senders["helper[bot]"], senders["ada"]) == ("Bot", "User")


async def test_the_owner_of_a_repository(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    await github.create_repository("mona/dotfiles", owner_type="User")
    github.user = "mona"
    await github.push("mona/dotfiles", {"a": "1"})
    await github.push("mona/dotfiles", {"a": "2"}, branch="topic")
    pull = await github.open_pull_request("mona/dotfiles", head="topic")
    await github.settled()
    assert github.deliveries.sent[-1].payload["pull_request"]["author_association"] == "OWNER"
    assert "organization" not in github.deliveries.sent[-1].payload
    assert pull.user == pull.base.owner
    assert (await http.get("/repos/mona/dotfiles/collaborators/mona/permission")).status_code == 404
    await github.create_repository("octocat/hello", owner_type="User")
    assert github.installation("octocat/hello").account.login == "octocat", "who acted before too"
    await github.fork("acme/widgets", "shy")
    with pytest.raises(ValueError, match="not installed on shy"):
        github.installation("shy/widgets")
