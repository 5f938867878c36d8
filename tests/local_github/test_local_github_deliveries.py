from __future__ import annotations

from typing import Any

import httpx
import pytest
from githubkit import AppAuthStrategy, GitHub
from local_github_kit import Receiver, key_of, kit

from kubeci.local.github.server import LocalGitHub


@pytest.fixture
def as_app(github: LocalGitHub) -> GitHub[Any]:
    return kit(github, AppAuthStrategy(github.app.id, key_of(github.app)))


async def test_headers_and_order(github: LocalGitHub, receiver: Receiver) -> None:
    for number in range(5):
        github.deliver("ping", {"zen": f"Grüße {number}"})
    await github.settled()
    assert [body["zen"] for _, body, _ in receiver.events] == [f"Grüße {number}" for number in range(5)]
    headers = receiver.events[0][2]
    assert headers["x-github-hook-installation-target-id"] == str(github.app.id)
    assert headers["x-github-hook-installation-target-type"] == "integration"
    assert headers["user-agent"].startswith("GitHub-Hookshot/")
    assert headers["content-type"] == "application/json"
    assert len({headers["x-github-delivery"] for _, _, headers in receiver.events}) == 5


async def test_failures_are_recorded_and_redelivered_with_the_same_guid(
    github: LocalGitHub, receiver: Receiver, as_app: GitHub[Any]
) -> None:
    receiver.status = 500
    await github.push("acme/widgets", {"a": "1"})
    await github.settled()
    receiver.status, url = 202, github.webhook_url
    github.webhook_url = "http://127.0.0.1:1/"
    lost = github.deliver("ping", {})
    github.webhook_url = ""
    await github.settled()
    github.webhook_url = url
    github.deliver("ping", {})
    await github.settled()
    async with as_app:
        apps = as_app.rest.apps
        listed = (await apps.async_list_webhook_deliveries()).parsed_data
        assert [(d.event, d.action, d.status_code) for d in listed] == [
            ("ping", None, 202),
            ("ping", None, 502),
            ("check_suite", "requested", 500),
            ("push", None, 500),
            ("create", None, 500),
        ]
        assert listed[1].guid == lost.guid
        assert listed[2].repository_id
        one = (await apps.async_get_webhook_delivery(listed[2].id)).parsed_data
        assert one.status == "Invalid HTTP Response: 500"
        assert one.response.payload == "taken"
        assert (await apps.async_redeliver_webhook_delivery(one.id)).status_code == 202
        await github.settled()
        again = (await apps.async_list_webhook_deliveries(per_page=1)).parsed_data[0]
    assert (again.guid, again.redelivery, again.status) == (one.guid, True, "OK")
    assert receiver.named("check_suite")[-1] == receiver.named("check_suite")[0]


async def test_the_list_is_paged_by_cursor(github: LocalGitHub, as_app: GitHub[Any]) -> None:
    for number in range(7):
        github.deliver("ping", {"number": number})
    await github.settled()
    pages = []
    async with as_app:
        url: str | None = "/app/hook/deliveries?per_page=3"
        while url:
            answer = await as_app.arequest("GET", url)
            pages.append([each["id"] for each in answer.json()])
            url = answer.raw_response.links.get("next", {}).get("url")
        failed = await as_app.arequest("GET", "/app/hook/deliveries", params={"status": "failure"})
    assert [len(page) for page in pages] == [3, 3, 1]
    ids = [each for page in pages for each in page]
    assert ids == sorted(ids, reverse=True)
    assert failed.json() == []


async def test_an_uninstalled_app_hears_nothing(
    github: LocalGitHub, receiver: Receiver, http: httpx.AsyncClient
) -> None:
    github.installation("acme/widgets").repositories = set()
    await github.push("acme/widgets", {"a": "1"})
    await github.settled()
    assert receiver.events == []
    assert (await http.get("/repos/acme/widgets")).status_code == 404
