"""An App made from a manifest: what is refused, one code for one App, and a key that authenticates."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from local_github_kit import PLAIN, Clock

from kubeci.github.private_key import read_private_key
from kubeci.local.github.app_manifest import EVENTS, PERMISSIONS, read_manifest, slug_of
from kubeci.local.github.server import LocalGitHub
from kubeci.local.github.state import ALL_PERMISSIONS
from kubeci.model.app_needs import EVENTS as WANTED
from kubeci.model.app_needs import wanted_permissions

BACK = "http://127.0.0.1:4711/back"
MANIFEST: dict[str, Any] = {
    "name": "Our CI",
    "url": "https://ci.example.com",
    "hook_attributes": {"url": "https://ci.example.com/hook"},
    "redirect_url": BACK,
    "default_permissions": {"checks": "write", "contents": "read"},
    "default_events": ["check_run", "push"],
}
NEW = "/organizations/acme/settings/apps/new?state=s%26t"
HOSTILE = '"><script>alert(1)</script>'


def given(**changes: Any) -> str:
    return json.dumps({**MANIFEST, **changes})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the manifest is no JSON"),
        ("[" * 100_000, "the manifest is no JSON"),
        ("[]", "the manifest must be JSON's object"),
        (given(url=""), "url must be a URL"),
        (given(url=7), "url must be JSON's string"),
        (given(url="ftp://h"), "url must be a URL"),
        (given(redirect_url="javascript:alert(1)"), "redirect_url must be a URL"),
        (given(redirect_url="http://[::1"), "redirect_url must be a URL"),
        (given(hook_attributes=[]), "hook_attributes must be JSON's object"),
        (given(hook_attributes={}), "url must be a URL"),
        (given(default_permissions=["checks"]), "default_permissions must be JSON's object"),
        (given(default_permissions={"check": "write"}), "not included in the list: check: write"),
        (given(default_permissions={"checks": "admin"}), "not included in the list: checks: admin"),
        (given(default_permissions={"checks": ["write"]}), "not included in the list"),
        (given(default_events="push"), "default_events must be JSON's array"),
        (given(default_events=["pushed"]), "Default events unsupported: pushed"),
        (given(default_events=[["push"]]), "Default events unsupported"),
        (given(default_events=["issues"]), "not supported by permissions: issues needs issues"),
    ],
)
def test_what_github_would_not_take(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        read_manifest(text)


@pytest.mark.parametrize(
    ("name", "slug"), [("Our CI", "our-ci"), ("kubeci-acme", "kubeci-acme"), ("Ä!", ""), ("x" * 35, "")]
)
def test_names(name: str, slug: str) -> None:
    if slug:
        assert slug_of(name) == slug
        return
    with pytest.raises(ValueError, match=r"(?i)name"):
        slug_of(name)


def test_what_kubeci_needs_can_be_asked_for() -> None:
    text = given(default_permissions=wanted_permissions(), default_events=[each.event for each in WANTED])
    manifest = read_manifest(text)
    assert manifest.permissions == wanted_permissions() == ALL_PERMISSIONS
    for each in WANTED:
        assert each.permission in {*EVENTS[each.event], "metadata"}
    assert set(manifest.permissions) <= set(PERMISSIONS)


@pytest.fixture
async def browser(github: LocalGitHub) -> Any:
    async with httpx.AsyncClient(trust_env=False, verify=PLAIN, base_url=github.base_url) as client:
        yield client


def fields_of(page: str) -> dict[str, str]:
    found = re.findall(r'<input [^>]*name="(manifest|state|name)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


async def agreed(browser: httpx.AsyncClient, **changes: Any) -> str:
    """Go the way to the code."""
    page = await browser.post(NEW, data={"manifest": given(**changes)}, headers={"origin": "http://other"})
    answer = await browser.post(NEW.partition("?")[0].replace("new", "manifest"), data=fields_of(page.text))
    assert answer.status_code == 302, answer.text
    address = urlsplit(answer.headers["location"])
    assert address._replace(query="").geturl() == BACK
    query = parse_qs(address.query)
    assert query["state"] == ["s&t"]
    return query["code"][0]


async def converted(github: LocalGitHub, code: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, verify=PLAIN, base_url=github.api_url) as client:
        return await client.post(f"/app-manifests/{code}/conversions")


async def test_a_person_agrees_before_anything_is_made(
    github: LocalGitHub, browser: httpx.AsyncClient
) -> None:
    page = await browser.post(NEW, data={"manifest": given(name=HOSTILE, url="https://x/'\"<b>")})
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "<b>'" not in page.text
    assert "form-action 'self' http://127.0.0.1:4711;" in page.headers["content-security-policy"]
    assert github.made_apps.by_slug == {}
    # Another site's page can propose, and cannot agree.
    data = fields_of(page.text) | {"name": "Mine"}
    answer = await browser.post("/settings/apps/manifest", data=data, headers={"origin": "http://evil"})
    assert answer.status_code == 403


async def test_a_code_makes_one_app_within_the_hour(
    github: LocalGitHub, browser: httpx.AsyncClient, clock: Clock
) -> None:
    code = await agreed(browser)
    answer = await converted(github, code)
    assert answer.status_code == 201
    assert (await converted(github, code)).status_code == 404
    assert (await converted(github, "0" * 40)).status_code == 404
    late = await agreed(browser, name="Late")
    clock.advance(hours=1)
    assert (await converted(github, late)).status_code == 404
    assert answer.json()["slug"] == "our-ci"
    assert answer.json()["owner"]["login"] == "acme"


@pytest.mark.parametrize("name", ["Our CI", "our ci", "kubeci-local", "", "x" * 35])
async def test_a_name_that_is_taken_or_none(browser: httpx.AsyncClient, name: str) -> None:
    await agreed(browser)
    data = {"manifest": given(), "name": name}
    answer = await browser.post("/settings/apps/manifest", data=data)
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [
        ("POST", "/organizations/nobody/settings/apps/new", {"manifest": given()}, 404),
        ("POST", "/organizations/octocat/settings/apps/new", {"manifest": given()}, 404),
        ("POST", "/settings/apps/new", {"manifest": "{"}, 422),
        ("POST", "/settings/apps/new", {}, 422),
        ("POST", "/settings/apps/new", {"manifest": "x" * 200_000}, 413),
        ("GET", "/settings/apps/new", None, 200),
        ("GET", "/apps/nothing", None, 404),
    ],
)
async def test_addresses(
    browser: httpx.AsyncClient, method: str, path: str, data: dict[str, str] | None, status: int
) -> None:
    assert (await browser.request(method, path, data=data)).status_code == status


async def test_the_made_apps_key_authenticates_and_opens_nothing_of_the_other_app(
    github: LocalGitHub, browser: httpx.AsyncClient, clock: Clock
) -> None:
    made = (await converted(github, await agreed(browser))).json()

    def token(key: str, issuer: object) -> dict[str, str]:
        now = int(clock().timestamp())
        claims = {"iss": str(issuer), "iat": now - 30, "exp": now + 300}
        return {"authorization": "Bearer " + jwt.encode(claims, read_private_key(key), algorithm="RS256")}

    installation = github.installation("acme/widgets").id
    async with httpx.AsyncClient(trust_env=False, verify=PLAIN, base_url=github.api_url) as client:
        for issuer in (made["id"], made["client_id"]):
            app = (await client.get("/app", headers=token(made["pem"], issuer))).json()
            assert (app["id"], app["name"], app["events"]) == (made["id"], "Our CI", ["check_run", "push"])
            assert app["permissions"] == {"checks": "write", "contents": "read", "metadata": "read"}
        ours = token(made["pem"], made["id"])
        hook = (await client.get("/app/hook/config", headers=ours)).json()
        assert hook["url"] == "https://ci.example.com/hook"
        assert (await client.get("/app/installations", headers=ours)).json() == []
        for path in (
            f"/app/installations/{installation}",
            "/repos/acme/widgets",
            "/installation/repositories",
        ):
            assert (await client.get(path, headers=ours)).status_code == 404, path
        minted = await client.post(f"/app/installations/{installation}/access_tokens", headers=ours)
        assert minted.status_code == 404
        # Neither App's key speaks for the other.
        own = github.app.private_key or ""
        assert (await client.get("/app", headers=token(own, github.app.id))).json()["id"] == github.app.id
        for key, issuer in ((own, made["id"]), (made["pem"], github.app.id)):
            assert (await client.get("/app", headers=token(key, issuer))).status_code == 401
    for path in ("/apps/our-ci", "/apps/our-ci/installations/new"):
        page = await browser.get(path)
        assert (page.status_code, "installs and" in page.text) == (200, True)
        assert made["webhook_secret"] not in page.text
        assert "PRIVATE" not in page.text
