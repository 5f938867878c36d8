"""What is kept of deliveries goes after the setting `retention`."""

from __future__ import annotations

from datetime import timedelta

from tests_stack import PASSING
from world import World


async def test_deliveries_and_their_traces_go_after_a_while(world: World) -> None:
    sha = await world.push(PASSING)
    await world.submitted()
    await world.quiet()
    events = {event for [event] in world.stored("SELECT event FROM deliveries")}
    assert events == {"create", "check_suite", "push"}, (
        "the branch's creation was ignored, and kept with the reason"
    )
    [[ignored]] = world.stored("SELECT reason FROM deliveries WHERE event = 'create'")
    assert ignored == "create of a branch: only tags are built by it"
    traced = {name for [name] in world.stored("SELECT delivery_id FROM traces")}
    assert traced == {name for [name] in world.stored(f"SELECT id FROM deliveries WHERE sha = '{sha}'")}
    await world.kill()
    world.clock.ahead = timedelta(hours=721)
    await world.start()
    await world.until(lambda: not world.stored("SELECT 1 FROM deliveries"))
    assert world.stored("SELECT 1 FROM traces") == []
