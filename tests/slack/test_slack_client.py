from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kubeci.errors import Forbidden, Invalid, NotFound, RateLimited, UpstreamError
from kubeci.local.github.faults import Fault
from kubeci.local.slack.server import LocalSlack
from kubeci.slack.client import SlackClient
from kubeci.slack.connect import connect

POST, ANSWER = "chat.postMessage", "/commands/"


@asynccontextmanager
async def slack() -> AsyncIterator[tuple[LocalSlack, SlackClient]]:
    async with (
        LocalSlack() as local,
        SlackClient(local.token, local.api_url, trust_env=False, answer_seconds=0.5) as client,
    ):
        local.add_channel("builds")
        local.add_channel("secret", member=False)
        local.add_channel("old").archived = True
        yield local, client


async def test_a_message_arrives_as_it_was_written() -> None:
    async with slack() as (local, client):
        await client.post("#builds", "*bold* <https://x.example|x> &lt;!channel&gt;")
        await client.post(local.workspace.channels["C00000001"].id, "by id")
        assert [said.text for said in local.messages("builds")] == [
            "*bold* <https://x.example|x> &lt;!channel&gt;",
            "by id",
        ]


REFUSED: list[tuple[str, str, type[UpstreamError], str]] = [
    ("nowhere", "text", NotFound, "channel_not_found"),
    ("secret", "text", Forbidden, "invite the app"),
    ("old", "text", Forbidden, "is_archived"),
    ("builds", "x" * 40_001, Invalid, "msg_too_long"),
]


async def test_refusals_say_what_to_do() -> None:
    async with slack() as (_, client):
        for channel, text, kind, words in REFUSED:
            with pytest.raises(kind, match=words) as caught:
                await client.post(channel, text)
            assert channel in str(caught.value)
            assert not caught.value.retryable


async def test_a_wrong_token_is_told_and_not_shown() -> None:
    async with slack() as (local, _), SlackClient("xoxb-wrong", local.api_url, trust_env=False) as client:
        with pytest.raises(Forbidden, match=r"invalid_auth .*; the token is wrong") as caught:
            await client.post("builds", "text")
        assert "xoxb" not in repr(caught.value)
        assert caught.value.__cause__ is None


FAULTS: list[tuple[Fault, type[UpstreamError], bool, str]] = [
    (
        Fault("*", ".", 429, {"Retry-After": "7"}, '{"ok": false, "error": "ratelimited"}'),
        RateLimited,
        True,
        "ratelimited",
    ),
    (Fault("*", ".", 429, {"Retry-After": "soon"}, "{}"), RateLimited, True, "429"),
    (Fault("*", ".", 503, {"Content-Type": "text/html"}, "<h1>xoxb</h1>"), UpstreamError, True, "503"),
    (Fault("*", ".", 500, {}, '{"ok": false, "error": "fatal_error"}'), UpstreamError, True, "fatal_error"),
    (Fault("*", ".", 502, {}, "{"), UpstreamError, True, "502"),
    (Fault("*", ".", None), UpstreamError, True, "could not be sent"),
    (Fault("*", ".", None, delay_seconds=2.0), UpstreamError, True, "in time"),
    (Fault("*", ".", 307, {"Location": "http://127.0.0.1:1/"}, ""), UpstreamError, False, "redirect"),
    (Fault("*", ".", 404, {}, '{"ok": false, "error": "<@U1> evil"}'), UpstreamError, False, "answered 404"),
]


@pytest.mark.parametrize(("fault", "kind", "retryable", "words"), FAULTS, ids=lambda value: str(value)[:60])
async def test_what_slack_does_badly(
    fault: Fault,
    kind: type[UpstreamError],
    retryable: bool,
    words: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with slack() as (local, client):
        door = local.workspace.open_door(local.workspace.channels["C00000001"], "U1")
        for times in range(2):
            fault.times = 1
            local.faults.add(fault)
            url = f"{local.base_url}/commands/{door}"
            sent = client.respond(url, "text", public=True) if times else client.post("builds", "text")
            with pytest.raises(kind, match=words) as caught:
                await sent
            assert caught.value.retryable is retryable
            assert local.token not in str(caught.value)
            assert door not in str(caught.value)
            local.faults.clear()
    assert local.token not in caplog.text
    assert not [record for record in caplog.records if record.name.startswith("kubeci.slack")]


async def test_a_limit_says_how_long_to_wait() -> None:
    async with slack() as (local, client):
        for header, seconds in (("7", 7.0), ("soon", 30.0), ("99999999", 3600.0)):
            local.faults.add(Fault("*", ".", 429, {"Retry-After": header}, '{"error": "ratelimited"}'))
            with pytest.raises(RateLimited) as caught:
                await client.post("builds", "text")
            assert caught.value.retry_after == seconds


async def test_a_command_is_answered_five_times_and_nowhere_else() -> None:
    async with slack() as (local, client):
        channel = local.workspace.find("builds")
        assert channel
        url = f"{local.base_url}/commands/{local.workspace.open_door(channel, 'U1')}"
        for number in range(5):
            await client.respond(url, f"answer {number}", public=bool(number % 2))
        with pytest.raises(NotFound, match=r"used_url .*; a command can be answered five times"):
            await client.respond(url, "answer 6", public=True)
        with pytest.raises(NotFound, match="expired_url"):
            await client.respond(f"{local.base_url}/commands/guessed", "text", public=True)
        for elsewhere in ("https://hooks.slack.com/commands/1", "http://127.0.0.1:1/commands/1"):
            with pytest.raises(Forbidden, match="does not lead to Slack"):
                await client.respond(elsewhere, "text", public=True)
        assert [(said.text, said.only_to) for said in local.messages("builds")] == [
            (f"answer {number}", "" if number % 2 else "U1") for number in range(5)
        ]


async def test_a_proxy_of_the_environment_is_used_only_when_it_is_to_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with LocalSlack() as local:
        local.add_channel("builds")
        async with connect(local.token, local.api_url, trust_env=False) as client:
            await client.post("builds", "past the proxy")
        async with connect(local.token, local.api_url, trust_env=True) as client:
            with pytest.raises(UpstreamError, match="could not be sent"):
                await client.post("builds", "by the proxy")
            monkeypatch.setenv("NO_PROXY", "127.0.0.1")
            await client.post("builds", "past it again")
        assert [said.text for said in local.messages("builds")] == ["past the proxy", "past it again"]


def test_slack_sdk_is_not_loaded_by_the_door_to_it() -> None:
    import subprocess  # noqa: PLC0415 - only here
    import sys  # noqa: PLC0415 - only here

    program = (
        "import sys, kubeci.slack.connect, kubeci.slack.commands, kubeci.web.slack, kubeci.service.slack; "
    )
    program += "sys.exit(any(name.split('.')[0] in ('slack_sdk', 'aiohttp') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
