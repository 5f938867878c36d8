from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pages_kit import READER, START, WRITER, Stage, stage_in

from kubeci.model.build import BuildState, ManualStep, Plan
from kubeci.model.check_run import Annotation
from kubeci.model.report import DeploymentTold, NodeLog, Outcome, StepSeen
from kubeci.settings.api import Pages
from kubeci.web.pages.access import PageAccess, access_of
from kubeci.web.pages.listing import PAGE
from kubeci.web.pages.login import WRONG_AT_ONCE

ABROAD = "0.0.0.0"
OFF = access_of(Pages(), (), ABROAD)
BY_TOKEN = access_of(Pages(), (READER, WRITER), ABROAD)
BY_PROXY = access_of(Pages(user_header="X-User", proxies=("127.0.0.1",)), (), ABROAD)
SECRET = READER.secret.decode()
OWN = {"sec-fetch-site": "same-origin"}


@asynccontextmanager
async def at(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=stage.url, trust_env=False) as client:
        yield client


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage_in(tmp_path) as made:
        yield made


@pytest.fixture
async def ask(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    async with at(stage) as client:
        yield client


async def test_every_answer_is_strict(stage: Stage, ask: httpx.AsyncClient) -> None:
    build = await stage.build("Go on")
    stage.status(build, "Running", {"test": "Running"})
    paths = ["/", f"/builds/{build.id}", f"/builds/{build.id}/log/x", f"/builds/{build.id}/log/x/lines"]
    for path in [*paths, "/builds/none", "/login", "/static/none"]:
        answer = await ask.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store", path
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert " style=" not in answer.text
        assert "<script>" not in answer.text


async def test_what_did_not_change_is_not_sent_again(stage: Stage, ask: httpx.AsyncClient) -> None:
    await stage.build("First")
    first = await ask.get("/?fragment=1")
    again = {"if-none-match": first.headers["etag"]}
    assert first.text.startswith("<div id=")
    assert (await ask.get("/?fragment=1", headers=again)).status_code == 304
    await stage.build("Second")
    changed = await ask.get("/?fragment=1", headers=again)
    assert changed.status_code == 200
    assert changed.text.index("Second") < changed.text.index("First")


async def test_older_builds_are_a_link_away(stage: Stage, ask: httpx.AsyncClient) -> None:
    for number in range(PAGE + 2):
        await stage.build(f"Title {number}.")
    first = (await ask.get("/")).text
    assert "Title 2." in first
    assert "Title 1." not in first
    address = first.split('rel="next" href="')[1].split('"')[0]
    second = (await ask.get(address)).text
    assert [number for number in range(PAGE + 2) if f"Title {number}." in second] == [0, 1]
    assert 'rel="next"' not in second
    for odd in ("x", "0001-01-01T00:00:00+23:59", "2026-01-01"):
        assert (await ask.get("/", params={"before": odd})).status_code == 200


async def test_a_build_is_told_whole(stage: Stage, ask: httpx.AsyncClient) -> None:
    plan = Plan((ManualStep("publish", essential=True),), cache_claim="widgets-cache", cache_scope="branch")
    build = await stage.build(
        "Deploy it",
        plan=plan,
        warnings=("a warning",),
        prints=("printed text",),
        loaded=("github.com/acme/ci//m.star at abc",),
        environment="staging",
        head_repository="stranger/widgets",
        pull_request=7,
        state=BuildState.FINISHED,
        conclusion="failure",
        finished_at=START + timedelta(minutes=3, seconds=5),
    )
    steps = (
        StepSeen("n1", "outer", "DAG", "Failed"),
        StepSeen("n2", "inner", "Pod", "Failed", 1, "exit code 2", START.isoformat(), START.isoformat()),
    )
    await stage.builds.save_outcome(build.id, Outcome("Failed", steps=steps))
    remark = Annotation("src/a b.py", 3, "failure", "is wrong")
    await stage.builds.save_log(build.id, NodeLog("n2", annotations=(remark,), tail=("last words",)))
    for node, url in (("n1", "https://staging.test/?a&b"), ("n2", "javascript:alert(1)")):
        told = DeploymentTold(1, "success", "qa", url)
        await stage.builds.save_deployment(build.id, node, told)
    page = (await ask.get(f"/builds/{build.id}")).text
    assert 'href="https://staging.test/?a&amp;b"' in page
    assert "javascript:" not in page
    for text in (
        "https://github.test/acme/widgets/runs/1",
        "http://argo.test/workflows/ci/widgets-1",
        "https://github.test/acme/widgets/pull/7",
        "https://github.test/stranger/widgets/tree/main",
        "https://github.test/acme/widgets/blob/0000001000000000000000000000000000000000/src/a%20b.py#L3",
        *("fork stranger/widgets", "staging", "widgets-cache", "a warning", "printed text", "m.star at abc"),
        *("publish", "not offered yet", "exit code 2", "last words", "is wrong", "2m 05s", 'class="step d1"'),
    ):
        assert text in page, text
    log = await ask.get(f"/builds/{build.id}/log/n2")
    assert log.headers["content-type"] == "text/plain; charset=utf-8"
    assert log.text == "[The pod is gone. The last 1 lines were kept.]\nlast words\n"


async def test_a_workflow_of_another_is_not_shown(stage: Stage, ask: httpx.AsyncClient) -> None:
    build = await stage.build("Mine", nonce="what nobody knows")
    await stage.builds.change(build.id, nonce="another")
    stage.status(build, "Running", {"their-step": "Running"})
    assert "their-step" not in (await ask.get(f"/builds/{build.id}")).text


async def test_logs_of_running_steps_come_in_parts(stage: Stage, ask: httpx.AsyncClient) -> None:
    build = await stage.build("Talk")
    stage.status(build, "Running", {"test": "Running", "later": "Pending"})
    stage.says(build, 0, "one\ntwo\nhal")
    lines = f"/builds/{build.id}/log/widgets-1-0/lines"
    first = (await ask.get(lines)).json()
    assert (first["lines"], first["count"], first["ended"]) == (["one", "two"], 2, False)
    stage.says(build, 0, "f\n")
    assert (await ask.get(f"{lines}?after=2")).json() | {"note": ""} == {
        "lines": ["half"],
        "count": 3,
        "fresh": False,
        "ended": False,
        "note": "",
    }
    assert (await ask.get(f"{lines}?after=99999")).json()["fresh"] is True
    later = (await ask.get(f"/builds/{build.id}/log/widgets-1-1/lines")).json()
    assert (later["lines"], later["ended"]) == ([], False)
    unknown = (await ask.get(f"/builds/{build.id}/log/none/lines")).json()
    assert (unknown["lines"], unknown["ended"]) == ([], True)
    assert "no log" in unknown["note"]


async def test_many_who_look_cost_the_cluster_one_request(stage: Stage, ask: httpx.AsyncClient) -> None:
    build = await stage.build("Popular")
    stage.status(build, "Running", {"test": "Running"})
    await asyncio.gather(*(ask.get(f"/builds/{build.id}") for _ in range(10)))
    assert len([asked for asked in stage.cluster.requests if "/workflows/" in asked.path]) <= 2


async def test_a_cluster_that_does_not_answer_is_no_error(stage: Stage, ask: httpx.AsyncClient) -> None:
    build = await stage.build("Alone", namespace="elsewhere", workflow_name="b/../../x")
    answer = await ask.get(f"/builds/{build.id}")
    assert answer.status_code == 200


async def test_another_sites_name_for_this_machine_is_refused(ask: httpx.AsyncClient) -> None:
    answer = await ask.get("/", headers={"host": "rebound.test"})
    assert answer.status_code == 421
    assert (await ask.post("/login", headers={"host": "rebound.test"} | OWN)).status_code == 404


async def test_pages_are_off_where_nobody_turned_them_on(tmp_path: Path) -> None:
    async with stage_in(tmp_path, OFF) as stage, at(stage) as ask:
        build = await stage.build("Secret title")
        home = await ask.get("/")
        assert home.status_code == 200
        assert "pages.public" in home.text
        assert "Secret" not in home.text
        for path in (f"/builds/{build.id}", f"/builds/{build.id}/log/x", "/login"):
            assert (await ask.get(path)).status_code == 404


async def test_a_proxy_names_the_user(tmp_path: Path) -> None:
    async with stage_in(tmp_path, BY_PROXY) as stage, at(stage) as ask:
        build = await stage.build("Secret title")
        refused = await ask.get(f"/builds/{build.id}")
        assert refused.status_code == 403
        assert "Secret" not in refused.text
        shown = await ask.get("/", headers={"x-user": "<b>octocat"})
        assert "&lt;b&gt;octocat" in shown.text
        assert "Secret title" in shown.text


async def test_login_by_form(tmp_path: Path) -> None:
    async with stage_in(tmp_path, BY_TOKEN) as stage, at(stage) as ask:
        mine, theirs = await stage.build("Mine"), await stage.build("Theirs", "evil/widgets")
        asked = await ask.get(f"/builds/{mine.id}?x=1")
        assert asked.headers["location"] == f"/login?next=%2Fbuilds%2F{mine.id}%3Fx%3D1"
        assert (await ask.get("/?fragment=1")).status_code == 401
        form = {"token": f" {SECRET}\n", "next": f"/builds/{mine.id}"}
        for headers in ({}, {"origin": "http://evil.test"}, {"sec-fetch-site": "cross-site"}):
            assert (await ask.post("/login", data=form, headers=headers)).status_code == 403
        for wrong in ("", "wrong", WRITER.secret.decode(), "\u00ff\ud83d"):
            body = {"token": wrong.encode(errors="replace").decode()}
            refused = await ask.post("/login", data=body, headers=OWN)
            assert refused.status_code == 401
            assert "set-cookie" not in refused.headers
        entered = await ask.post("/login", data=form, headers={"origin": stage.url})
        assert (entered.status_code, entered.headers["location"]) == (303, f"/builds/{mine.id}")
        cookie = entered.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "secure" not in cookie.replace("secret", "")
        assert SECRET not in cookie
        listed = (await ask.get("/")).text
        assert "Mine" in listed
        assert "Theirs" not in listed
        assert "evil/widgets" not in listed
        assert (await ask.get(f"/builds/{mine.id}")).status_code == 200
        assert (await ask.get(f"/builds/{theirs.id}")).status_code == 404
        assert (await ask.get(f"/builds/{theirs.id}/log/x")).status_code == 404
        assert (await ask.post("/logout")).status_code == 403
        assert (await ask.post("/logout", headers=OWN)).status_code == 303
        assert (await ask.get(f"/builds/{mine.id}")).status_code == 303


@pytest.mark.parametrize("to", ["//evil.test/", "https://evil.test/", "/\\evil.test", "evil", "/a\nb", ""])
async def test_login_leads_nowhere_else(tmp_path: Path, to: str) -> None:
    async with stage_in(tmp_path, BY_TOKEN) as stage, at(stage) as ask:
        entered = await ask.post("/login", data={"token": SECRET, "next": to}, headers=OWN)
        assert entered.headers["location"] == "/"


async def test_a_cookie_given_over_https_stays_there(tmp_path: Path) -> None:
    access: PageAccess = access_of(Pages(user_header="X-User", proxies=("127.0.0.1",)), (READER,), ABROAD)
    async with stage_in(tmp_path, access) as stage, at(stage) as ask:
        headers = OWN | {"x-forwarded-proto": "https"}
        entered = await ask.post("/login", data={"token": SECRET}, headers=headers)
        assert "secure" in entered.headers["set-cookie"].lower()


async def test_guessing_is_slow(tmp_path: Path) -> None:
    async with stage_in(tmp_path, BY_TOKEN, pause_seconds=1.0) as stage, at(stage) as ask:
        guesses = [ask.post("/login", data={"token": f"{n}"}, headers=OWN) for n in range(WRONG_AT_ONCE * 2)]
        found = [answer.status_code for answer in await asyncio.gather(*guesses)]
        assert set(found) == {401, 429}
        assert found.count(401) <= WRONG_AT_ONCE


async def test_a_link_from_another_site_finds_the_cookie(tmp_path: Path) -> None:
    async with stage_in(tmp_path, BY_TOKEN) as stage, at(stage) as ask:
        build = await stage.build("Linked")
        answer = await ask.get(f"/builds/{build.id}", headers={"sec-fetch-site": "cross-site"})
        assert answer.status_code == 200
        assert f'content="0;url=/builds/{build.id}"' in answer.text
        assert "Linked" not in answer.text
