"""The harness of `make chaos` knows what GitHub could not deliver yet."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chaos.world import REPOSITORIES, world_in
from kubeci.local.serving import serving


async def test_what_was_never_answered_well_is_told_until_it_is(tmp_path: Path) -> None:
    answers = {"push": 503}

    async def receive(request: Request) -> Response:
        return Response(status_code=answers.get(request.headers["x-github-event"], 202))

    hook = Starlette(routes=[Route("/", receive, methods=["POST"])])
    async with world_in(tmp_path) as world, serving(hook) as url:
        github = world.github
        await github.settled()
        github.deliveries.sent.clear()
        github.webhook_url = f"{url}/"
        await github.push(REPOSITORIES[0], {"a": "1"}, branch="one")
        github.deliver("ping", {})
        await github.settled()
        [push] = [each for each in github.deliveries.sent if each.event == "push"]
        assert world.unanswered() == {push.guid}

        answers["ping"] = 503  # nothing that the server reads
        github.deliver("ping", {})
        answers.pop("push")
        github.deliveries.add(push.event, push.payload, guid=push.guid)
        assert world.unanswered() == {push.guid}
        await github.settled()
        assert world.unanswered() == set()
        assert [each.status for each in github.deliveries.sent if each.guid == push.guid] == [
            "Invalid HTTP Response: 503",
            "OK",
        ]
