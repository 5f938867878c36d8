"""The pages as a person has them: in headless Chromium, on a phone too."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from create_app_kit import plan_for, running, written

from kubeci.local.github.auth import new_app
from kubeci.local.github.server import LocalGitHub

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

playwright = pytest.importorskip(
    "playwright.async_api", reason="playwright is missing: install kubeci with the extra `dev`"
)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not CHROMIUM, reason="Chromium is missing: apt-get install chromium"),
]
expect = playwright.expect


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with playwright.async_playwright() as driver:
        opened = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        await opened.close()


async def fits(page: Page, width: int) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth") <= width, page.url


@pytest.mark.parametrize("width", [360, 1280])
async def test_two_clicks_make_the_app(tmp_path: Path, browser: Browser, width: int) -> None:
    out = tmp_path / "secret.yaml"
    context = await browser.new_context(viewport={"width": width, "height": 800})
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda each: complaints.append(each.text) if each.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    async with LocalGitHub(tmp_path / "github", app=new_app(7), webhook_secret="its own") as github:
        github.state.account("acme")
        async with running(plan_for(github.api_url, out, webhook_url="")) as run:
            await page.goto(run.address)
            await expect(page.get_by_label("Webhook address")).to_be_focused()
            await page.keyboard.type("https://ci.example.com")
            await fits(page, width)
            await page.keyboard.press("Enter")
            await expect(page.get_by_text("https://ci.example.com/webhooks/github")).to_be_visible()
            await expect(page.get_by_role("row", name=re.compile("^Pull requests"))).to_be_visible()
            await fits(page, width)
            await page.get_by_role("button", name="Create the App on").click()
            await expect(page.get_by_label("GitHub App name")).to_have_value("kubeci-acme")
            await fits(page, width)
            # The answer to this form leads to another origin, which GitHub's page must allow, and ours must not forbid.
            await page.get_by_role("button", name="Create GitHub App").click()
            await expect(
                page.get_by_role("heading", name="The GitHub App kubeci-acme is made")
            ).to_be_visible()
            await fits(page, width)
            await run.task
        assert len(written(out)) == 3
        assert complaints == []
        await page.get_by_role("link", name="Install kubeci-acme").click()
        await expect(page.get_by_role("heading", name="kubeci-acme")).to_be_visible()
    await context.close()
