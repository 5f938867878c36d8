"""What comes from Slack and what is said there, in Slack's words (docs.slack.dev, "Implementing slash commands")."""

from __future__ import annotations

from dataclasses import dataclass

SLACK_EVENT = "slack_command"
"""The name under which commands stand in the inbox."""


@dataclass(frozen=True, slots=True)
class SlackCommand:
    """A slash command as somebody gave it."""

    command: str
    """With its slash: `/ci-build`."""
    text: str
    """What stands behind it."""
    user_id: str
    user_name: str
    """For people alone, since Slack does not keep it unique; empty where it is an odd one."""
    channel_id: str
    team_id: str
    response_url: str
    """Where answers may be sent for 30 minutes, five at most; who knows it may write there."""
    trigger_id: str
    """Another one for each command that is given."""


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """What is said in a channel; `text` is mrkdwn whose foreign parts are escaped."""

    text: str
    public: bool = False
    """Seen by everybody in the channel; else by who gave the command alone."""
