"""Every attack of the corpus that costs little, on the way that the server goes; `chaos` runs the costly ones too."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from corpus import CORPUS
from run_corpus import chosen, run, tools

from kubeci.definition.protocol import Limits
from kubeci.service.prepare import Tools

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def given() -> AsyncIterator[Tools]:
    # A busy machine takes its time; what is too much of a processor or of memory is too much all the same.
    async with tools(Limits(wall_seconds=60)) as made:
        yield made


@pytest.mark.parametrize("family", CORPUS)
async def test_every_attack_is_contained(given: Tools, family: str) -> None:
    attacks = [(name, attack) for name, attack in chosen(costly=False) if name == family]
    zygote = given.sandbox.zygote_pid
    ended = [each async for each in run(attacks, given)]
    assert [f"{each.name}: {each.flaw}" for each in ended if each.flaw] == []
    assert len(ended) == len(attacks) > 0
    assert given.sandbox.zygote_pid == zygote


async def test_attacks_have_names_of_their_own() -> None:
    names = [attack.name for attacks in CORPUS.values() for attack in attacks]
    assert len(set(names)) == len(names) >= 60
