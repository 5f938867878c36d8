"""Every recording, with the real GitHub adapter against the local GitHub."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio
from memory_rooms import MemoryCluster, Run
from recordings import ALL, Recording
from replay_kit import play, prepare, process
from scenes import SLOWLY, assert_end

from kubeci.github.app import Credentials, GitHubApp
from kubeci.github.checks import GitHubChecks
from kubeci.github.connection import Endpoint
from kubeci.local.github.auth import new_app
from kubeci.local.github.server import LocalGitHub
from kubeci.local.github.state import CheckRun
from kubeci.model.repository import Commit, Repository
from kubeci.store.builds import SqlBuilds
from kubeci.store.database import database

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class GitHubSide:
    """The local GitHub, our adapter to it, and a commit."""

    github: LocalGitHub
    checks: GitHubChecks
    commit: Commit

    def runs(self, check_name: str) -> list[CheckRun]:
        return [run for run in self.github.state.runs.values() if run.name == check_name]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def side(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GitHubSide]:
    registered = new_app(app_id=7)
    folder = tmp_path_factory.mktemp("github")
    async with AsyncExitStack() as stack:
        github = await stack.enter_async_context(LocalGitHub(folder, app=registered, webhook_secret="secret"))
        await github.create_repository("acme/widgets")
        sha = await github.push("acme/widgets", {"README.md": "hello"})
        repository = Repository("acme", "widgets", github.installation("acme/widgets").id)
        app = await stack.enter_async_context(
            GitHubApp(Credentials(7, registered.private_key or ""), Endpoint(github.api_url, trust_env=False))
        )
        yield GitHubSide(github, GitHubChecks(app), Commit(repository, sha))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def builds() -> AsyncIterator[SqlBuilds]:
    async with database("sqlite://") as store:
        yield SqlBuilds(store)


@pytest.mark.parametrize("recording", ALL, ids=lambda recording: recording.name)
async def test_a_recording_ends_as_it_should_on_github(
    side: GitHubSide, builds: SqlBuilds, recording: Recording
) -> None:
    cluster = MemoryCluster(recording.pods)
    scene = await prepare(recording, builds, side.checks, side.commit, cluster)
    scene.step = SLOWLY
    async with process(scene) as server:
        await play(scene, server, 0, len(recording.events) - 1)
    runs = side.runs(scene.build.check_name)
    assert_end(recording, [as_sent(run, side.commit) for run in runs])
    assert {run.external_id for run in runs} == {"ci"}
    assert all(run.status == "completed" for run in runs)
    # Whoever deletes a workflow takes our note that its annotations were published with it.
    assert bool(cluster.annotated) == bool(runs[-1].annotations and recording.name[:2] not in {"11", "27"})


def as_sent(run: CheckRun, commit: Commit) -> Run:
    body = {
        "name": run.name,
        "details_url": run.details_url,
        "conclusion": run.conclusion,
        "output": run.output,
    }
    return Run(commit, body, run.annotations)
