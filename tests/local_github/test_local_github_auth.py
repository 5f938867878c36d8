from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import jwt
from local_github_kit import Clock, key_of, token

from kubeci.local.github.auth import App, new_app
from kubeci.local.github.server import LocalGitHub


def signed(app: App, clock: Clock, **changes: Any) -> str:
    now = int(clock().timestamp())
    claims = {"iss": str(app.id), "iat": now - 60, "exp": now + 540, **changes}
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, key_of(app), algorithm="RS256")


JWTS: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"iss": "8"}, "A JSON web token could not be decoded"),
    ({"iss": None}, "A JSON web token could not be decoded"),
    ({"exp": 0}, "'Expiration time' claim ('exp') must be a numeric value"),
    ({"exp": None}, "'Expiration time' claim ('exp') must be a numeric value"),
    ({"exp": 1 << 40}, "'Expiration time' claim ('exp') is too far in the future"),
    ({"iat": None}, "'Issued at' claim ('iat') must be an Integer"),
    ({"iat": 1 << 40}, "'Issued at' claim ('iat') must be an Integer"),
]


async def test_the_apps_jwt_is_checked(github: LocalGitHub, clock: Clock, http: httpx.AsyncClient) -> None:
    for changes, message in JWTS:
        credential = signed(github.app, clock, **changes)
        answer = await http.get("/app", headers={"authorization": f"Bearer {credential}"})
        assert answer.status_code == (401 if message else 200), changes
        assert message is None or answer.json()["message"].startswith(message), changes


async def test_a_foreign_key_an_unsigned_jwt_and_no_credentials_are_refused(
    github: LocalGitHub, clock: Clock, http: httpx.AsyncClient
) -> None:
    foreign = new_app(app_id=github.app.id)
    unsigned = jwt.encode({"iss": "7", "iat": 1, "exp": 2}, None, algorithm="none")
    for credential in (signed(foreign, clock), unsigned, "a.b.c", "ghs_guess"):
        answer = await http.get("/app", headers={"authorization": f"Bearer {credential}"})
        assert answer.status_code == 401, credential
    del http.headers["authorization"]
    assert (await http.get("/repos/acme/widgets")).status_code == 401


async def test_a_token_ends_after_an_hour_or_when_revoked(clock: Clock, http: httpx.AsyncClient) -> None:
    assert (await http.get("/repos/acme/widgets")).status_code == 200
    clock.advance(minutes=61)
    answer = await http.get("/repos/acme/widgets")
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")
    clock.moment -= timedelta(minutes=61)
    assert (await http.delete("/installation/token")).status_code == 204
    assert (await http.get("/repos/acme/widgets")).status_code == 401


async def test_a_narrowed_token_reaches_no_further(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    gears = await github.create_repository("acme/gears")
    await github.create_repository("other/things")
    sha = await github.push("acme/gears", {"a": "b"})
    by_name = await token(github, repositories=["widgets"], permissions={"checks": "write"})
    by_id = await token(github, repository_ids=[gears.id], permissions={"checks": "read"})

    async def status(credential: str, method: str, path: str, **body: Any) -> int:
        headers = {"authorization": f"token {credential}"}
        return (await http.request(method, path, headers=headers, json=body or None)).status_code

    assert await status(by_name, "GET", "/repos/acme/widgets") == 200
    assert await status(by_name, "GET", "/repos/acme/gears") == 404
    assert await status(by_id, "GET", "/repos/acme/gears") == 200
    assert await status(by_id, "GET", "/repos/acme/widgets") == 404
    assert await status(by_id, "GET", "/repos/other/things") == 404
    assert await status(by_id, "GET", "/repos/acme/gears/contents/a") == 403
    assert await status(by_id, "POST", "/repos/acme/gears/check-runs", name="x", head_sha=sha) == 403
    assert await status(by_id, "GET", f"/repos/acme/gears/commits/{sha}/check-runs") == 200
    listed = await http.get("/installation/repositories", headers={"authorization": f"token {by_id}"})
    assert [r["full_name"] for r in listed.json()["repositories"]] == ["acme/gears"]


TOO_MUCH: list[dict[str, Any]] = [
    {"permissions": {"administration": "write"}},
    {"permissions": {"members": "write"}},
    {"repositories": ["nothing"]},
    {"repository_ids": [1]},
    {"repository_ids": [{}]},
    {"repositories": "widgets"},
    {"permissions": ["checks"]},
    {"repos": ["widgets"]},
]


async def test_a_token_cannot_hold_more_than_its_installation(
    github: LocalGitHub, clock: Clock, http: httpx.AsyncClient
) -> None:
    path = f"/app/installations/{github.installation('acme/widgets').id}/access_tokens"
    http.headers["authorization"] = f"Bearer {signed(github.app, clock)}"
    for narrowing in TOO_MUCH:
        assert (await http.post(path, json=narrowing)).status_code == 422, narrowing


async def test_the_app_finds_its_installations(
    github: LocalGitHub, clock: Clock, http: httpx.AsyncClient
) -> None:
    await github.create_repository("someone/dotfiles", owner_type="User")
    http.headers["authorization"] = f"Bearer {signed(github.app, clock)}"
    found = (await http.get("/repos/someone/dotfiles/installation")).json()
    assert (found["target_type"], found["account"]["login"]) == ("User", "someone")
    assert found["id"] in [each["id"] for each in (await http.get("/app/installations")).json()]
    assert (await http.get(f"/app/installations/{found['id']}")).json() == found
    assert (await http.get("/app/installations/1")).status_code == 404
    github.state.installations[found["id"]].repositories = set()
    assert (await http.get("/repos/someone/dotfiles/installation")).status_code == 404
