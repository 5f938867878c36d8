"""Signed webhooks in odd shapes, and unsigned ones that try to pass for signed."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator
from urllib.parse import quote, urlsplit

import httpx
import pytest
from test_webhooks import FORM, HEADERS, address, post, signature
from tests_stack import PASSING
from world import World

from kubeci.web.webhooks import BODY_LIMIT

WRONG = "sha256=" + "0" * 64


async def suite(world: World) -> bytes:
    """The payload of a check suite that asks for a build, which the server has not got."""
    github = world.stack.github
    github.webhook_url, kept = "", github.webhook_url
    await world.push(PASSING)
    await github.settled()
    github.webhook_url = kept
    [sent] = [each for each in github.deliveries.sent if each.event == "check_suite"]
    return json.dumps(sent.payload).encode()


async def send(world: World, body: bytes, headers: list[tuple[str, str]]) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.post(address(world), content=body, headers=headers)).status_code


def headers_with(*more: tuple[str, str]) -> list[tuple[str, str]]:
    return [*HEADERS.items(), *more]


async def raw(world: World, request: bytes) -> bytes:
    parts = urlsplit(address(world))
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    writer.close()
    return answer


async def test_of_two_signatures_the_first_counts_and_both_are_never_joined(world: World) -> None:
    body, name = await suite(world), "x-hub-signature-256"
    right = signature(body)
    assert await send(world, body, headers_with((name, WRONG), (name, right))) == 401
    assert await send(world, body, headers_with((name, f"{WRONG}, {right}"))) == 401
    assert await send(world, body, headers_with((name, f"{right}, {WRONG}"))) == 401
    assert await send(world, body, headers_with(("x-hub-signature", right))) == 401
    assert world.deliveries() == []
    assert await send(world, body, headers_with((name, right), (name, WRONG))) == 202


async def test_a_signed_body_sent_again_is_known_by_its_id_alone(world: World) -> None:
    body = await suite(world)
    assert "stored" in (await post(world, body)).text
    await world.submitted()
    await world.quiet()
    assert "known" in (await post(world, body)).text
    # GitHub signs no id: another one is another delivery. An automatic build is the same all the same.
    assert "stored" in (await post(world, body, x_github_delivery="2")).text
    await world.quiet()
    assert len(world.workflows()) == 1
    # Under another event's name it is read as that event, and says too little for one.
    assert "stored" not in (await post(world, body, x_github_event="push", x_github_delivery="3")).text


async def test_a_body_in_chunks_is_the_same_body(world: World) -> None:
    body = await suite(world)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    async with httpx.AsyncClient(trust_env=False) as client:
        headers = {**HEADERS, "x-hub-signature-256": signature(body)}
        answer = await client.post(address(world), content=pieces(), headers=headers)
    assert (answer.status_code, answer.json()["message"]) == (202, "stored")


async def test_packed_bodies_are_not_unpacked(world: World) -> None:
    bomb = gzip.compress(b"[" * 30_000_000)
    answer = await post(world, bomb, content_encoding="gzip")
    assert answer.status_code == 400
    assert world.deliveries() == []


async def test_the_last_of_two_keys_counts_as_everywhere(world: World) -> None:
    body = await suite(world)
    twice = b'{"action": "rerequested", ' + body[1:]
    assert "stored" in (await post(world, twice)).text
    await world.submitted()
    assert world.stored("SELECT what FROM builds") == [("push",)]


@pytest.mark.parametrize("piece", [b"[", b'{"a":', b'{"check_suite":['])
async def test_a_payload_of_brackets_alone_is_refused_at_once(world: World, piece: bytes) -> None:
    body = piece * ((BODY_LIMIT - 10) // len(piece))
    started = time.monotonic()
    assert (await post(world, body)).status_code == 400
    assert time.monotonic() - started < 5


async def test_odd_forms_and_headers_are_refused(world: World) -> None:
    body = await suite(world)
    double = b"payload=" + quote(body).encode() + b"&payload=%7B%7D"
    many = b"&".join([b"payload=" + quote(body).encode(), *(b"x%d=1" % number for number in range(100))])
    assert (await post(world, double, content_type=FORM["content-type"])).status_code == 400
    assert (await post(world, many, content_type=FORM["content-type"])).status_code == 400
    for name in (b"x" * 65, b"a b", b"\x9b2J", "é".encode()):  # 9B begins a terminal's control sequence
        assert (await post(world, body, x_github_delivery=name)).status_code == 400
        assert (await post(world, body, x_github_event=name)).status_code == 400
    head = f"POST /webhooks/github HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: {signature(b'')}\r\n"
    assert b" 400 " in await raw(world, head.encode() + b"X: " + b"y" * 200_000 + b"\r\n\r\n")
    both = head + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert b" 40" in await raw(world, both.encode())
    lengths = head + "Content-Length: 4\r\nContent-Length: 5\r\n\r\n12345"
    assert b" 400 " in await raw(world, lengths.encode())
    assert world.deliveries() == []
