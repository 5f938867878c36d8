from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from installation_scene import Scene, faults, skipped

from kubeci.doctor import store
from kubeci.doctor.argo_version import Guess, guess
from kubeci.doctor.check import Check, Shared, SkippedError, run
from kubeci.doctor.finding import Finding, Group, State
from kubeci.doctor.installations import SHOWN
from kubeci.doctor.text import Terminal, text
from kubeci.doctor.times import ago
from kubeci.local.github.deliveries import Delivery
from kubeci.local.stack import with_server

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def obj(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def many(**properties: Any) -> dict[str, Any]:
    return {"type": "array", "items": obj(**properties)}


SPEC_34 = {"templates": many(name={}), "podGC": obj(strategy={}), "arguments": obj(artifacts=many(name={}))}
SPEC_35 = {**SPEC_34, "podGC": obj(deleteDelayDuration={"type": "string"})}
SPEC_36 = {**SPEC_35, "synchronization": obj(mutexes=many(name={}))}
SPEC_37 = {**SPEC_36, "templates": many(annotations={"type": "object"})}
SPEC_40 = {**SPEC_37, "arguments": obj(artifacts=many(plugin={"type": "object"}))}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"type": "object", "x-kubernetes-preserve-unknown-fields": True}, None),
        (obj(**SPEC_34), Guess("3.4 or older", "podGC.deleteDelayDuration (3.5)")),
        (obj(**SPEC_35), Guess("3.5", "synchronization.mutexes (3.6)")),
        (obj(**SPEC_36), Guess("3.6", "annotations of templates (3.7)")),
        (obj(**SPEC_37), Guess("3.7", "artifact plugins (4.0)")),
        (obj(**SPEC_40), Guess("4.0 or newer")),
    ],
)
def test_argos_version_is_guessed_by_its_fields(spec: dict[str, Any], expected: Guess | None) -> None:
    assert guess(obj(metadata={}, spec=spec)) == expected


@pytest.mark.parametrize(
    ("past", "told"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=40), "just now"),
        (timedelta(minutes=5), "5 minutes ago"),
        (timedelta(minutes=100), "100 minutes ago"),
        (timedelta(hours=7), "7 hours ago"),
        (timedelta(days=3), "3 days ago"),
    ],
)
def test_times_are_told_as_people_say_them(past: timedelta, told: str) -> None:
    assert ago(NOW - past, NOW.timestamp()) == told


async def test_a_shared_look_is_done_once_and_outlives_who_asked_first() -> None:
    looks, go = 0, asyncio.Event()

    async def look() -> int:
        nonlocal looks
        looks += 1
        await go.wait()
        return looks

    shared = Shared(look)
    first = asyncio.create_task(shared.get())
    second = asyncio.create_task(shared.get())
    await asyncio.sleep(0)
    first.cancel()
    go.set()
    assert await second == 1
    assert await shared.get() == 1


async def test_findings_come_in_the_order_of_the_checks_and_who_waits_is_told() -> None:
    slow = asyncio.Event()
    told: list[list[str]] = []

    async def late() -> list[Finding]:
        await slow.wait()
        return [Finding(Group.CLOCK, "late", State.OK, "")]

    async def skips() -> list[Finding]:
        slow.set()
        raise SkippedError("there is none")

    checks = [Check(Group.CLOCK, "late", late), Check(Group.SLACK, "skips", skips)]
    found = await run(checks, tell=lambda running: told.append([each.name for each in running]))
    assert [(each.name, each.state, each.found) for each in found] == [
        ("late", State.OK, ""),
        ("skips", State.UNKNOWN, "skipped: there is none"),
    ]
    assert told[0] == ["late", "skips"]
    assert told[-1] == []


async def test_of_an_event_that_was_sent_again_the_last_attempt_counts(scene: Scene) -> None:
    sent = scene.stack.github.deliveries.sent
    for code, minutes in ((502, 3), (500, 2), (202, 1)):
        moment = datetime.now(UTC) - timedelta(minutes=minutes)
        again = Delivery(1000 - minutes, "the-same", "push", {}, moment, status="OK", status_code=code)
        sent.append(again)
    assert faults(await scene.findings()) == []


