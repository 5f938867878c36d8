from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from kubeci.local.serving import serving
from kubeci.local.slack.page import render
from kubeci.local.slack.server import LocalSlack


class App:
    """An app of Slack's that answers what the test says."""

    def __init__(self) -> None:
        self.seen: list[tuple[dict[str, str], bytes]] = []
        self.answer: Response = Response()
        self.hangs = False
        self.web = Starlette(routes=[Route("/cmd", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        self.seen.append((dict(request.headers), await request.body()))
        if self.hangs:
            await asyncio.sleep(60)
        return self.answer


class Clock:
    """The time, which a test puts forward."""

    ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack(now=Clock(), answer_seconds=0.3) as made:
        made.add_channel("builds")
        made.add_channel("secret", member=False)
        yield made


@pytest.fixture
async def app(slack: LocalSlack) -> AsyncIterator[App]:
    made = App()
    async with serving(made.web) as url:
        slack.request_url = f"{url}/cmd"
        yield made


async def test_a_command_is_sent_as_slack_sends_it(slack: LocalSlack, app: App) -> None:
    assert await slack.command("builds", "U1", "/ci-build", "acme/widgets a&b") == ""
    [(headers, body)] = app.seen
    assert SignatureVerifier(slack.signing_secret).is_valid_request(body, headers)
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    assert (form["command"], form["text"]) == ("/ci-build", "acme/widgets a&amp;b")
    assert form["response_url"].startswith(f"{slack.base_url}/commands/")
    await slack.command("builds", "U1", "/ci-build")
    assert parse_qs(app.seen[1][1].decode())["trigger_id"] != [form["trigger_id"]]


SHOWN = [
    (JSONResponse({"response_type": "in_channel", "text": "all see"}), "all see", ""),
    (JSONResponse({"response_type": "ephemeral", "text": "one sees"}), "one sees", "U1"),
    (JSONResponse({"text": "one sees"}), "one sees", "U1"),
    (PlainTextResponse("plain"), "plain", "U1"),
    (JSONResponse({}, 500), "dispatch_failed", "U1"),
    (Response(status_code=302, headers={"location": "/elsewhere"}), "dispatch_failed", "U1"),
]


async def test_an_answer_is_shown_to_whom_it_is_meant_for(slack: LocalSlack, app: App) -> None:
    for answer, seen, only_to in SHOWN:
        app.answer = answer
        assert await slack.command("builds", "U1", "/ci-build") == seen
        said = slack.messages("builds")[-1]
        assert seen in said.text
        assert said.only_to == only_to


async def test_nobody_waits_long_for_an_answer(slack: LocalSlack, app: App) -> None:
    app.hangs = True
    assert await slack.command("builds", "U1", "/ci-build") == "operation_timeout"
    assert "operation_timeout" in slack.messages("builds")[0].text
    slack.request_url = "http://127.0.0.1:1/"
    assert await slack.command("builds", "U1", "/ci-build") == "dispatch_failed"


async def post(slack: LocalSlack, path: str, body: Any, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, verify=False, base_url=slack.base_url) as client:
        return await client.post(path, json=body, headers=headers)


async def test_messages_need_the_token_and_a_channel_of_the_app(slack: LocalSlack) -> None:
    good = {"authorization": f"Bearer {slack.token}"}
    text = {"text": "hello"}
    for headers, body, error in (
        ({}, text, "not_authed"),
        ({"authorization": "Bearer xoxb-wrong"}, text, "invalid_auth"),
        ({"authorization": f"Basic {slack.token}"}, text, "invalid_auth"),
        (good, {"channel": "nowhere", **text}, "channel_not_found"),
        (good, {"channel": "secret", **text}, "not_in_channel"),
        (good, {"channel": "builds"}, "no_text"),
        (good, {"channel": "builds", "text": "x" * 40_001}, "msg_too_long"),
        (good, [], "invalid_json"),
    ):
        answer = await post(slack, "/api/chat.postMessage", body, **headers)
        assert (answer.status_code, answer.json()) == (200, {"ok": False, "error": error})
    answer = await post(slack, "/api/chat.postMessage", {"channel": "#builds", **text}, **good)
    assert answer.json()["ok"]
    assert [said.ts for said in slack.messages("builds")] == [answer.json()["ts"]]
    assert (await post(slack, "/api/users.list", {}, **good)).json()["error"] == "unknown_method"


async def test_a_command_is_answered_five_times_within_half_an_hour(slack: LocalSlack, app: App) -> None:
    urls = []
    for number in range(2):
        await slack.command("builds", "U1", "/ci-build")
        urls += parse_qs(app.seen[number][1].decode())["response_url"]
    answers = [await post(slack, urls[0], {"text": str(number)}) for number in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert answers[5].json()["error"] == "used_url"
    assert {said.only_to for said in slack.messages("builds")} == {"U1"}
    assert isinstance(slack.workspace.now, Clock)
    slack.workspace.now.ahead = timedelta(minutes=29)
    assert (await post(slack, urls[1], {"text": "x", "response_type": "in_channel"})).text == "ok"
    assert slack.messages("builds")[-1].only_to == ""
    slack.workspace.now.ahead = timedelta(minutes=31)
    for url in (urls[1], f"{slack.base_url}/commands/guessed"):
        assert (await post(slack, url, {"text": "x"})).json()["error"] == "expired_url"
    assert (await post(slack, urls[1], {})).status_code == 400


async def test_the_page_shows_what_was_said_and_gives_commands(slack: LocalSlack, app: App) -> None:
    app.answer = JSONResponse({"response_type": "in_channel", "text": "see <https://x.example/?a&amp;b|*x*>"})
    async with httpx.AsyncClient(
        trust_env=False, verify=False, base_url=slack.base_url, follow_redirects=True
    ) as browser:
        form = {"channel": "builds", "user": "U1", "text": "/ci-build a/b"}
        page = await browser.post("/say", data=form)
        assert page.status_code == 200
        assert '<a href="https://x.example/?a&amp;b" rel="noreferrer">*x*</a>' in page.text
        assert "#secret" in page.text
        for wrong in ({**form, "user": "<b>"}, {**form, "text": "hello"}, {**form, "channel": "x"}):
            assert (await browser.post("/say", data=wrong)).status_code == 400
        evil = await browser.post("/say", data=form, headers={"sec-fetch-site": "cross-site"})
        assert evil.status_code == 403
        assert (await browser.get("/", headers={"host": "evil.example"})).status_code == 400
    assert len(app.seen) == 1


@pytest.mark.parametrize(
    ("mrkdwn", "page"),
    [
        ("a `b &lt;c&gt;` d", "a <code>b &lt;c&gt;</code> d"),
        ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"),
        ("<javascript:x|y>", "&lt;javascript:x|y&gt;"),
        ("<@U1>: &amp;lt;", "<b>@U1</b>: &amp;lt;"),
        ('<https://x/"onload=|y>', '<a href="https://x/&#34;onload=" rel="noreferrer">y</a>'),
    ],
)
def test_the_page_writes_nothing_foreign_as_html(mrkdwn: str, page: str) -> None:
    assert str(render(mrkdwn)) == page
