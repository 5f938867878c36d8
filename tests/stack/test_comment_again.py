"""A comment that another process handles again, since nobody noted that it was done, stops nothing that came since."""

from __future__ import annotations

from tests_stack import PASSING, REPOSITORY
from world import Step, World


async def test_a_cancel_leaves_what_the_same_comment_began(world: World) -> None:
    github = world.stack.github
    await world.push({"README": "x"})
    await world.push(PASSING, branch="feature")
    pull = await github.open_pull_request(REPOSITORY, head="feature")
    old = await world.submitted()
    world.status(old, "Running", Step("a", "Running"))
    await world.quiet()
    answers = world.github_fault("POST", "/reactions$", status=502, times=1000)
    comment = await github.comment(REPOSITORY, pull.number, "/kube-ci cancel\n/kube-ci run", by="octocat")
    new = await world.submitted(2)
    await world.until(lambda: answers.times < 1000)
    await world.kill()
    github.faults.clear()
    await world.start()
    await world.until(lambda: github.state.reactions.get(comment.id))
    await world.quiet()
    stopped = {each["metadata"]["name"]: each["spec"].get("shutdown") for each in world.workflows()}
    assert stopped == {old: "Stop", new: None}
