"""`/kube-ci setup`: write a template of the operator's into the repository."""

from __future__ import annotations

from kubeci.service.answer import Answer, refused
from kubeci.service.commands.asked import Asked, fork_of
from kubeci.service.rooms import Rooms
from kubeci.service.set_up import set_up, templates_of


async def setup(asked: Asked, rooms: Rooms) -> Answer:
    """Write a template on the pull request's branch, elsewhere on the default branch."""
    if len(asked.command.args) != 1:
        return refused(f"please specify one template\n\n{templates_of(rooms.config)}")
    branch = ""
    if asked.post.on_pull_request:
        pull = await rooms.github.pull_requests.read(asked.repository, asked.post.number)
        if fork_of(pull, asked.repository):
            return refused("the pull request comes from another repository, where this App writes nothing")
        if not pull.open:
            return refused("the pull request is closed")
        branch = pull.head_ref
    login = asked.event.author.login
    return await set_up(asked.named, branch, asked.command.args[0], login, asked.post.url, rooms)
