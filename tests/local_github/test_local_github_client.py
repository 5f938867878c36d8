from __future__ import annotations

import base64
from typing import Any

from githubkit import GitHub

from kubeci.local.github.server import LocalGitHub

WIDGETS = ("acme", "widgets")


async def test_githubkit_reads_what_is_written(github: LocalGitHub, installed: GitHub[Any]) -> None:
    """Every new call through the client that the server uses, whose models are stricter than they look."""
    sha = await github.push("acme/widgets", {"a": "1\n"})
    await github.open_issue("acme/widgets", "Broken")
    issues, reactions, repos = installed.rest.issues, installed.rest.reactions, installed.rest.repos
    said = (await issues.async_create_comment(*WIDGETS, 1, body="Hello")).parsed_data
    await issues.async_update_comment(*WIDGETS, said.id, body="Bye")
    assert (await issues.async_get_comment(*WIDGETS, said.id)).parsed_data.body == "Bye"
    assert len((await issues.async_list_comments(*WIDGETS, 1)).parsed_data) == 1
    assert (await issues.async_get(*WIDGETS, 1)).parsed_data.title == "Broken"
    await reactions.async_create_for_issue_comment(*WIDGETS, said.id, content="eyes")
    await reactions.async_create_for_issue(*WIDGETS, 1, content="eyes")
    given = (await reactions.async_list_for_issue_comment(*WIDGETS, said.id)).parsed_data
    assert [each.content for each in given] == ["eyes"]
    made: Any = (
        await repos.async_create_deployment(
            *WIDGETS, ref="main", required_contexts=[], auto_merge=False, payload={"kube_ci": {}}
        )
    ).parsed_data
    assert made.sha == sha
    await repos.async_create_deployment_status(*WIDGETS, made.id, state="in_progress", log_url="https://x.y")
    assert len((await repos.async_list_deployments(*WIDGETS, sha=sha)).parsed_data) == 1
    assert (await repos.async_get_deployment(*WIDGETS, made.id)).parsed_data.ref == "main"
    states = (await repos.async_list_deployment_statuses(*WIDGETS, made.id)).parsed_data
    assert [each.state for each in states] == ["in_progress"]
    content = base64.b64encode(b"x").decode()
    written = await repos.async_create_or_update_file_contents(
        *WIDGETS, "b", message="Write", content=content
    )
    assert written.parsed_data.commit.message == "Write"
