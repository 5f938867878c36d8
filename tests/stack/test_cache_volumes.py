"""Cache volumes, as the author of a repository meets them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from shared_stacks import RUNNING, Stacks
from tests_stack import REPOSITORY, SharedScene

from kubeci.local.github.state import CheckRun
from kubeci.local.stack import StackSettings, local_stack
from kubeci.model.repository import Repository
from kubeci.model.trust import Answer, What, Who
from kubeci.settings.config import CacheDefaults, Config
from kubeci.settings.pattern import Pattern
from kubeci.workflow import metadata
from kubeci.workflow.claims import claim_name


def cached(**annotations: str) -> dict[str, str]:
    """A definition that succeeds only where an earlier build left something in its cache."""
    script = "test -e /cache/left && found=0 || found=1; touch /cache/left; exit $found"
    container: dict[str, Any] = {
        "image": "alpine",
        "command": ["sh", "-c", script],
        "volumeMounts": [{"name": "cache", "mountPath": "/cache"}],
    }
    claim = {"claimName": "{{workflow.parameters.cacheVolumeClaimName}}"}
    return {
        ".kube-ci/ci.yaml": yaml.safe_dump(
            {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "Workflow",
                "metadata": {
                    "annotations": {metadata.PREFIX + key: text for key, text in annotations.items()}
                },
                "spec": {
                    "entrypoint": "ci",
                    "templates": [{"name": "ci", "container": container}],
                    "volumes": [{"name": "cache", "persistentVolumeClaim": claim}],
                },
            }
        )
    }


BRANCH = {"cacheScope": "branch", "cacheSize": "1Gi"}
NAMED = {"cacheScope": "project", "cacheSize": "1Gi", "cacheName": "deps"}


@dataclass
class Caches(SharedScene):
    """The words of these tests."""

    pushes: int = 0

    @property
    def other(self) -> str:
        """Another repository of the organisation."""
        return f"{self.owner}/gadgets"

    @property
    def named(self) -> dict[str, str]:
        """A claim of a name that no other test has."""
        return NAMED | {"cacheName": f"deps-{self.owner}"}

    def claim(self, branch: str) -> str:
        owner, _, name = self.repository.partition("/")
        return claim_name(Repository(owner, name, 1), branch)

    async def build(self, repository: str = "", branch: str = "main", **annotations: str) -> CheckRun:
        """Push a definition and wait for what comes of it."""
        files = cached(**annotations)
        self.pushes += 1
        files["count"] = str(self.pushes)
        sha = await self.stack.github.push(
            repository or self.repository, files, branch=branch, message=f"push {self.pushes}"
        )
        return await self.concluded(sha)


@pytest_asyncio.fixture(loop_scope="session")
async def caches(stacks: Stacks) -> Caches:
    scene = await stacks.scene(RUNNING)
    made = Caches(scene.stack, scene.repository)
    await made.stack.github.create_repository(made.other)
    return made


async def test_a_build_finds_what_the_one_before_left(caches: Caches) -> None:
    assert (await caches.build(**BRANCH)).conclusion == "failure"
    assert (await caches.build(**BRANCH)).conclusion == "success"
    assert (await caches.build(branch="other", **BRANCH)).conclusion == "failure"
    assert caches.claims() == {caches.claim("main"), caches.claim("other")}


async def test_the_button_clears_the_cache(caches: Caches) -> None:
    await caches.build(**BRANCH)
    await caches.build(branch="other", **BRANCH)
    run = await caches.build(**BRANCH)
    [button] = [each for each in run.actions if each["label"] == "Clear Cache"]
    await caches.stack.github.press(run.id, button["identifier"])
    await caches.until(lambda: caches.claims() == {caches.claim("other")})
    assert (await caches.build(**BRANCH)).conclusion == "failure"


async def test_a_branch_takes_its_cache_along(caches: Caches) -> None:
    await caches.build(**BRANCH)
    await caches.build(branch="a-b", **BRANCH)
    await caches.build(branch="a.b", **BRANCH)
    await caches.stack.github.delete_branch(caches.repository, "a-b")
    await caches.until(lambda: caches.claims() == {caches.claim("main"), caches.claim("a.b")})


async def test_a_repository_takes_its_caches_along(caches: Caches) -> None:
    await caches.build(caches.other, **caches.named)
    await caches.build(**BRANCH)
    await caches.stack.github.delete_repository(caches.repository)
    await caches.until(lambda: caches.claims() == {caches.named["cacheName"]})


async def test_another_repositorys_claim_is_refused(caches: Caches) -> None:
    await caches.build(caches.other, **caches.named)
    run = await caches.build(**caches.named)
    assert run.conclusion == "failure"
    told = f"{run.output['title']} {run.output['summary']} {run.output.get('text')}"
    assert "creation of cache volume failed" in told
    assert caches.named["cacheName"] in told
    assert "gadgets" not in told
    assert (await caches.build(caches.other, **caches.named)).conclusion == "success"


@pytest.mark.parametrize(
    ("annotations", "reason"),
    [
        ({"cacheScope": "branch", "cacheSize": "much"}, "is no quantity of Kubernetes"),
        ({"cacheScope": "branch"}, "no size is given"),
        ({"cacheScope": "all", "cacheSize": "1Gi"}, "scope should be either none, branch or project"),
        ({"cacheName": "deps"}, "a named cache needs a scope and a size too"),
    ],
)
async def test_what_cannot_be_is_told_on_the_check_run(
    caches: Caches, annotations: dict[str, str], reason: str
) -> None:
    run = await caches.build(**annotations)
    assert run.conclusion == "failure"
    told = f"{run.output['summary']} {run.output.get('text')}"
    assert "creation of cache volume failed" in told
    assert reason in told
    assert caches.claims() == set()


async def test_the_servers_defaults_give_a_cache_and_its_button(tmp_path: Path) -> None:
    defaults = CacheDefaults("project", "1Gi")
    settings = StackSettings(config=Config(build_branches=Pattern("."), cache_defaults=defaults))
    async with local_stack(tmp_path, settings) as stack:
        await stack.github.create_repository(REPOSITORY)
        caches = Caches(stack, REPOSITORY)
        assert (await caches.build()).conclusion == "failure"
        run = await caches.build(branch="other")
        assert run.conclusion == "success"
        assert "Clear Cache" in {each["label"] for each in run.actions}
        assert caches.claims() == {caches.claim("")}


async def test_a_fork_neither_reads_nor_writes_the_repositorys_cache(tmp_path: Path) -> None:
    trust = {What.FORK: dict.fromkeys(Who, Answer.BUILD)}
    settings = StackSettings(config=Config(build_branches=Pattern("."), trust=trust))
    async with local_stack(tmp_path, settings) as stack:
        github = stack.github
        await github.create_repository(REPOSITORY)
        caches = Caches(stack, REPOSITORY)
        project = {"cacheScope": "project", "cacheSize": "1Gi"}
        await caches.build(**project)
        assert (await caches.build(**project)).conclusion == "success"
        await github.fork(REPOSITORY, "stranger")
        github.user = "stranger"
        sha = await github.push("stranger/widgets", {"x": "y"}, branch="main", message="Mine")
        await github.open_pull_request(REPOSITORY, head="stranger/widgets:main")
        assert (await caches.concluded(sha)).conclusion == "failure"
        forks = caches.claim("stranger/widgets:main")
        assert caches.claims() == {caches.claim(""), forks}
        github.user = "octocat"
        [button] = caches.runs(sha)[-1].actions
        await github.press(caches.runs(sha)[-1].id, button["identifier"])
        await caches.until(lambda: caches.claims() == {caches.claim("")})
