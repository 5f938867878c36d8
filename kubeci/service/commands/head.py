"""Which commit of a pull request a comment means: the head that its author looked at."""

from __future__ import annotations

import re

from kubeci.model.conversation import PullRequestHead
from kubeci.report.markdown import code
from kubeci.service.answer import Answer, refused
from kubeci.service.commands.asked import Asked
from kubeci.service.commands.seen import unseen
from kubeci.service.rooms import Rooms

SHORT = 7
_SHA = re.compile(r"[0-9a-f]{7,64}")


def named_sha(asked: Asked) -> str | Answer:
    """Give the sha, or its first digits, that stands after a command; empty: none does."""
    name, args = asked.command.name, asked.command.args
    sha = args[0].lower() if args else ""
    if len(args) > 1 or (sha and not _SHA.fullmatch(sha)):
        return refused(f"write `/kube-ci {name}`, or the sha of the head after it, at least {SHORT} digits")
    return sha


async def why_not(pull: PullRequestHead, sha: str, asked: Asked, rooms: Rooms) -> str:
    """Say why a comment does not let the head of a pull request be built as it is now; empty: it does.

    A fork's head may be pushed to at any moment: where the pull request has changed since the comment, only a whole sha
    says which commit was looked at. A few of its digits can be had for any content.
    """
    if not pull.open:
        return "the pull request is closed"
    way_out = f"look at {code(pull.head_sha[:SHORT])} and write " + code(
        f"/kube-ci {asked.command.name} {pull.head_sha}"
    )
    if not pull.head_sha.startswith(sha):
        return f"the head is not {code(sha)}; {way_out}"
    if sha != pull.head_sha and await unseen(pull, asked, rooms.builds, rooms.github.checks):
        return f"the head may be newer than this comment; {way_out}"
    return ""
