from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.errors import Invalid
from kubeci.model.slack import SlackCommand
from kubeci.slack.commands import TEXT_LIMIT, is_certificate_check, read_command
from kubeci.slack.response_urls import answerable

SLACK = "https://slack.com/api/"
FORM = {
    "token": "x",
    "team_id": "T1",
    "channel_id": "C1",
    "channel_name": "builds",
    "user_id": "U1",
    "user_name": "ada",
    "command": "/ci-build",
    "text": "acme/widgets &lt;main&gt; a&amp;b",
    "response_url": "https://hooks.slack.com/commands/T1/2/abc-_",
    "trigger_id": "13345224609.738474920.8088930838d88f008e0",
}


def body(**changes: str | None) -> bytes:
    form = FORM | changes
    return urlencode({name: value for name, value in form.items() if value is not None}).encode()


def test_a_form_becomes_a_command() -> None:
    assert read_command(body(), slack_url=SLACK) == SlackCommand(
        "/ci-build", "acme/widgets <main> a&b", "U1", "ada", "C1", "T1", FORM["response_url"], FORM["trigger_id"]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"command": None}, "command"),
        ({"command": "ci-build"}, "command"),
        ({"command": "/a b"}, "command"),
        ({"user_id": ""}, "user_id"),
        ({"user_id": "U1 U2"}, "user_id"),
        ({"channel_id": "C" * 65}, "channel_id"),
        ({"team_id": None}, "team_id"),
        ({"trigger_id": ""}, "trigger_id"),
        ({"trigger_id": "a\n"}, "trigger_id"),
        ({"response_url": None}, "response_url"),
        ({"response_url": "https://evil.example/"}, "response_url"),
    ],
)
def test_a_field_that_is_not_what_slack_sends(changes: dict[str, str | None], named: str) -> None:
    with pytest.raises(Invalid, match=f"`{named}`"):
        read_command(body(**changes), slack_url=SLACK)


@pytest.mark.parametrize("form", [b"\xff", b"a=%ff", b"text=1&text=2", b"&".join([b"a=1"] * 100), b""])
def test_what_is_no_form_is_refused(form: bytes) -> None:
    with pytest.raises(Invalid):
        read_command(form, slack_url=SLACK)


def test_long_text_is_bounded() -> None:
    assert len(read_command(body(text="x" * 50_000), slack_url=SLACK).text) == TEXT_LIMIT


def test_slack_looks_at_our_certificate() -> None:
    assert is_certificate_check(b"ssl_check=1&token=x")
    assert not is_certificate_check(body())


LOCAL = "http://127.0.0.1:4711/api/"


@pytest.mark.parametrize(
    ("url", "slack", "taken"),
    [
        ("https://hooks.slack.com/commands/T1/2/abc", SLACK, True),
        ("https://hooks.slack-gov.com/commands/T1/2/abc", "https://slack-gov.com/api/", True),
        ("http://127.0.0.1:4711/commands/1", LOCAL, True),
        ("https://hooks.slack.com/commands/1", LOCAL, False),
        ("http://127.0.0.1:4711/commands/1", SLACK, False),
        ("http://127.0.0.1:4712/commands/1", LOCAL, False),
        ("http://hooks.slack.com/commands/1", SLACK, False),
        ("https://hooks.slack.com.evil.example/", SLACK, False),
        ("https://hooks.slack.com@evil.example/", SLACK, False),
        ("https://hooks.slack.com:443@evil.example/", SLACK, False),
        (r"https://hooks.slack.com\@evil.example/", SLACK, False),
        ("https://hooks.slack.com:8443/", SLACK, False),
        ("https://evil.example/?https://hooks.slack.com/", SLACK, False),
        ("https://hooks.slack.com/", SLACK, False),
        ("https://hooks.slack.com/a?b", SLACK, False),
        ("https://hooks.slack.com/a\r\nHost: x", SLACK, False),
        ("HTTPS://hooks.slack.com/a", SLACK, False),
        ("http://169.254.169.254/latest/meta-data", SLACK, False),
        ("", SLACK, False),
    ],
)
def test_answers_go_to_slack_alone(url: str, slack: str, taken: bool) -> None:
    assert answerable(url, slack) is taken


@given(st.text(st.characters()))
def test_no_other_host_is_answerable(text: str) -> None:
    assert answerable(text, SLACK) is False
    assert not answerable(f"https://hooks.slack.com{text}", SLACK) or text.startswith("/")
