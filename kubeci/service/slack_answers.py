"""What is answered to a Slack command, at once and later (contract, section 9)."""

from __future__ import annotations

from collections.abc import Mapping

from kubeci.model.slack import SlackCommand, SlackMessage
from kubeci.policy.slack import SlackWish
from kubeci.report.mrkdwn import code, cut, link, of_markdown, sentence
from kubeci.service.answer import Answer
from kubeci.settings.slack import SlackVerb


def private(reason: str) -> SlackMessage:
    """Tell whoever gave a command alone."""
    return SlackMessage(sentence(reason))


def listed(templates: Mapping[str, str]) -> SlackMessage:
    """List templates by name and description."""
    if not templates:
        return private("the operator offers no templates: there are none in the setting `templates`")
    lines = [f"• {code(name)} {sentence(text, 200)}".rstrip() for name, text in sorted(templates.items())]
    return SlackMessage(cut("\n".join(["There are these templates:", *lines])))


def begun(command: SlackCommand, wish: SlackWish) -> SlackMessage:
    """Say what is begun, and for whom."""
    repository, first = code(wish.full_name), code(wish.word(0))
    match wish.verb:
        case SlackVerb.BUILD:
            what = f"building {repository} at {first or 'its default branch'}"
        case SlackVerb.DEPLOY:
            what = f"deploying {repository}" + (f" to {first}" if first else "")
        case SlackVerb.SETUP:
            branch = code(wish.word(1)) or "its default branch"
            what = f"setting up {repository} with the template {first} on {branch}"
    return SlackMessage(f"{what} for <@{command.user_id}>…", public=True)


def ended(wish: SlackWish, outcome: str, url: str = "") -> SlackMessage:
    """Say what came of a command; `url` leads to it, if there is such a place."""
    told = f"{code(wish.full_name)}: {sentence(outcome)}"
    return SlackMessage(f"{told} — {link(url, 'Argo')}" if url else told, public=True)


def answered(wish: SlackWish, answer: Answer) -> SlackMessage:
    """Say what a use case answers; a refusal to whoever gave the command alone."""
    return SlackMessage(cut(f"{code(wish.full_name)}: {of_markdown(answer.text)}"), public=answer.done)


def failed(wish: SlackWish, reason: str) -> SlackMessage:
    """Say why a command came to nothing, to whoever gave it alone."""
    return SlackMessage(f"{code(wish.full_name)}: {sentence(reason)}")
