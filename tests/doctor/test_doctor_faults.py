"""Each fault of an installation is found, alone, and holds up no other look."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fault_case import Spoil
from faults_at_github import AT_GITHUB
from faults_of_surroundings import OF_SURROUNDINGS
from installation_scene import Scene, faults, skipped

from kubeci.doctor.finding import State

WARNING, WRONG = State.WARNING, State.WRONG
CASES = AT_GITHUB | OF_SURROUNDINGS


@pytest.mark.parametrize(("spoil", "wrong", "not_looked_at", "remedy"), CASES.values(), ids=CASES)
async def test_a_fault_is_found_alone_and_its_remedy_told(
    spoil: Spoil, wrong: list[tuple[str, State]], not_looked_at: list[str], remedy: str, scene: Scene
) -> None:
    installation = scene.installation.id
    if (waiting := spoil(scene)) is not None:
        await waiting
    found = await scene.findings()
    told = [(name.replace(str(installation), "ID"), state) for name, state in faults(found)]
    assert told == wrong
    assert skipped(found) == not_looked_at
    first = next(each for each in found if each.state in {WRONG, WARNING})
    assert remedy in f"{first.remedy} {first.command}"
    assert first.why


async def test_a_whole_installation_is_all_right(scene: Scene) -> None:
    found = await scene.findings()
    assert [each for each in found if each.state is not State.OK] == []


async def test_a_folder_that_cannot_be_written_is_found(scene: Scene) -> None:
    scene.options(store_url="sqlite:////proc/kubeci.db")  # not even root makes a file there
    assert faults(await scene.findings()) == [("store", WRONG)]


async def test_one_that_hangs_holds_up_no_other(scene: Scene) -> None:
    scene.stack.cluster.faults.add("GET", "/openapi/", delay_seconds=60.0)
    found = await scene.findings(seconds=1.0)
    assert faults(found) == [("schema", WRONG)]
    assert skipped(found) == []


async def test_one_that_breaks_holds_up_no_other(scene: Scene) -> None:
    def breaks() -> float:
        raise ZeroDivisionError

    scene.subject = replace(scene.subject, now=breaks)
    found = await scene.findings()
    assert faults(found) == []
    assert skipped(found) == ["deliveries", "controller", "against GitHub", "against the cluster"]
