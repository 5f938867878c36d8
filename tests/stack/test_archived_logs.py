"""A step whose pod is gone: its log is the one that Argo archived, read through argo-server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests_stack import REPOSITORY, Scene, workflow

from kubeci.local.argo_server.server import LocalArgoServer, argo_server
from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.github.state import CheckRun
from kubeci.local.stack import LocalStack, StackSettings, surroundings, with_server
from kubeci.settings.api import ApiToken, Verb
from kubeci.settings.pattern import Pattern

LOG = "compiling\nsrc/main.py:3:5: error: no such name\nerror: it ended badly\n"
TOKEN = ApiToken("reader", b"the secret of reader", (Pattern(REPOSITORY),), frozenset({Verb.READ}))


@dataclass
class Archive:
    """A stack with an argo-server, where nobody runs the workflows and no pod is to be found."""

    scene: Scene
    argo: LocalArgoServer
    client: httpx.AsyncClient

    async def failed(self, artifacts: list[dict[str, Any]]) -> tuple[CheckRun, str]:
        """Push, and write that the step failed and left these artifacts; give the check-run and the build's id."""
        sha = await self.scene.push({".kube-ci/ci.yaml": workflow(["true"])})
        await self.scene.until(lambda: self.scene.stored("SELECT id FROM builds WHERE workflow_uid <> ''"))
        [(build,)] = self.scene.stored("SELECT id FROM builds")
        objects = self.scene.stack.cluster.objects
        [found] = objects.list(WORKFLOWS, "argo")
        name = found["metadata"]["name"]
        times = {"startedAt": "2026-01-01T12:00:00Z", "finishedAt": "2026-01-01T12:01:00Z"}
        told = {"phase": "Failed", "hostNodeName": "node", **times}
        step = {"id": "step", "name": f"{name}[0].step-0", "displayName": "step-0", "type": "Pod", **told}
        nodes = {
            name: {"id": name, "name": name, "type": "Steps", "children": ["step"], **told},
            "step": {**step, "boundaryID": name, "outputs": {"exitCode": "1", "artifacts": artifacts}},
        }
        objects.merge_patch(WORKFLOWS, "argo", name, {"status": {"phase": "Failed", **times, "nodes": nodes}})
        return await self.scene.concluded(sha), build

    async def log(self, build: str) -> httpx.Response:
        return await self.client.get(
            f"/api/v1/runs/{build}/logs",
            params={"node": "step"},
            headers={"Authorization": "Bearer the secret of reader"},
        )


@asynccontextmanager
async def _archive(
    folder: Path, *, asked: bool = True, tokens: tuple[ApiToken, ...] = (TOKEN,)
) -> AsyncIterator[Archive]:
    async with (
        surroundings(folder, StackSettings(engine=False)) as around,
        argo_server(around.cluster.objects) as argo,
    ):
        await around.github.create_repository(REPOSITORY)
        options = replace(around.options, api_tokens=tokens)
        if asked:
            options = replace(options, argo_server=argo.url, argo_token=argo.token)
        stack: LocalStack
        async with (
            with_server(replace(around, options=options)) as stack,
            httpx.AsyncClient(base_url=stack.server_url, trust_env=False, timeout=30) as client,
        ):
            yield Archive(Scene(stack), argo, client)


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[Archive]:
    async with _archive(tmp_path) as found:
        yield found


def text_of(run: CheckRun) -> str:
    return f"{run.output.get('summary')}\n{run.output.get('text')}"


ARCHIVED = [{"name": "main-logs", "raw": {"data": LOG}}]


async def test_an_archived_log_is_in_the_check_run_and_in_the_api(archive: Archive) -> None:
    run, build = await archive.failed(ARCHIVED)
    assert run.conclusion == "failure"
    assert "error: it ended badly" in text_of(run)
    assert [(each["path"], each["start_line"]) for each in run.annotations] == [("src/main.py", 3)]
    log = await archive.log(build)
    assert (log.status_code, log.text, log.headers.get("x-kubeci-log")) == (200, LOG, "archived")


async def test_an_archived_log_is_in_the_pages(tmp_path: Path) -> None:
    # Without tokens, who is on this machine may look.
    async with _archive(tmp_path, tokens=()) as archive:
        _, build = await archive.failed(ARCHIVED)
        page = await archive.client.get(f"/builds/{build}/log/step")
    assert page.text == f"[The pod is gone. This is the log that Argo archived.]\n{LOG}"


@pytest.mark.parametrize(
    ("artifacts", "asked", "reason"),
    [
        ([], True, "is gone"),
        (ARCHIVED, False, "is gone"),
        ([{"name": "wait-logs", "raw": {"data": LOG}}], True, "is gone"),
        ([{"name": "main-logs", "s3": {"key": "lost"}}], True, "its archived log cannot be read: "),
    ],
)
async def test_a_log_that_is_nowhere(
    tmp_path: Path, artifacts: list[dict[str, Any]], asked: bool, reason: str
) -> None:
    async with _archive(tmp_path, asked=asked) as archive:
        run, build = await archive.failed(artifacts)
        assert "No log: " in text_of(run)
        assert reason in text_of(run)
        log = await archive.log(build)
        assert log.status_code == 404
        assert reason in log.json()["message"]


async def test_an_argo_server_that_is_away_for_a_moment_is_asked_again(archive: Archive) -> None:
    archive.argo.faults.add("GET", "/artifacts/", status=503)
    run, _ = await archive.failed(ARCHIVED)
    assert "error: it ended badly" in text_of(run)


async def test_what_was_kept_is_shown_while_argo_server_is_away(archive: Archive) -> None:
    _, build = await archive.failed(ARCHIVED)
    archive.argo.faults.add("GET", "/artifacts/", drop=True)
    log = await archive.log(build)
    assert (log.headers["x-kubeci-log"], log.text) == ("kept", LOG)
