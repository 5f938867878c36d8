"""Make the screenshots of docs/pages.md anew: builds of the local stack, seen in headless Chromium.

.venv/bin/python scripts/pages_screenshots.py [FOLDER]
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import yaml
from playwright.async_api import Page, async_playwright

from kubeci.local.demo import Change, changes
from kubeci.local.stack import LocalStack, local_stack
from kubeci.model.build import Build
from kubeci.store.builds import SqlBuilds
from kubeci.store.database import database

FOLDER = Path(__file__).parents[1] / "docs" / "images"
WORDS, PARSER = "demo/words", "demo/parser"
TESTS = """\
for i in $(seq 1 400); do echo "test $i of 400: {{inputs.parameters.database}} gives back what was written"; sleep 0.2; done
"""


def long_tests() -> str:
    """Give a definition whose tests go on, with a manual step after them."""
    database_of = {"parameters": [{"name": "database", "value": "{{item}}"}]}
    test = {"name": "test", "template": "test", "arguments": database_of, "withItems": ["postgres", "sqlite"]}
    quick = {"image": "python:3", "command": ["sh", "-c", "echo fine"]}
    steps = [[{"name": "lint", "template": "quick"}], [test], [{"name": "package", "template": "quick"}]]
    slow = {"image": "python:3", "command": ["sh", "-c", TESTS]}
    templates = [
        {"name": "ci", "steps": steps},
        {"name": "quick", "container": quick},
        {"name": "test", "inputs": {"parameters": [{"name": "database"}]}, "container": slow},
        {"name": "publish", "container": quick},
    ]
    return yaml.safe_dump(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"annotations": {"kube-ci.qutics.com/manualTemplates": "^publish$"}},
            "spec": {"entrypoint": "ci", "templates": templates},
        }
    )


async def push(stack: LocalStack, change: Change, base: str | None) -> str:
    """Push a change of the demo, and open its pull request."""
    github, repository = stack.github, WORDS
    if change.by:
        repository = (await github.fork(WORDS, change.by)).full_name
        github.user = change.by
    sha = await github.push(repository, change.files, branch=change.branch, message=change.message, base=base)
    if change.pull_request:
        head = f"{repository}:{change.branch}" if change.by else change.branch
        await github.open_pull_request(WORDS, head=head, title=change.pull_request)
    github.user = "octocat"
    return sha


async def until(builds: SqlBuilds, holds: Callable[[list[Build]], bool]) -> list[Build]:
    """Wait until the builds are as wanted; `TimeoutError` after a minute."""
    async with asyncio.timeout(60):
        while not holds(found := await builds.newest()):  # noqa: ASYNC110 - it is the server's work that we wait for
            await asyncio.sleep(0.1)
    return found


async def play(stack: LocalStack, builds: SqlBuilds) -> Build:
    """Let builds of all kinds happen; gives one that runs."""
    await stack.github.create_repository(WORDS)
    await stack.github.create_repository(PARSER)
    base = None
    for number, change in enumerate(changes(), 1):
        sha = await push(stack, change, base)
        base = base or sha
        await until(builds, lambda found, number=number: len([b for b in found if b.conclusion]) == number)
    files = {".kube-ci/ci.yaml": long_tests()}
    await stack.github.push(PARSER, files, branch="exponents", message="Parse numbers with exponents")
    found = await until(builds, lambda found: bool(found[0].workflow_uid and not found[0].conclusion))
    return found[0]


async def take(page: Page, path: Path, wait_for: str) -> None:
    """Take a picture of the page once it shows a text, as high as the page is."""
    await page.get_by_text(wait_for).first.wait_for()
    picture = await page.screenshot(path=path, full_page=True)
    print(path, len(picture))


async def main(folder: Path) -> None:
    """Make both pictures."""
    with tempfile.TemporaryDirectory() as data:
        async with (
            local_stack(Path(data)) as stack,
            database(stack.options.store_url) as stored,
            async_playwright() as driver,
        ):
            running = await play(stack, SqlBuilds(stored))
            browser = await driver.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = await browser.new_page(viewport={"width": 1100, "height": 600})
            await page.goto(stack.server_url)
            await take(page, folder / "pages-builds.png", "Parse numbers")
            await page.goto(f"{stack.server_url}/builds/{running.id}")
            await page.get_by_text("test(1:sqlite)").click()
            await take(page, folder / "pages-build.png", "test 12 of 400")
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
