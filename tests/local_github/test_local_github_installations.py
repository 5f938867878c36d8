from __future__ import annotations

import httpx
import pytest
from local_github_kit import Receiver

from kubeci.local.github.server import LocalGitHub


async def test_installations_come_and_go(
    github: LocalGitHub, receiver: Receiver, http: httpx.AsyncClient
) -> None:
    await github.create_repository("acme/gears")
    github.user = "boss"
    github.suspend("acme")
    refused = await http.get("/repos/acme/widgets")
    assert (refused.status_code, refused.json()["message"]) == (403, "This installation has been suspended")
    await github.push("acme/widgets", {"a": "1"})
    github.unsuspend("acme")
    assert (await http.get("/repos/acme/widgets")).status_code == 200
    github.grant("acme", contents="read", issues="")
    assert "issues" not in github.installation("acme/widgets").permissions
    github.remove_from_installation("acme/gears")
    assert (await http.get("/repos/acme/gears")).status_code == 404
    github.add_to_installation("acme/gears")
    github.uninstall("acme")
    assert (await http.get("/repos/acme/widgets")).status_code == 401
    await github.push("acme/widgets", {"a": "2"})
    github.install("acme", repositories=["gears"])
    await github.push("acme/widgets", {"a": "3"})
    await github.settled()
    assert [(name, body["action"]) for name, body, _ in receiver.events] == [
        ("installation", "suspend"),
        ("installation", "unsuspend"),
        ("installation", "new_permissions_accepted"),
        ("installation_repositories", "removed"),
        ("installation_repositories", "added"),
        ("installation", "deleted"),
        ("installation", "created"),
    ]
    suspended = receiver.named("installation", "suspend")[0]
    assert suspended["installation"]["suspended_by"]["login"] == suspended["sender"]["login"] == "boss"
    listed = receiver.named("installation", "created")[0]["repositories"]
    assert [each["full_name"] for each in listed] == ["acme/gears"]
    removed = receiver.named("installation_repositories", "removed")[0]["repositories_removed"]
    assert [each["full_name"] for each in removed] == ["acme/gears"]
    with pytest.raises(ValueError, match="is installed on acme"):
        github.install("acme")
    with pytest.raises(ValueError, match="not installed on mona"):
        github.uninstall("mona")


async def test_repositories_end(github: LocalGitHub, receiver: Receiver, http: httpx.AsyncClient) -> None:
    await github.push("acme/widgets", {"a": "1"})
    github.archive("acme/widgets")
    assert (await http.get("/repos/acme/widgets")).json()["archived"] is True
    github.unarchive("acme/widgets")
    folder = github.state.repository("acme/widgets").path  # type: ignore[union-attr]  # it was just made
    await github.delete_repository("acme/widgets")
    assert not folder.exists()
    assert (await http.get("/repos/acme/widgets")).status_code == 404
    await github.settled()
    told = [body["action"] for body in receiver.named("repository")]
    assert told == ["archived", "unarchived", "deleted"]
    assert receiver.named("repository", "deleted")[0]["repository"]["full_name"] == "acme/widgets"
