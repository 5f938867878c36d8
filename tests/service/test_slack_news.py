from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import structlog

from kubeci.errors import UpstreamError
from kubeci.local.github.faults import Fault
from kubeci.local.slack.server import LocalSlack
from kubeci.model.build import Build
from kubeci.model.check_run import CheckRun, Conclusion, Status
from kubeci.model.deployment import DeploymentState
from kubeci.model.repository import Commit, Ref, Repository
from kubeci.service.news import MAX_TRIES, MAX_WAITING, News
from kubeci.settings.pattern import Pattern
from kubeci.settings.slack import News as On
from kubeci.settings.slack import SlackNews
from kubeci.slack.client import SlackClient

SHA = "0123456789abcdef0123456789abcdef01234567"
BUILD = Build(
    id="b1",
    commit=Commit(Repository("acme", "widgets", 1), SHA),
    ref=Ref("main"),
    entrypoint="",
    check_name="Workflow - ci",
    namespace="argo",
    workflow_name="w",
    created_at=datetime(2026, 11, 21, tzinfo=UTC),
    check_run_id=7,
    actor="ada",
    title="Add a wheel",
)
FAILED = CheckRun(
    "Workflow - ci",
    Status.COMPLETED,
    "Workflow Run (argo/w)",
    "**Failed** after 3s: `test` failed (`exit code 1`)\n\nmore",
    Conclusion.FAILURE,
    details_url="http://argo/workflows/argo/w",
)
PASSED = replace(FAILED, conclusion=Conclusion.SUCCESS, summary="**Succeeded**")
CANCELLED = replace(FAILED, conclusion=Conclusion.CANCELLED)
BROKEN = replace(BUILD, id="b0", conclusion="failure")
WORKING = replace(BUILD, id="b0", conclusion="success")

LEADS = (
    "<http://argo/workflows/argo/w|steps> · <https://github.com/acme/widgets/runs/7|check-run> · "
    f"<https://github.com/acme/widgets/commit/{SHA}|012345678> `Add a wheel`"
)


class Told:
    """Channels in memory; `refuse` may raise."""

    def __init__(self, refuse: Callable[[str], Exception | None] = lambda _: None) -> None:
        self.tried: list[tuple[str, str]] = []
        self.refuse = refuse

    async def post(self, channel: str, text: str) -> None:
        self.tried.append((channel, text))
        if error := self.refuse(channel):
            raise error


ALL = SlackNews("builds", (Pattern("acme/.*"),))


@asynccontextmanager
async def telling(told: Told, *rows: SlackNews) -> AsyncIterator[tuple[News, Callable[[], Awaitable[None]]]]:
    news = News(rows or (ALL,), told, "https://github.com", backoff=lambda _: 0.01)

    async def sent() -> None:
        async with asyncio.timeout(10):
            while news.waiting:
                await asyncio.sleep(0.005)

    task = asyncio.create_task(news.run())
    try:
        yield news, sent
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


BUILDS = [
    (
        FAILED,
        None,
        f":x: `acme/widgets` `main`: `Workflow - ci` failed\n*Failed* after 3s: `test` failed (`exit code 1`)\n{LEADS}",
    ),
    (FAILED, BROKEN, ":x: "),
    (PASSED, BROKEN, f":white_check_mark: `acme/widgets` `main`: `Workflow - ci` succeeds again\n{LEADS}"),
    (PASSED, replace(BROKEN, conclusion="timed_out"), ":white_check_mark: "),
    (PASSED, WORKING, ""),
    (PASSED, None, ""),
    (CANCELLED, BROKEN, ""),
]


@pytest.mark.parametrize(("check", "previous", "begins"), BUILDS)
async def test_failures_and_recoveries_are_news(check: CheckRun, previous: Build | None, begins: str) -> None:
    told = Told()
    async with telling(told) as (news, sent):
        for _ in range(2):  # told once, however often it is seen
            news.build_ended(BUILD, check, previous)
        await sent()
    assert [channel for channel, _ in told.tried] == ["builds"] * bool(begins)
    assert all(text.startswith(begins) for _, text in told.tried)


async def test_another_attempt_of_a_build_is_news_of_its_own_and_a_forks_build_is_none() -> None:
    told = Told()
    async with telling(told) as (news, sent):
        news.build_ended(BUILD, FAILED, None)
        news.build_ended(replace(BUILD, check_run_id=8), FAILED, None)
        news.build_ended(replace(BUILD, id="b2", head_repository="eve/widgets"), FAILED, None)
        await sent()
    assert len(told.tried) == 2


