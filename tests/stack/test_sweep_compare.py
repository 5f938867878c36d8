"""An outage of more days than GitHub keeps deliveries: what was missed is found by what it left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from sweep_kit import (
    SWEEPING,
    asked,
    back_after,
    frequent,
    names,
    strange_pull_request,
    swept,
)
from tests_stack import PASSING, REPOSITORY
from world import World

from kubeci.settings.pattern import Pattern
from kubeci.workflow import metadata
from kubeci.workflow.metadata import annotations_of


async def test_what_is_older_than_the_list_is_found_by_comparing(away: World) -> None:
    github = away.stack.github
    sha = await away.push({"a": "b"}, branch="ours", message="Mine")
    silent = await away.push({"c": "d"}, branch="silent", message="Not now\n\n\nskip-checks: true")
    opened = await github.open_pull_request(REPOSITORY, head="ours")
    foreign = await strange_pull_request(away)
    await github.settled()
    github.deliveries.sent.clear()
    await back_after(away, days=4)
    await away.until(lambda: away.runs(sha) and away.runs(foreign))
    await swept(away, 2)
    await away.quiet()
    assert asked(away) == 0
    assert names(away, sha) == ["Workflow - ci"]
    assert names(away, silent) == []
    assert [(run.name, run.conclusion) for run in away.runs(foreign)] == [
        ("Default Workflow", "action_required")
    ]
    [built] = [each for each in away.workflows() if annotations_of(each)[metadata.SHA] == sha]
    assert opened.number
    made = away.stored("SELECT id, event FROM deliveries WHERE id LIKE 'sweep-%' ORDER BY event")
    assert [event for _, event in made] == ["pull_request", "pull_request", "push", "push"]
    parameters = {each["name"]: each["value"] for each in built["spec"]["arguments"]["parameters"]}
    assert (parameters["repoName"], parameters["revision"], parameters["refName"]) == ("widgets", sha, "ours")
    await away.kill()
    await back_after(away, days=4)  # what was found once is not found again
    await swept(away)
    assert away.stored("SELECT id, event FROM deliveries WHERE id LIKE 'sweep-%' ORDER BY event") == made
    assert names(away, sha) == ["Workflow - ci"]


async def test_a_pull_request_that_was_opened_meanwhile_starts_what_its_branch_alone_did_not(
    world: World,
) -> None:
    """Its commit has a check-run already: the refusal."""
    config = msgspec.structs.replace(world.stack.config, build_branches=Pattern("^main$"))
    world.stack = replace(world.stack, config=config)
    frequent(world)
    await world.kill()
    await world.start(SWEEPING)
    await world.push(PASSING)
    sha = await world.push({"a": "b"}, branch="topic")
    refused = await world.concluded(sha)
    await world.quiet()
    await swept(world)
    await world.kill()
    await world.stack.github.open_pull_request(REPOSITORY, head="topic")
    await world.stack.github.settled()
    world.stack.github.deliveries.sent.clear()
    await back_after(world, days=4)
    await world.until(lambda: "Workflow - ci" in names(world, sha))
    assert (refused.name, refused.conclusion) == ("Default Workflow", "neutral")


@pytest.mark.parametrize(
    ("method", "path", "how"),
    [
        ("GET", "/app/installations$", {"times": 3}),
        ("POST", "/access_tokens$", {"status": 502, "times": 3}),
        ("GET", "/installation/repositories$", {"status": 429, "headers": {"retry-after": "1"}}),
        ("POST", "/graphql$", {"status": 502, "times": 3}),
        ("POST", "/graphql$", {"status": 429, "headers": {"retry-after": "1"}}),
        ("GET", "/commits/", {"times": 3}),
    ],
)
async def test_a_comparison_that_fails_is_made_again(away: World, method: str, path: str, how: Any) -> None:
    sha = await away.push({"a": "b"}, branch="one")
    await away.stack.github.settled()
    away.stack.github.deliveries.sent.clear()
    fault = away.github_fault(method, path, **how)
    await back_after(away, days=4)
    await away.until(lambda: away.runs(sha))
    assert fault.times <= 0
    await swept(away, 2)
    assert names(away, sha) == ["Workflow - ci"]


async def test_only_what_the_server_serves_is_compared(away: World) -> None:
    await away.stack.github.create_repository("other/things")
    await away.stack.github.push("other/things", PASSING)
    options = replace(away.stack.options, owners=Pattern("^acme$"))
    away.stack = replace(away.stack, options=options)
    sha = await away.push({"a": "b"}, branch="one")
    await away.stack.github.settled()
    away.stack.github.deliveries.sent.clear()
    await back_after(away, days=4)
    await away.until(lambda: away.runs(sha))
    await swept(away)
    made = away.stored("SELECT repository FROM deliveries WHERE id LIKE 'sweep-%'")
    assert set(made) == {("acme/widgets",)}
    tokens = [each for each in away.stack.github.requests if each.path.endswith("/access_tokens")]
    assert len({each.path for each in tokens}) == 1
