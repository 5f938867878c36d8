"""From the first page to a Secret whose key authenticates."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest
from create_app_kit import WEBHOOK, Person, plan_for, running, who_am_i, written

from kubeci.local.github.server import LocalGitHub
from kubeci.model.app_needs import EVENTS, PERMISSIONS, wanted_permissions


async def test_an_app_is_made_and_its_key_authenticates(
    github: LocalGitHub, person: Person, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "secret.yaml"
    async with running(plan_for(github.api_url, out)) as run:
        first = await person.open(run.address)
        for text in (*(each.carries for each in PERMISSIONS), *(each.carries for each in EVENTS), WEBHOOK):
            assert text in first.text, text
        await person.press()
        assert "Create GitHub App for" in person.seen[-1].text
        last = await person.press()
        made = await run.task
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    secret = written(out)
    assert secret.keys() == {"github-key", "webhook-secret", "app-id"}
    answer = await who_am_i(github.api_url, secret["app-id"], secret["github-key"], time.time())
    app = answer.json()
    assert (app["id"], app["slug"], app["name"]) == (made.app_id, "kubeci-acme", "kubeci-acme")
    assert app["owner"]["login"] == "acme"
    assert app["permissions"] == wanted_permissions()
    assert set(app["events"]) == {each.event for each in EVENTS}
    assert made.install_url == f"{github.base_url}/apps/kubeci-acme/installations/new"
    assert (await person.open(made.install_url)).status_code == 200
    for text in (made.install_url, str(made.app_id), *made.commands):
        assert text in last.text
    told = "".join([*(page.text for page in person.seen), repr(made), *capfd.readouterr()])
    kept = github.made_apps.by_slug["kubeci-acme"]
    for hidden in (secret["webhook-secret"], "PRIVATE KEY", kept.client_secret):
        assert hidden not in told


async def test_an_app_of_ones_own_account_is_named_at_github(
    github: LocalGitHub, person: Person, tmp_path: Path
) -> None:
    async with running(plan_for(github.api_url, tmp_path / "secret.yaml", org="", webhook_url="")) as run:
        await person.open(run.address)
        page = await person.press(webhook_url="https://ci.example.com")
        assert "your own account" in page.text
        await person.press()
        await person.press(name="Mine alone")
        made = await run.task
    assert made.slug == "mine-alone"
    assert github.made_apps.by_slug["mine-alone"].promise.owner.login == github.user
    assert made.commands[-1].endswith(f"--secretfile webhook-secret --github-url {github.api_url}")
