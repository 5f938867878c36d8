"""`/kube-ci deploy`: ask for a deployment of a pull request's head, or of the default branch."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kubeci.errors import NotFound
from kubeci.model.build import BuildRequest
from kubeci.model.trust import What
from kubeci.service.answer import Answer, refused
from kubeci.service.ask_to_deploy import FORK, STAGING, ask_to_deploy
from kubeci.service.commands.asked import Asked, fork_of
from kubeci.service.identity import explicit_build_id
from kubeci.service.named import Asker, request_of_ref
from kubeci.service.rooms import Rooms

ONE_ENVIRONMENT = "please specify one environment, and a template as `--template NAME`"
TEMPLATE = "--template"


@dataclass(frozen=True, slots=True)
class Target:
    """What `deploy` was given."""

    environment: str = STAGING
    template: str = ""


def read_target(args: tuple[str, ...]) -> Target | None:
    """Read `[ENV] [--template NAME]`, in any order; None: that is not what was written."""
    words, target, rest = list(args), Target(), list[str]()
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if name != TEMPLATE:
            rest.append(word)
            continue
        value = value if equals else words.pop(0) if words else ""
        if not value or target.template:
            return None
        target = replace(target, template=value)
    if len(rest) > 1 or any(not word or word.startswith("-") for word in rest):
        return None
    return replace(target, environment=rest[0]) if rest else target


async def deploy(asked: Asked, rooms: Rooms) -> Answer:
    """Create the GitHub deployment that starts the run."""
    target = read_target(asked.command.args)
    if target is None:
        return refused(ONE_ENVIRONMENT)
    request = await _request(asked, rooms)
    if isinstance(request, Answer):
        return request
    return await ask_to_deploy(
        request, target.environment, target.template, rooms, explicit_build_id(asked.wish)
    )


async def _request(asked: Asked, rooms: Rooms) -> BuildRequest | Answer:
    if asked.post.on_pull_request:
        pull = await rooms.github.pull_requests.read(asked.repository, asked.post.number)
        if not pull.open:
            return refused("the pull request is closed")
        return refused(FORK) if fork_of(pull, asked.repository) else asked.request(pull)
    asker = Asker(explicit_build_id(asked.wish), What.COMMAND, asked.event.author)
    try:
        request = await request_of_ref(asked.named, "", rooms, asker)
    except NotFound:
        return refused("the repository has no default branch yet")
    return replace(request, event=asked.event.payload)