async def test_of_many_installations_the_worst_are_told(scene: Scene) -> None:
    state = scene.stack.github.state
    for number in range(130):
        account = state.account(f"org-{number}")
        installed = state.installation_of(account)
        assert installed
        installed.permissions["members" if number < 129 else "checks"] = "none"
    found = [each for each in await scene.findings() if each.group is Group.INSTALLATIONS]
    assert len(found) == SHOWN + 1
    assert [each.name.partition(" ")[0] for each in found if each.state is State.WRONG] == ["org-129"]
    assert found[-1].found == f"{130 - SHOWN} more are not shown"


async def test_an_app_to_which_nothing_was_sent_is_unknown(scene: Scene) -> None:
    scene.stack.github.deliveries.sent.clear()
    found = await scene.findings()
    assert (faults(found), skipped(found)) == ([], ["deliveries"])


@pytest.mark.parametrize("minutes", [-15, 15])
async def test_a_clock_that_is_off_is_named_and_keeps_nothing_from_being_looked_at(
    minutes: int, scene: Scene
) -> None:
    state = scene.stack.github.state
    state.now = lambda: datetime.now(UTC) + timedelta(minutes=minutes)
    found = await scene.findings()
    assert faults(found) == [("against GitHub", State.WRONG)]
    off = next(each for each in found if each.name == "against GitHub")
    assert "clock is 9" in off.found
    assert "NTP" in off.remedy


async def test_a_store_that_the_server_writes_is_left_alone(scene: Scene) -> None:
    async with with_server(scene.stack):
        path = Path(scene.subject.options.store_url.removeprefix("sqlite:///"))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            before = other.execute("PRAGMA data_version").fetchone()
            [finding] = await store.store(scene.subject)
            assert (finding.state, "can be written" in finding.found) == (State.OK, True)
            assert other.execute("PRAGMA data_version").fetchone() == before


async def test_a_new_store_is_not_made(scene: Scene) -> None:
    scene.options(store_url=f"sqlite:///{scene.folder / 'new.db'}")
    [finding] = await store.store(scene.subject)
    assert (finding.state, "can be made" in finding.found) == (State.OK, True)
    assert not (scene.folder / "new.db").exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://kubeci:hidden@127.0.0.1:9/kubeci", "PostgreSQL at 127.0.0.1/kubeci cannot be used"),
        ("sqlite://", "a database in memory forgets"),
        ("nothing", "only sqlite:///PATH and postgresql"),
        ("mysql://root:hidden@db/kubeci", "only sqlite:///PATH and postgresql"),
    ],
)
async def test_what_is_no_store_is_said(url: str, said: str, scene: Scene) -> None:
    scene.options(store_url=url)
    [finding] = await store.store(scene.subject)
    assert finding.state is State.WRONG
    assert said in finding.found
    assert "hidden" not in str(finding)


LONG = Finding(
    Group.APP, "a\x1b[31mname", State.WRONG, "w\x1b[0mrong " * 30, "why ✓ " * 40, "mend", "run " * 40
)


@pytest.mark.parametrize("columns", [20, 80, 200])
def test_text_fits_but_for_commands_and_holds_no_control_characters(columns: int) -> None:
    written = text([LONG], Terminal(columns))
    assert [line for line in written.splitlines() if not line.isprintable()] == []
    lines = [line for line in written.splitlines() if "$ run" not in line]
    assert max(map(len, lines)) <= max(columns, 61)


def test_a_terminal_without_unicode_gets_ascii() -> None:
    written = text([LONG, Finding(Group.APP, "fine", State.OK, "…")], Terminal(unicode=False))
    assert written.isascii()
    assert "  x a" in written
    assert "  + fine" in written


def test_colours_are_only_where_they_are_wanted() -> None:
    found = [Finding(Group.APP, state, state, "told", "why", "mend") for state in State]
    plain, coloured = text(found, Terminal()), text(found, Terminal(colours=True))
    assert "\x1b" not in plain
    assert click.unstyle(coloured) == plain
    assert coloured != plain
