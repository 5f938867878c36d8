"""What goes wrong on the way: one sentence that says what to do."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from create_app_kit import AWAY, Forms, Person, plan_for, running, written

from kubeci.errors import ConfigurationError
from kubeci.local.github.faults import Fault
from kubeci.local.github.server import LocalGitHub


async def state_of(person: Person, address: str) -> str:
    [(action, _)] = Forms(await person.open(address)).found
    return parse_qs(urlsplit(action).query)["state"][0]


async def test_a_code_serves_once(github: LocalGitHub, person: Person, tmp_path: Path) -> None:
    out = tmp_path / "secret.yaml"
    async with running(plan_for(github.api_url, out)) as run:
        state = await state_of(person, run.address)
        page = await person.open(f"{run.address}created?code={'0' * 40}&state={state}")
        assert page.status_code == 502
        with pytest.raises(ConfigurationError) as caught:
            await run.task
    told = str(caught.value)
    assert told.startswith("GitHub does not know the code: it serves once, and for an hour; look whether ")
    assert "run kubeci create-app again" in told
    assert told.partition(";")[0] in page.text
    assert not out.exists()


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("code=c&state=wrong", 403, "belongs to another run"),
        ("code=c", 403, "belongs to another run"),
        ("code=c&state=ä", 403, "belongs to another run"),
        ("state=STATE", 400, "GitHub sent no code"),
        ("code=../x&state=STATE", 400, "GitHub sent no code"),
        ("code=" + "c" * 256 + "&state=STATE", 400, "GitHub sent no code"),
    ],
)
async def test_what_is_not_githubs_answer_leads_back_and_ends_nothing(
    github: LocalGitHub, person: Person, tmp_path: Path, query: str, status: int, words: str
) -> None:
    async with running(plan_for(github.api_url, tmp_path / "secret.yaml")) as run:
        query = query.replace("STATE", await state_of(person, run.address))
        page = await person.open(f"{run.address}created?{query}")
        assert (page.status_code, words in page.text) == (status, True)
        assert 'href="./"' in page.text
        assert not run.task.done()


async def test_the_state_serves_once(github: LocalGitHub, person: Person, tmp_path: Path) -> None:
    github.latency_seconds = 0.5
    async with running(plan_for(github.api_url, tmp_path / "secret.yaml")) as run:
        await person.open(run.address)
        await person.press()
        last = asyncio.create_task(person.press())
        while not github.requests:
            await asyncio.sleep(0.01)
        # While the first is being exchanged.
        code = re.sub(r".*app-manifests/(\w+)/.*", r"\1", github.requests[0].path)
        state = parse_qs(urlsplit(Forms(person.seen[0]).found[0][0]).query)["state"][0]
        async with httpx.AsyncClient(trust_env=False, verify=False) as other:
            answer = await other.get(f"{run.address}created?code={code}&state={state}")
        assert answer.status_code == 403
        assert (await last).status_code == 200
        assert (await run.task).slug == "kubeci-acme"


async def test_a_lost_answer_is_told(github: LocalGitHub, person: Person, tmp_path: Path) -> None:
    async with running(plan_for(github.api_url, tmp_path / "secret.yaml")) as run:
        github.faults.add(Fault("POST", "/app-manifests/", after=True))
        await person.open(run.address)
        await person.press()
        assert (await person.press()).status_code == 502
        with pytest.raises(ConfigurationError) as caught:
            await run.task
    host = urlsplit(github.base_url).netloc
    assert str(caught.value) == (
        "the connection to GitHub failed at POST /app-manifests/{code}/conversions (RemoteProtocolError); look whether "
        f"{host} lists the App among those of acme, delete it there, and run kubeci create-app again"
    )


async def test_a_github_that_is_away_is_found_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"--github-url {AWAY}: cannot be reached"):
        async with running(plan_for(AWAY, tmp_path / "secret.yaml")):
            pass


async def test_other_names_of_this_machine_are_refused(github: LocalGitHub, tmp_path: Path) -> None:
    async with (
        running(plan_for(github.api_url, tmp_path / "secret.yaml")) as run,
        httpx.AsyncClient() as http,
    ):
        for host, status in (("127.0.0.1:1", 200), ("localhost", 200), ("evil.example", 400), ("", 400)):
            answer = await http.get(run.address, headers={"host": host})
            assert answer.status_code == status, host
        policy = answer.headers.get("content-security-policy", "")
        root = await http.get(f"http://127.0.0.1:{urlsplit(run.address).port}/")
        assert (root.status_code, policy) == (404, "")
        first = await http.get(run.address)
        policy = first.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy
        assert first.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("given", ["", "ci.example.com", '"><script>', "https://me@h", "x" * 9_000])
async def test_the_page_asks_until_the_address_is_one(
    github: LocalGitHub, person: Person, tmp_path: Path, given: str
) -> None:
    async with running(plan_for(github.api_url, tmp_path / "s.yaml", webhook_url="")) as run:
        page = await person.open(run.address)
        assert "Webhook address" in page.text
        answer = await person.press(webhook_url=given)
        assert answer.status_code == (413 if len(given) > 8_192 else 422)
        assert "<script>" not in answer.text
        await person.open(run.address)
        answer = await person.press(webhook_url="https://ci.example.com")
        assert "https://ci.example.com/webhooks/github" in answer.text
        again = await person.open(f"{run.address}?change")
        assert 'value="https://ci.example.com/webhooks/github"' in again.text


async def test_nobody_comes_or_somebody_stops(github: LocalGitHub, tmp_path: Path) -> None:
    plan = plan_for(github.api_url, tmp_path / "secret.yaml")
    async with running(plan, timeout_seconds=0.05) as run:
        with pytest.raises(
            ConfigurationError, match="nobody agreed to the App in time: no App was made here; run"
        ):
            await run.task
    async with running(plan) as run:
        run.stop.set()
        with pytest.raises(
            ConfigurationError, match="stopped: no App was made here; run kubeci create-app again"
        ):
            await run.task


async def test_stopping_waits_for_what_is_under_way(
    github: LocalGitHub, person: Person, tmp_path: Path
) -> None:
    github.latency_seconds = 0.5
    out = tmp_path / "secret.yaml"
    async with running(plan_for(github.api_url, out)) as run:
        await person.open(run.address)
        await person.press()
        last = asyncio.create_task(person.press())
        while not github.requests:
            await asyncio.sleep(0.01)
        run.stop.set()
        assert (await run.task).slug == "kubeci-acme"
        assert (await last).status_code == 200
    assert len(written(out)) == 3


async def test_the_port_is_taken(github: LocalGitHub, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            ConfigurationError, match=f"--port {port}: Address already in use; name another one"
        ):
            async with running(plan_for(github.api_url, tmp_path / "secret.yaml"), port=port):
                pass