async def test_a_deployment_is_news_when_it_ended() -> None:
    told = Told()
    async with telling(told) as (news, sent):
        for state in DeploymentState:
            news.deployment_ended(BUILD, "production", state, "https://shop.example")
        await sent()
    texts = [text for _, text in told.tried]
    assert sorted(text.partition("\n")[0] for text in texts) == [
        ":rocket: `acme/widgets` deployed to `production` by `ada`",
        ":x: `acme/widgets` failed to deploy to `production` by `ada`",
        ":x: `acme/widgets` failed to deploy to `production` by `ada`",
    ]
    assert all("\n<https://shop.example|deployment> · <https://github.com/" in text for text in texts)


async def test_each_channel_hears_what_the_settings_say() -> None:
    told = Told()
    rows = (
        ALL,
        SlackNews("deploys", (Pattern("acme/widgets"),), (On.DEPLOYMENT,)),
        SlackNews("others", (Pattern("acme/wid"), Pattern("other/.*"))),
    )
    async with telling(told, *rows) as (news, sent):
        news.build_ended(BUILD, FAILED, None)
        news.deployment_ended(BUILD, "staging", DeploymentState.SUCCESS, "")
        await sent()
    assert sorted(channel for channel, _ in told.tried) == ["builds", "builds", "deploys"]


async def test_foreign_text_mentions_and_links_nobody() -> None:
    evil = "<!channel> @here `x` <https://evil.example|click> \u202e\nsecond *bold*"
    build = replace(BUILD, title=evil, actor=evil, ref=Ref(evil), check_name=evil)
    check = replace(
        FAILED,
        summary=f"**Failed**: ``{evil.splitlines()[0]}`` failed @channel <!here>\n",
        details_url="javascript:x",
    )
    told = Told()
    async with telling(told) as (news, sent):
        news.build_ended(build, check, None)
        news.deployment_ended(build, evil, DeploymentState.ERROR, "https://x.example/|y>a <!here>")
        await sent()
    for _, text in told.tried:
        assert "<!" not in text
        assert "<https://evil" not in text
        assert "@here" not in text
        assert "@channel" not in text
        assert "javascript" not in text
        assert "\u202e" not in text
        assert text.count("\n") <= 2


async def test_an_outage_is_waited_out_for_a_while_and_a_defect_too() -> None:
    failures = iter([UpstreamError("away", retryable=True), ValueError("ours"), None])
    told = Told(lambda _: next(failures))
    async with telling(told) as (news, sent):
        news.build_ended(BUILD, FAILED, None)
        await sent()
    assert len(told.tried) == 3


@pytest.mark.parametrize(("retryable", "tries"), [(True, MAX_TRIES), (False, 1)])
async def test_what_cannot_be_told_is_given_up_and_logged_once(retryable: bool, tries: int) -> None:
    told = Told(lambda _: UpstreamError("no such channel", retryable=retryable))
    with structlog.testing.capture_logs() as logs:
        async with telling(told) as (news, sent):
            for number in range(3):
                news.build_ended(replace(BUILD, id=f"b{number}"), FAILED, None)
                await sent()
    assert len(told.tried) == 3 * tries
    errors = [entry for entry in logs if entry["log_level"] == "error"]
    assert [(entry["channel"], entry["error"]) for entry in errors] == [("builds", "no such channel")]


async def test_no_more_waits_than_fits() -> None:
    told = Told()
    news = News((ALL,), told, "https://github.com")
    with structlog.testing.capture_logs() as logs:
        for number in range(MAX_WAITING + 5):
            news.build_ended(replace(BUILD, id=f"b{number}"), FAILED, None)
    assert news.waiting == MAX_WAITING
    assert len(logs) == 5


async def test_a_channel_of_the_local_slack_is_told_in_spite_of_a_limit() -> None:
    async with LocalSlack() as slack, SlackClient(slack.token, slack.api_url, trust_env=False) as client:
        slack.add_channel("builds")
        slack.faults.add(Fault("POST", "postMessage", 429, {"Retry-After": "0"}, '{"error": "ratelimited"}'))
        news = News((ALL,), client, "https://github.com", backoff=lambda _: 0.01)
        news.build_ended(BUILD, FAILED, None)
        task = asyncio.create_task(news.run())
        async with asyncio.timeout(10):
            while not slack.messages("builds"):
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert slack.messages("builds")[0].text.startswith(":x: `acme/widgets`")
