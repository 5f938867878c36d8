"""The webhook endpoint before strangers, and what becomes of the same delivery sent again."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from tests_stack import PASSING, REPOSITORY
from world import World

from kubeci.local.stack import WEBHOOK_SECRET
from kubeci.web.webhooks import BODY_LIMIT

HEADERS = {"x-github-event": "check_suite", "x-github-delivery": "1", "content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


def signature(body: bytes) -> str:
    return "sha256=" + hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()


def address(world: World) -> str:
    assert world.server
    return f"{world.server.server_url}/webhooks/github"


async def post(world: World, body: bytes, **changes: Any) -> httpx.Response:
    headers: dict[str, Any] = {**HEADERS, "x-hub-signature-256": signature(body)}
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    kept = {name: value for name, value in headers.items() if value is not None}
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        return await client.post(address(world), content=body, headers=kept)


REFUSED = [
    ("no signature", b"{}", {"x_hub_signature_256": None}, 401),
    ("an empty signature", b"{}", {"x_hub_signature_256": ""}, 401),
    ("a wrong signature", b"{}", {"x_hub_signature_256": signature(b"{ }")}, 401),
    ("sha1", b"{}", {"x_hub_signature_256": "sha1=0123"}, 401),
    ("a signature that is not ASCII", b"{}", {"x_hub_signature_256": "sha256=é".encode()}, 401),
    ("a signature of odd bytes", b"{}", {"x_hub_signature_256": b"\xff\xfe"}, 401),
    ("malformed JSON", b"{", {}, 400),
    ("no body", b"", {}, 400),
    ("deeply nested", b"[" * 100_000, {}, 400),
    ("invalid UTF-8", b'{"action": "\xff"}', {}, 400),
    ("a list", b"[]", {}, 400),
    ("another shape", b'{"action": "requested", "check_suite": 1}', {}, 400),
    ("no event", b"{}", {"x_github_event": None}, 400),
    ("no delivery", b"{}", {"x_github_delivery": None}, 400),
    ("an endless delivery", b"{}", {"x_github_delivery": "x" * 1000}, 400),
    ("a form without the field", b"x=1", FORM, 400),
    ("a form of invalid UTF-8", b"payload=%ff", FORM, 400),
    ("another content type", b"{}", {"content_type": "text/plain"}, 415),
    ("an unknown event", b"{}", {"x_github_event": "meteor"}, 202),
    (
        "an unknown event as a form",
        b"payload=" + quote("{}").encode(),
        FORM | {"x_github_event": "meteor"},
        202,
    ),
]


async def test_what_is_not_stored(world: World) -> None:
    answers = {name: await post(world, body, **_words(changes)) for name, body, changes, _ in REFUSED}
    assert {name: answer.status_code for name, answer in answers.items()} == {
        row[0]: row[3] for row in REFUSED
    }
    assert world.deliveries() == []
    assert "meteor" in answers["an unknown event"].text


def _words(headers: Any) -> dict[str, Any]:
    return {name.replace("-", "_"): value for name, value in headers.items()}


SIGNED = f"X-Hub-Signature-256: {signature(b'')}\r\n"


async def test_without_a_signature_nothing_is_read(world: World) -> None:
    head = f"POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: {BODY_LIMIT}\r\n\r\n"
    assert b" 401 " in await raw(world, head.encode()), "although no byte of the body was sent"


async def test_strangers_do_not_grow_the_metrics(world: World) -> None:
    for number in range(3):
        await raw(world, f"EVIL{number} /webhooks/github HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    shown = await metrics(world)
    assert "EVIL" not in shown
    assert 'method="other"' in shown


async def test_a_body_that_says_that_it_is_too_large_is_not_read(world: World) -> None:
    head = f"POST /webhooks/github HTTP/1.1\r\nHost: x\r\n{SIGNED}Content-Length: {BODY_LIMIT + 1}\r\n\r\n{{"
    assert b" 413 " in await raw(world, head.encode())
    assert world.deliveries() == []


async def test_a_body_that_becomes_too_large_is_not_kept(world: World) -> None:
    async def endless() -> AsyncIterator[bytes]:
        piece = b"x" * (BODY_LIMIT // 4)
        for _ in range(6):
            yield piece

    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        answer = await client.post(
            address(world), content=endless(), headers=HEADERS | {"x-hub-signature-256": signature(b"")}
        )
    assert answer.status_code == 413
    assert world.deliveries() == []


async def raw(world: World, sent: bytes, *, hang_up: bool = False) -> bytes:
    url = urlsplit(address(world))
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(sent)
    await writer.drain()
    answer = b"" if hang_up else await reader.readline()
    writer.transport.abort()
    return answer


async def test_a_client_that_goes_away_in_the_middle_is_nothing_special(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    head = f"POST /webhooks/github HTTP/1.1\r\nHost: x\r\n{SIGNED}Content-Length: 100\r\n\r\n{{".encode()
    for _ in range(5):
        await raw(world, head, hang_up=True)
    async with asyncio.timeout(5):
        while 'status="499"} 5.0' not in await metrics(world):
            await asyncio.sleep(0.02)
    assert world.deliveries() == []
    assert "Traceback" not in capfd.readouterr().err


async def metrics(world: World) -> str:
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        assert world.server
        return (await client.get(f"{world.server.server_url}/metrics")).text


async def test_fifty_deliveries_of_one_id_and_of_one_sha_are_one_build(world: World) -> None:
    await world.kill()
    sha = await world.push(PASSING)
    await world.stack.github.settled()
    suite = next(each for each in world.stack.github.deliveries.sent if each.event == "check_suite")
    body = json.dumps(suite.payload).encode()
    await world.start()
    ids = ["same"] * 25 + [f"other-{number}" for number in range(25)]
    answers = await asyncio.gather(*(post(world, body, x_github_delivery=name) for name in ids))
    assert {answer.status_code for answer in answers} == {202}
    await world.submitted()
    await world.quiet()
    assert len(world.deliveries("done")) == 26
    assert len(world.runs(sha)) == len(world.workflows()) == 1


async def test_a_form_is_read_like_json(world: World) -> None:
    await world.kill()
    sha = await world.push(PASSING)
    await world.stack.github.settled()
    suite = next(each for each in world.stack.github.deliveries.sent if each.event == "check_suite")
    await world.start()
    body = b"payload=" + quote(json.dumps(suite.payload)).encode()
    assert (await post(world, body, content_type=FORM["content-type"])).status_code == 202
    await world.submitted()
    assert len(world.runs(sha)) == 1


async def test_a_redelivery_is_taken_up_only_when_its_work_was_parked(world: World) -> None:
    world.github_fault(
        "POST",
        "/check-runs$",
        status=403,
        body='{"message": "Resource not accessible by integration"}',
        times=2,
    )
    sha = await world.push(PASSING)
    await world.quiet()
    assert {state for _, state, _ in world.deliveries()} == {"parked"}
    suite = next(each for each in world.stack.github.deliveries.sent if each.event == "check_suite")
    for _ in range(2):
        world.stack.github.deliveries.add(suite.event, suite.payload, guid=suite.guid)
        await world.submitted()
        await world.quiet()
    assert len(world.runs(sha)) == len(world.workflows()) == 1
    assert len(world.deliveries("done")) == 1
    again = [each for each in world.stack.github.deliveries.sent if each.guid == suite.guid]
    assert ["known" in each.response_body for each in again] == [False, False, True]


async def test_two_refusals_of_one_commit_are_one_check_run(world: World) -> None:
    await world.kill()
    sha = await world.push(PASSING, message="A change [skip ci]")
    await world.stack.github.tag(REPOSITORY, "v1", sha)
    await world.stack.github.settled()
    events = [each for each in world.stack.github.deliveries.sent if each.event in {"check_suite", "create"}]
    assert len(events) >= 2
    await world.start()
    world.github_fault("POST", "/check-runs$", delay_seconds=0.3)
    await asyncio.gather(
        *(
            post(
                world,
                json.dumps(each.payload).encode(),
                x_github_delivery=each.guid,
                x_github_event=each.event,
            )
            for each in events
        )
    )
    await world.quiet()
    [run] = world.runs(sha)
    assert (run.name, run.conclusion) == ("Default Workflow", "neutral")
