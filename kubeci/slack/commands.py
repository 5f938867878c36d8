"""Read the form that a slash command arrives as (docs.slack.dev, "Implementing slash commands")."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from kubeci.errors import Invalid
from kubeci.model.slack import SlackCommand
from kubeci.slack.response_urls import answerable

TEXT_LIMIT = 4_000  # characters; no command of ours needs as many
_FIELDS = 64
_ID = re.compile(r"[A-Za-z0-9]{1,64}")
_TRIGGER = re.compile(r"[A-Za-z0-9._-]{1,200}")
_NAME = re.compile(r"[\w.-]{1,80}")
_COMMAND = re.compile(r"/[^\s/]{1,64}")


def is_certificate_check(body: bytes) -> bool:
    """Say whether Slack only looks at our certificate, which it does now and then; 200 is all it wants."""
    return _form(body).get("ssl_check") == "1"


def read_command(body: bytes, *, slack_url: str) -> SlackCommand:
    """Read a form; `Invalid` when it is none, lacks a field, or wants its answer anywhere but at the Slack at `slack_url`."""
    form = _form(body)
    for field, shape in (
        ("command", _COMMAND), ("user_id", _ID), ("channel_id", _ID), ("team_id", _ID), ("trigger_id", _TRIGGER)
    ):  # fmt: skip
        if not shape.fullmatch(form.get(field, "")):
            raise Invalid(f"the form's field `{field}` is missing or malformed", status=400)
    if not answerable(form.get("response_url", ""), slack_url):
        raise Invalid("the form's field `response_url` does not lead to Slack", status=400)
    return SlackCommand(
        command=form["command"],
        text=_unescape(form.get("text", "")[:TEXT_LIMIT]),
        user_id=form["user_id"],
        user_name=name if _NAME.fullmatch(name := form.get("user_name", "")) else "",
        channel_id=form["channel_id"],
        team_id=form["team_id"],
        response_url=form["response_url"],
        trigger_id=form["trigger_id"],
    )


def _form(body: bytes) -> dict[str, str]:
    """Decode a form; a field that is there twice is refused, since readers differ on which of them counts."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS
        )
    except ValueError as error:  # UnicodeDecodeError is one
        raise Invalid("the body is no form of UTF-8 text", status=400) from error
    form = dict(pairs)
    if len(form) < len(pairs):
        raise Invalid("a field of the form is there twice", status=400)
    return form


def _unescape(text: str) -> str:
    # Slack escapes these three (docs.slack.dev, "Formatting message text").
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
