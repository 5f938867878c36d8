"""`kubeci events`, `explain` and `replay` on the store of a server that did some work."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import zlib
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio
from operator_scene import (
    PUSHES_WAIT,
    TOKEN,
    OperatorScene,
    happened,
    installation,
    kubeci,
    kubeci_process,
    serving,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
GOLDEN = Path(__file__).parent / "golden"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OperatorScene]:
    async with installation(tmp_path_factory.mktemp("operator")) as made:
        await happened(made)
        yield made


def golden(name: str, written: str, *, update: bool) -> None:
    if update:
        (GOLDEN / name).write_text(written)
    assert written == (GOLDEN / name).read_text()


def everything(scene: OperatorScene) -> list[str]:
    """Give all that the store holds."""
    with closing(sqlite3.connect(scene.around.options.store_url.removeprefix("sqlite:///"))) as store:
        return list(store.iterdump())


@pytest.mark.parametrize("width", [80, 120])
async def test_events(scene: OperatorScene, width: int, *, update_golden: bool) -> None:
    status, told, errors = await kubeci("events", *scene.options(), width=width)
    assert (status, errors) == (0, "")
    assert [line for line in told.splitlines() if len(line) >= width] == []
    # Those that came together stand in any order.
    listed, _, left_out = scene.everywhere_same(told).partition("\n\n")
    assert re.fullmatch(r"\d that asked for nothing are left out; --all lists them.\n", left_out)
    blocks = listed.split("\nMM-DD")
    golden(
        f"events-{width}.txt",
        "\n".join(sorted(each.removeprefix("MM-DD").strip("\n") for each in blocks)) + "\n",
        update=update_golden,
    )


async def test_events_are_narrowed(scene: OperatorScene) -> None:
    async def ids(*wish: str) -> list[str]:
        _, told, _ = await kubeci("events", *wish, *scene.options(), "--json")
        return [f"{each['event']} {each['state']}" for each in json.loads(told)["deliveries"]]

    assert await ids("--state", "parked", "--repo", "Acme/Widgets") == ["check_suite parked"]
    assert len(await ids("--limit", "3", "--since", "1h")) == 3
    assert await ids("--repo", "acme/other") == []
    _, told, _ = await kubeci("events", "--state", "working", *scene.options())
    assert told == "No deliveries in the state working.\n"
    _, told, _ = await kubeci("events", "--event", "create", *scene.options())
    assert re.match(r"No other deliveries of the event create: \d that asked for nothing are left out", told)
    assert set(await ids("--event", "create", "--all")) == {"create done"}
    assert await ids("--event", "create") == []
    _, told, _ = await kubeci("events", "--event", "pull_request", "--json", *scene.options())
    assert [each["number"] for each in json.loads(told)["deliveries"]] == [1]


@pytest.mark.parametrize("name", ["built", "strange", "wrong", "ignored", "parked"])
async def test_explain_a_commit(scene: OperatorScene, name: str, *, update_golden: bool) -> None:
    status, told, errors = await kubeci("explain", scene.shas[name][:10].upper(), *scene.options(), width=100)
    assert (status, errors) == (0, "")
    assert [line for line in told.splitlines() if len(line) >= 100] == []
    parts = scene.everywhere_same(told).rstrip("\n").split("\n\n")
    golden(f"explain-{name}.txt", "\n\n".join(sorted(parts, reverse=True)) + "\n", update=update_golden)


async def test_explain_a_delivery(scene: OperatorScene, *, update_golden: bool) -> None:
    [[of_build]] = scene.stored(f"SELECT delivery_id FROM builds WHERE sha = '{scene.shas['built']}'")
    status, told, _ = await kubeci("explain", of_build[:13], *scene.options(), width=160)
    assert status == 0
    golden("explain-delivery.txt", scene.everywhere_same(told), update=update_golden)


async def test_explain_a_build_by_whatever_it_is_called(scene: OperatorScene) -> None:
    [[identity, name, check_run]] = scene.stored(
        f"SELECT id, workflow_name, check_run_id FROM builds WHERE sha = '{scene.shas['built']}'"
    )
    stories = []
    for called in (identity[:12], name, f"argo/{name}", str(check_run)):
        status, told, errors = await kubeci("explain", called, *scene.options())
        assert (status, errors) == (0, "")
        stories.append(told)
    assert len(set(stories)) == 1
    assert f"Build {identity[:12]}: Workflow - ci: success" in stories[0]
    assert "check_suite requested" in stories[0]
    for called in (f"elsewhere/{name}", name[:-1], f"{check_run}0"):
        status, _, errors = await kubeci("explain", called, *scene.options(), width=300)
        assert (status, "no workflow or check-run is called so" in errors) == (1, True)


async def test_a_commit_is_not_replayed_but_its_deliveries_are_named(scene: OperatorScene) -> None:
    suite = scene.delivery("check_suite", scene.shas["built"])
    [[build]] = scene.stored(f"SELECT id FROM builds WHERE delivery_id = '{suite}'")
    for asked, what in ((scene.shas["built"][:9], "a commit"), (build[:12], "a build")):
        status, told, errors = await kubeci("replay", asked, *scene.options())
        assert (status, told) == (1, "")
        assert errors.startswith(f"{asked} is {what}; its deliveries:\n")
        assert f"{suite[:8]}  done     check_suite requested" in errors
        assert errors.endswith("Write the id of one.\n")


async def test_replay_of_what_failed_without_a_workflow_says_what_tries_it_anew(scene: OperatorScene) -> None:
    suite = scene.delivery("check_suite", scene.shas["wrong"])
    _, told, _ = await kubeci("replay", suite, "--dry-run", *scene.options(), width=300)
    why = "Default Workflow: failure: .kube-ci/ci.star:1:12: Variable `missing` not found"
    assert f"the definition failed already ({why}); Re-run on its check-run tries it anew" in told
    assert "--dry-run --afresh" in told
    status, told, _ = await kubeci("replay", suite, *scene.options(), width=300)
    assert status == 0
    assert f"It was done: {why}" in told
    assert "Default Workflow of it is failure, without a workflow, and stays so: Re-run" in told
    assert "anew: a running" not in told


async def test_explain_as_json_has_the_steps_and_no_nonce(scene: OperatorScene) -> None:
    [[of_build]] = scene.stored(f"SELECT delivery_id FROM builds WHERE sha = '{scene.shas['built']}'")
    _, told, _ = await kubeci("explain", of_build, "--json", *scene.options())
    found = json.loads(told)
    [delivery], [build] = found["deliveries"], found["builds"]
    assert {step["kind"] for step in delivery["attempts_made"][0]["steps"]} == {
        "decided",
        "evaluated",
        "called",
        "reported",
    }
    assert delivery["builds"] == [build["id"]]
    assert build["phase"] == "Succeeded"
    assert build["check_run"]["conclusion"] == "success"
    assert build["reported"]["completed"] is True
    [[nonce]] = scene.stored(f"SELECT nonce FROM builds WHERE id = '{build['id']}'")
    assert nonce
    assert nonce not in told


async def test_what_comes_from_outside_commands_no_terminal(scene: OperatorScene) -> None:
    _, told, _ = await kubeci("explain", scene.shas["built"], *scene.options())
    assert "[U+202E] backwards" in told
    assert [letter for letter in told if letter != "\n" and not letter.isprintable()] == []


async def test_no_secret_is_kept_in_a_trace_or_shown(scene: OperatorScene) -> None:
    kept = [body for [body] in scene.stored("SELECT body FROM traces")]
    assert [body for body in kept if TOKEN.encode() in zlib.decompress(body)] == []
    assert any(b"found here: [masked]" in zlib.decompress(body) for body in kept)
    for wish in (["explain", scene.shas["built"]], ["explain", scene.shas["built"], "--json"]):
        _, told, _ = await kubeci(*wish, *scene.options())
        assert TOKEN not in told
        assert "found here: [masked]" in told


@pytest.mark.parametrize("command", ["explain", "replay"])
async def test_what_is_not_known(scene: OperatorScene, command: str) -> None:
    status, told, errors = await kubeci(command, "f00dfeed", *scene.options())
    assert (status, told) == (1, "")
    assert "No delivery, commit or build begins with f00dfeed" in errors
    status, _, errors = await kubeci(command, "f0", *scene.options())
    assert (status, "too short" in errors) == (2, True)


async def test_a_beginning_that_fits_several(scene: OperatorScene) -> None:
    store = Path(scene.around.options.store_url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(store)) as opened, opened:
        opened.execute("UPDATE deliveries SET id = 'aaaa' || substr(id, 5) WHERE event = 'create'")
    status, told, errors = await kubeci("explain", "aaaa", *scene.options())
    assert (status, told) == (1, "")
    assert errors.count("delivery aaaa") == 2
    status, _, errors = await kubeci("replay", "aaaa", *scene.options())
    assert (status, errors.count("delivery aaaa")) == (1, 2)


async def test_a_store_that_is_not_there_is_not_made(scene: OperatorScene, tmp_path: Path) -> None:
    options = [*scene.options(), f"--store=sqlite:///{tmp_path / 'none.db'}"]
    status, _, errors = await kubeci("events", *scene.options(), f"--store=sqlite:///{tmp_path}")
    assert (status, "that is a folder" in errors) == (2, True)
    for command in (["events"], ["explain", "abcdef"], ["replay", "abcdef"]):
        status, _, errors = await kubeci(*command, *options)
        assert (status, "there is no such file" in errors) == (2, True)
    assert not (tmp_path / "none.db").exists()


async def test_a_store_of_another_version_is_left_alone(scene: OperatorScene, tmp_path: Path) -> None:
    older = tmp_path / "older.db"
    shutil.copy(scene.around.options.store_url.removeprefix("sqlite:///"), older)
    for version, word in (("0001", "of an older version"), ("9999", "of a newer version")):
        with closing(sqlite3.connect(older)) as opened, opened:
            opened.execute("UPDATE alembic_version SET version_num = ?", (version,))
        status, _, errors = await kubeci("events", *scene.options(), f"--store=sqlite:///{older}")
        assert (status, word in errors) == (2, True)
        with closing(sqlite3.connect(older)) as opened:
            assert opened.execute("SELECT version_num FROM alembic_version").fetchone() == (version,)


@pytest.mark.parametrize(
    ("name", "afresh"), [("built", True), ("built", False), ("parked", False), ("strange", True)]
)
async def test_a_dry_run_writes_nowhere(
    scene: OperatorScene, name: str, *, afresh: bool, update_golden: bool
) -> None:
    event = "pull_request" if name == "strange" else "check_suite"
    before, runs = everything(scene), dict(scene.around.github.state.runs)
    scene.around.github.requests.clear()
    wish = ["--dry-run", *(["--afresh"] if afresh else [])]
    status, told, errors = await kubeci(
        "replay", scene.delivery(event, scene.shas[name]), *wish, *scene.options(), width=160
    )
    assert (status, errors) == (0, "")
    written = [
        call.path
        for call in scene.around.github.requests
        if call.method != "GET" and not call.path.endswith(("/access_tokens", "/graphql"))
    ]
    assert written == []
    assert everything(scene) == before
    assert scene.around.github.state.runs == runs
    told, _, workflow = scene.everywhere_same(told).partition("apiVersion")
    assert ("metadata:" in workflow) == (name == "parked" or (name == "built" and afresh))
    golden(f"dry-run-{name}{'-afresh' if afresh else ''}.txt", told, update=update_golden)


async def test_a_dry_run_tells_what_would_fail(scene: OperatorScene) -> None:
    options = [*scene.options(), "--github-url=http://127.0.0.1:9"]
    status, told, _ = await kubeci(
        "replay", scene.delivery("check_suite", scene.shas["parked"]), "--dry-run", *options
    )
    assert status == 1
    assert "It would fail: UpstreamError" in told


async def test_replay_lets_the_server_do_it(scene: OperatorScene) -> None:
    parked = scene.delivery("check_suite", scene.shas["parked"])
    status, told, _ = await kubeci_process("replay", parked[:8], *scene.options())
    assert status == 0
    assert "It was parked: Forbidden: GitHub answered 403" in told
    status, _, errors = await kubeci("replay", parked[:8], *scene.options())
    assert (status, "It is waiting already" in errors) == (1, True)
    _, told, _ = await kubeci("explain", parked, *scene.options())
    assert "next        it is tried again at" in told
    async with serving(scene, PUSHES_WAIT):
        run = await scene.concluded(scene.shas["parked"])
        assert run.conclusion == "success"
        await scene.until(lambda: scene.ended(scene.shas["parked"]))
    _, told, _ = await kubeci("explain", parked, *scene.options())
    assert "Attempt 2 of 2" in told
    assert "Attempt 1 of 2" in told
