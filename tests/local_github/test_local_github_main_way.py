from __future__ import annotations

from typing import Any

from githubkit import GitHub
from local_github_kit import Receiver

from kubeci.local.github.server import LocalGitHub


async def test_push_gives_a_suite_and_a_check_run_goes_its_way(
    github: LocalGitHub, receiver: Receiver, installed: GitHub[Any]
) -> None:
    sha = await github.push("acme/widgets", {"README.md": "hello\n"})
    await github.settled()
    assert [name for name, _, _ in receiver.events] == ["create", "push", "check_suite"]
    event = receiver.named("check_suite", "requested")[0]
    assert event["check_suite"]["head_sha"] == sha
    assert event["check_suite"]["head_branch"] == "main"
    assert event["check_suite"]["app"]["id"] == github.app.id
    assert event["installation"]["id"] == github.installation("acme/widgets").id
    assert event["repository"]["full_name"] == "acme/widgets"
    assert event["organization"]["login"] == "acme"

    checks = installed.rest.checks
    made = await checks.async_create("acme", "widgets", name="Workflow - ci", head_sha=sha, external_id="ci")
    run = made.parsed_data
    assert (run.status, run.conclusion, run.external_id) == ("queued", None, "ci")
    assert run.html_url == f"{github.base_url}/acme/widgets/runs/{run.id}"
    annotation = {
        "path": "README.md",
        "start_line": 1,
        "end_line": 1,
        "annotation_level": "warning",
        "message": "look",
    }
    output: Any = {"title": "Running", "summary": "so far", "annotations": [annotation]}
    await checks.async_update("acme", "widgets", run.id, status="in_progress", output=output)
    done = await checks.async_update("acme", "widgets", run.id, conclusion="success", output=output)
    assert (done.parsed_data.status, done.parsed_data.conclusion) == ("completed", "success")
    assert done.parsed_data.output.annotations_count == 2
    suite = await checks.async_get_suite("acme", "widgets", event["check_suite"]["id"])
    assert (suite.parsed_data.status, suite.parsed_data.conclusion) == ("completed", "success")
