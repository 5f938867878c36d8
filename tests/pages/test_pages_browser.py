"""The pages as a person has them: in headless Chromium, live, on a phone, and with hostile text."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from pages_kit import READER, Stage, stage_in

from kubeci.local.stack import local_stack
from kubeci.model.build import BuildState, ManualStep, Plan
from kubeci.model.check_run import Annotation, CheckRun, Status
from kubeci.model.report import NodeLog, Outcome
from kubeci.settings.api import Pages
from kubeci.web.pages.access import access_of

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not CHROMIUM, reason="Chromium is missing: apt-get install chromium"),
]

HOSTILE = (
    "<script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">\u202e'\"&"
)
PHONE = 360


def playwright() -> Any:
    """Load it only where it runs: every worker collects these tests."""
    return pytest.importorskip(
        "playwright.async_api", reason="playwright is missing: install kubeci with the extra `dev`"
    )


def expect(seen: Page | Locator) -> Any:
    """Give what playwright says of a page or a part of it."""
    return playwright().expect(seen)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with playwright().async_playwright() as driver:
        opened = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        await opened.close()


@pytest_asyncio.fixture(loop_scope="module")
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage_in(tmp_path) as made:
        yield made


@asynccontextmanager
async def page_at(browser: Browser, width: int = 1280, *, script: bool = True) -> AsyncIterator[Page]:
    """Give a page; what its console complains of fails the test."""
    context = await browser.new_context(viewport={"width": width, "height": 800}, java_script_enabled=script)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda each: complaints.append(each.text) if each.type == "error" else None)
    yield page
    await context.close()
    assert complaints == []


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    async with page_at(browser) as opened:
        yield opened


async def test_builds_come_and_change_by_themselves(stage: Stage, page: Page) -> None:
    first = await stage.build("The first build")
    await page.goto(stage.url)
    await expect(page).to_have_title("1 running · Builds · kubeci")
    row = page.locator(f"#build-{first.id}")
    await expect(row).to_contain_text("running")
    await row.locator("a.title").focus()
    await page.get_by_label("Repository").evaluate("box => box.value = 'half typed'")
    second = await stage.build("The second build")
    await expect(page.locator("tbody tr").first).to_contain_text("The second build")
    await stage.finish(first, "failure")
    await expect(row).to_contain_text("failed")
    assert await row.locator("a.title").evaluate("link => link === document.activeElement")
    await expect(page.get_by_label("Repository")).to_have_value("half typed")
    await stage.finish(second, "success")
    await expect(page).to_have_title("Builds · kubeci")


async def test_steps_change_and_logs_stream(stage: Stage, page: Page) -> None:
    build = await stage.build("Talk to me")
    stage.status(build, "Running", {"fetch": "Succeeded", "test": "Running"})
    await page.goto(f"{stage.url}/builds/{build.id}")
    step = page.locator("#step-widgets-1-1")
    await expect(step).to_contain_text("running")
    stage.says(build, 1, "\x1b[32mone\x1b[0m\n")
    await page.get_by_text("test", exact=True).click()
    log = step.get_by_role("log")
    await expect(log).to_have_text("one\n", use_inner_text=False)
    stage.says(build, 1, "two\nthree\n")
    await expect(log).to_have_text(re.compile(r"one\s+two\s+three"))
    stage.says(build, 1, "the end\n")
    stage.status(build, "Failed", {"fetch": "Succeeded", "test": "Failed"})
    await stage.finish(build, "failure")
    await expect(page).to_have_title("failed · Talk to me · kubeci")
    assert "icon-failure" in (await page.locator("#icon").get_attribute("href") or "")
    # The details that were opened stay open.
    await expect(log).to_contain_text("the end")
    # It is retried.
    stage.status(build, "Running", {"fetch": "Succeeded", "test": "Running"})
    await stage.builds.change(build.id, state=BuildState.RUNNING, conclusion="")
    stage.says(build, 1, "was not the end\n")
    await expect(log).to_contain_text("was not the end")


async def test_failed_steps_show_their_log_at_once(stage: Stage, page: Page) -> None:
    build = await stage.build("Fail")
    stage.status(build, "Failed", {"lint": "Succeeded", "test": "Failed"})
    stage.says(build, 1, "".join(f"line {n}\n" for n in range(12_000)))
    await stage.finish(build, "failure")
    await page.goto(f"{stage.url}/builds/{build.id}")
    log = page.get_by_role("log")
    await expect(log).to_contain_text("line 11999")
    assert (await log.text_content() or "").count("\n") == 10_000
    await expect(page.get_by_text("These are the last 10,000 of 12,000 lines.")).to_be_visible()


async def test_the_filter(stage: Stage, page: Page) -> None:
    await stage.build("Of widgets")
    await stage.build("Of gadgets", "acme/gadgets")
    await page.goto(stage.url)
    options = page.locator("#known option")
    assert [await each.get_attribute("value") for each in await options.all()] == [
        "acme/gadgets",
        "acme/widgets",
    ]
    await page.get_by_label("Repository").fill("ACME/gadgets")
    await page.keyboard.press("Enter")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await expect(page.locator("tbody")).to_contain_text("Of gadgets")
    await page.get_by_role("link", name="Show all").click()
    await expect(page.locator("tbody tr")).to_have_count(2)


async def hostile_build(stage: Stage) -> str:
    plan = Plan((ManualStep(HOSTILE),), cache_claim="c" * 250)
    texts = (HOSTILE, "w" * 500)
    build = await stage.build(
        HOSTILE + "x" * 200,
        check_name=HOSTILE + "y" * 100,
        head_repository="stranger/" + "f" * 90,
        actor=HOSTILE,
        environment=HOSTILE,
        stopped=HOSTILE,
        warnings=texts,
        prints=texts,
        loaded=texts,
        plan=plan,
        pull_request=12345,
    )
    stage.status(build, "Running", {HOSTILE: "Failed", "s" * 90: "Running"})
    stage.says(build, 0, f"{HOSTILE}\n" + "l" * 3000 + "\n")
    remark = Annotation(HOSTILE, 3, "failure", HOSTILE + "m" * 300)
    await stage.builds.save_log(build.id, NodeLog("widgets-1-0", annotations=(remark,), tail=(HOSTILE,)))
    check = CheckRun("c", Status.IN_PROGRESS, HOSTILE, HOSTILE + "z" * 500, text=HOSTILE)
    await stage.builds.save_outcome(build.id, Outcome("Running", check))
    return f"{stage.url}/builds/{build.id}"


@pytest.mark.parametrize("width", [PHONE, 1280])
async def test_hostile_text_is_text_and_fits(stage: Stage, browser: Browser, width: int) -> None:
    address = await hostile_build(stage)
    async with page_at(browser, width) as page:
        for path in (stage.url, address):
            await page.goto(path)
            async with page.expect_response(re.compile("fragment=1")):
                pass
            assert "taken" not in (await page.title()).split("·")[0]
            assert await page.locator("main script, main img").count() == 0
            await expect(page.locator("main")).to_contain_text("<script>document.title")
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{path}: {wide}"
        log = page.get_by_role("log").first
        await expect(log).to_contain_text("<script>document.title")
        await expect(log).to_contain_text("lll")


async def test_without_script_all_is_there(stage: Stage, browser: Browser) -> None:
    address = await hostile_build(stage)
    async with page_at(browser, script=False) as page:
        await page.goto(stage.url)
        assert await page.locator("meta[http-equiv=refresh]").count() == 1
        await page.locator("tbody a.title").click()
        assert page.url == address
        await page.get_by_role("link", name="Log as text").first.click()
        await expect(page.locator("body")).to_contain_text("lll")


async def test_login_shows_what_the_token_reaches(tmp_path: Path, browser: Browser) -> None:
    access = access_of(Pages(), (READER,), "0.0.0.0")
    async with stage_in(tmp_path, access) as stage, page_at(browser) as page:
        build = await stage.build("Of widgets")
        await stage.build("Of somebody else", "other/thing")
        await page.goto(f"{stage.url}/builds/{build.id}")
        await page.get_by_label("Token").fill(READER.secret.decode())
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Of widgets")).to_be_visible()
        await page.goto(stage.url)
        await expect(page.locator("tbody tr")).to_have_count(1)
        assert await page.locator("#known option").count() == 1
        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_label("Token")).to_be_focused()
        await page.goto(stage.url)
        await expect(page.get_by_role("heading", name="Log in")).to_be_visible()


WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
spec:
  entrypoint: ci
  templates:
    - name: ci
      steps: [[{name: look, template: look}]]
    - name: look
      container: {image: alpine, command: [sh, -c, "echo 'words.py:2: error: is wrong'; exit 1"]}
"""


async def test_a_push_is_seen_through_to_its_annotations(tmp_path: Path, page: Page) -> None:
    async with local_stack(tmp_path) as stack:
        await stack.github.create_repository("acme/widgets")
        await page.goto(stack.server_url)
        await expect(page.locator("main")).to_contain_text("There is no build yet")
        files = {".kube-ci/ci.yaml": WORKFLOW, "words.py": "a\nb\n"}
        sha = await stack.github.push("acme/widgets", files, branch="main", message="Count words")
        await expect(page.locator("tbody")).to_contain_text("failed", timeout=20_000)
        await page.get_by_role("link", name="Count words").click()
        await expect(page.locator("#steps")).to_contain_text("look")
        await expect(page.get_by_role("log")).to_contain_text("words.py:2: error: is wrong")
        note = page.locator("#annotations a")
        await expect(note).to_have_attribute(
            "href", f"{stack.github.base_url}/acme/widgets/blob/{sha}/words.py#L2"
        )
        links = await page.locator("main a").evaluate_all("links => links.map(link => link.href)")
        assert len(links) >= 6
        for link in links:
            if "/tree/" in link:
                continue  # the local GitHub has no page of a branch
            assert (await page.request.get(link)).ok, link
