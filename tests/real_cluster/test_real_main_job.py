"""The main job on a real API server with Argo's own controller, as users see it at GitHub."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from github_scene import REPOSITORY
from given_cluster import RealCluster
from played import FAILING, LONG, PASSING, build, files, manifest, step
from real_scene import RealScene, real_scene

from kubeci.settings.pattern import Pattern
from kubeci.workflow import metadata

pytestmark = pytest.mark.cluster


@pytest.fixture
async def ci(real_cluster: RealCluster, tmp_path: Path) -> AsyncIterator[RealScene]:
    async with real_scene(real_cluster, tmp_path) as scene, scene.serving():
        yield scene


def told(scene: RealScene) -> list[str]:
    """What GitHub was told of check-runs, in order: statuses and conclusions."""
    return [
        f"{call.body.get('status', '')} {call.body.get('conclusion', '')}".strip()
        for call in scene.place.github.requests
        if call.method in {"POST", "PATCH"} and "/check-runs" in call.path
    ]


async def test_a_push_is_queued_then_in_progress_then_a_success(ci: RealScene) -> None:
    sha = await ci.push(build(step("ci", seconds=1.5)))
    run = await ci.concluded(sha)
    assert (run.name, run.conclusion, run.external_id) == ("Workflow - ci", "success", "ci")
    assert told(ci) == ["queued", "in_progress", "completed success"]
    [made] = await ci.workflows()
    meta = made["metadata"]
    assert run.details_url.endswith(f"/workflows/{meta['namespace']}/{meta['name']}")
    assert metadata.annotations_of(made)[metadata.CHECK_RUN_ID] == str(run.id)
    [remark] = run.annotations
    assert (remark["path"], remark["start_line"], remark["annotation_level"]) == (
        "src/main.py",
        12,
        "warning",
    )


async def test_a_step_that_fails_is_a_failure_with_what_its_log_says(ci: RealScene) -> None:
    calls = [[{"name": name, "template": name}] for name in ("build", "check", "never")]
    templates = (step("build"), step("check", code=3), step("never"))
    sha = await ci.push(build({"name": "ci", "steps": calls}, *templates))
    run = await ci.concluded(sha)
    assert run.conclusion == "failure"
    assert [each["path"] for each in run.annotations] == ["src/main.py"] * 2
    text = f"{run.output['summary']} {run.output['text']}"
    assert "check" in text
    assert "exit code 3" in text
    assert "never used" in text


async def test_a_field_that_the_api_server_refuses_is_told_in_its_words(ci: RealScene) -> None:
    document = manifest(step("ci"))
    document["spec"]["templates"][0]["container"]["quuxOfNoOne"] = 1
    run = await ci.concluded(await ci.push(files(document)))
    assert (run.name, run.conclusion) == ("Workflow - ci", "failure")
    assert 'unknown field "spec.templates[0].container.quuxOfNoOne"' in str(run.output["summary"])
    assert await ci.workflows() == []


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (manifest({"name": "ci", "steps": [[{"name": "a", "template": "ghost"}]]}), "ghost"),
        (
            {
                **manifest(step("ci")),
                "spec": {"entrypoint": "ci", "workflowTemplateRef": {"name": "absent"}},
            },
            "absent",
        ),
    ],
    ids=["of the workflow", "of the cluster"],
)
async def test_a_template_that_is_nowhere_is_told(
    ci: RealScene, document: dict[str, Any], words: str
) -> None:
    run = await ci.concluded(await ci.push(files(document)))
    assert run.conclusion == "failure"
    assert words in str(run.output["summary"])
    assert await ci.workflows() == []


async def test_a_tag_is_built_when_the_definition_says_so(ci: RealScene) -> None:
    sha = await ci.push(build(step("ci"), runForBranch="false", runForTag="true"))
    await ci.quiet()
    assert ci.runs(sha) == []
    await ci.place.github.tag(REPOSITORY, "v1.0", sha)
    assert (await ci.concluded(sha)).conclusion == "success"
    [made] = await ci.workflows()
    given = {each["name"]: each.get("value", "") for each in made["spec"]["arguments"]["parameters"]}
    assert (given["tag"], given["refType"], given["revision"]) == ("v1.0", "tag", sha)


async def test_a_pull_request_is_built_and_its_end_stops_what_runs(
    real_cluster: RealCluster, tmp_path: Path
) -> None:
    async with real_scene(real_cluster, tmp_path, build_branches=Pattern("^main$")) as ci, ci.serving():
        github = ci.place.github
        await ci.concluded(await ci.push(PASSING))
        sha = await ci.push(LONG, branch="feature")
        pull = await github.open_pull_request(REPOSITORY, head="feature", title="A feature")
        await ci.in_progress(sha)
        made = [each for each in await ci.workflows() if metadata.annotations_of(each)[metadata.SHA] == sha]
        assert metadata.annotations_of(made[0])[metadata.TITLE] == "A feature"
        await github.close_pull_request(pull)
        await ci.until(lambda: any(run.conclusion == "cancelled" for run in ci.runs(sha)))


async def test_a_rerun_from_github_builds_again(ci: RealScene) -> None:
    sha = await ci.push(FAILING)
    first = await ci.concluded(sha)
    await ci.place.github.rerequest(first.id)
    second = await ci.concluded(sha, count=2)
    assert (second.name, second.conclusion, second.id != first.id) == (first.name, "failure", True)
    assert len(await ci.workflows()) == 2
