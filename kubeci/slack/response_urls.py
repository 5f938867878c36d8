"""Where answers to slash commands may be sent, so that no request makes us send anything elsewhere."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# Slack's own and that for governments (docs.slack.dev, "GovSlack").
_CLOUDS = frozenset({"slack.com", "slack-gov.com"})
_PATH = re.compile(r"[A-Za-z0-9/_.~%-]{1,1000}")


def answerable(response_url: str, slack_url: str) -> bool:
    """Say whether a `response_url` leads to the Slack whose Web API is at `slack_url`.

    That is `https://hooks.slack.com/` for Slack, and for another server its own scheme, host and port. The address must begin
    with exactly that, up to the slash after the host: no two readers of it can then see different hosts.
    """
    door = _door(slack_url)
    return response_url.startswith(door) and bool(_PATH.fullmatch(response_url, len(door)))


def _door(slack_url: str) -> str:
    parts = urlsplit(slack_url)
    if parts.hostname in _CLOUDS:
        return f"https://hooks.{parts.hostname}/"
    return f"{parts.scheme}://{parts.netloc}/"
