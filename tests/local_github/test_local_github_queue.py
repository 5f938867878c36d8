from __future__ import annotations

from typing import Any

import pytest
from local_github_kit import Receiver

from kubeci.local.github.git import refs
from kubeci.local.github.server import LocalGitHub
from kubeci.local.github.state import PullRequest


@pytest.fixture
async def pulls(github: LocalGitHub) -> list[PullRequest]:
    base = await github.push("acme/widgets", {"a": "1"})
    opened = []
    for name in ("one", "two", "three"):
        await github.push("acme/widgets", {name: "1"}, branch=name, base=base)
        opened.append(await github.open_pull_request("acme/widgets", head=name))
    return opened


async def told(github: LocalGitHub, receiver: Receiver) -> list[tuple[Any, ...]]:
    """What was told of merge groups: action, pull request and reason."""
    await github.settled()
    return [
        (body["action"], body["merge_group"]["head_ref"].split("/pr-")[1][0], body.get("reason"))
        for body in receiver.named("merge_group")
    ]


async def queue_branches(github: LocalGitHub) -> list[str]:
    folder = github.state.repository("acme/widgets").path  # type: ignore[union-attr]  # it was just made
    return [ref.split("/pr-")[1][0] for ref in await refs(folder, "refs/heads/gh-readonly-queue/")]


async def test_a_queued_pull_request_is_checked_on_a_branch_of_its_own(
    github: LocalGitHub, receiver: Receiver, pulls: list[PullRequest]
) -> None:
    await github.settled()
    before = len(receiver.events)
    group = await github.enqueue(pulls[0])
    await github.settled()
    names = [(name, body.get("action")) for name, body, _ in receiver.events[before:]]
    assert names == [
        ("create", None),
        ("push", None),
        ("check_suite", "requested"),
        ("pull_request", "enqueued"),
        ("merge_group", "checks_requested"),
    ]
    assert group.branch == f"gh-readonly-queue/main/pr-1-{group.base_sha}"
    event = receiver.named("merge_group")[0]
    assert event["merge_group"]["head_ref"] == f"refs/heads/{group.branch}"
    assert event["merge_group"]["base_ref"] == "refs/heads/main"
    assert event["merge_group"]["head_commit"]["id"] == event["merge_group"]["head_sha"] == group.head_sha
    assert event["sender"]["login"] == "github-merge-queue[bot]"
    suite = receiver.named("check_suite", "requested")[-1]["check_suite"]
    assert (suite["head_branch"], suite["head_sha"]) == (group.branch, group.head_sha)
    sha = await github.merge_queued(pulls[0])
    await github.settled()
    assert sha == group.head_sha
    assert receiver.named("pull_request", "closed")[0]["pull_request"]["merged"] is True
    assert await told(github, receiver) == [("checks_requested", "1", None), ("destroyed", "1", "merged")]
    assert receiver.named("check_suite", "requested")[-1]["check_suite"] == suite, "one suite a commit"
    assert receiver.named("delete")[-1]["ref"] == group.branch


async def test_who_leaves_invalidates_those_behind(
    github: LocalGitHub, receiver: Receiver, pulls: list[PullRequest]
) -> None:
    groups = [await github.enqueue(pull) for pull in pulls]
    assert [group.base_sha for group in groups[1:]] == [group.head_sha for group in groups[:2]]
    assert await queue_branches(github) == ["1", "2", "3"]
    await github.dequeue(pulls[1])
    assert (await told(github, receiver))[3:] == [
        ("destroyed", "2", "dequeued"),
        ("destroyed", "3", "invalidated"),
        ("checks_requested", "3", None),
    ]
    assert pulls[2].group is not None
    assert pulls[2].group.base_sha == groups[0].head_sha
    with pytest.raises(ValueError, match="not the queue's first"):
        await github.merge_queued(pulls[2])
    await github.merge_queued(pulls[0])
    await github.merge_queued(pulls[2])
    assert await queue_branches(github) == []
    assert [pull.merged_at is not None for pull in pulls] == [True, False, True]


async def test_who_cannot_queue(github: LocalGitHub, pulls: list[PullRequest]) -> None:
    one, two, three = pulls
    await github.convert_to_draft(one)
    await github.close_pull_request(two)
    await github.enqueue(three)
    for pull in pulls:
        with pytest.raises(ValueError, match="closed, a draft or queued already"):
            await github.enqueue(pull)
    with pytest.raises(ValueError, match="not in the queue"):
        await github.dequeue(one)


async def test_closing_and_drafting_leave_the_queue(
    github: LocalGitHub, receiver: Receiver, pulls: list[PullRequest]
) -> None:
    for pull in pulls[:2]:
        await github.enqueue(pull)
    with pytest.raises(ValueError, match="is queued"):
        await github.merge_pull_request(pulls[0])
    await github.close_pull_request(pulls[0])
    await github.convert_to_draft(pulls[1])
    assert await queue_branches(github) == []
    assert (await told(github, receiver))[2:] == [
        ("destroyed", "1", "dequeued"),
        ("destroyed", "2", "invalidated"),
        ("checks_requested", "2", None),
        ("destroyed", "2", "dequeued"),
    ]
