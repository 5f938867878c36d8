"""Modules from elsewhere are bounded in number, bytes and time, whatever the process asks for."""

from __future__ import annotations

import asyncio

from modules_kit import BUILD, HEAD, Kit, Repositories, Web

from kubeci.definition.addresses import Address
from kubeci.definition.module_reader import ModuleReader, ModuleSources
from kubeci.definition.protocol import Answer, Limits, Request
from kubeci.definition.reading import ReadingRules


async def test_counts_and_bytes_are_bounded(kit: Kit) -> None:
    many = "".join(f"load('github://lib/{n}.star', x{n} = 'x')\n" for n in range(1000))
    elsewhere = {f"acme/lib@:{n}.star": "x = 1\n" for n in range(1000)}
    assert await kit.fault(many, elsewhere) == (
        ".kube-ci/ci.star:101:1: a definition loads at most 100 files from elsewhere"
    )
    large = "".join(f"x{n} = loadFile('github://lib/{n}.txt')\n" for n in range(5))
    elsewhere = {f"acme/lib@:{n}.txt": "x" * 900_000 for n in range(5)}
    assert (await kit.fault(large, elsewhere)).startswith(
        ".kube-ci/ci.star:5:6: github://lib.acme/4.txt: the files loaded from elsewhere have more than 4,000,000 bytes"
    )


async def test_a_loop_over_one_file_reads_it_once(kit: Kit) -> None:
    text = "x = [loadFile('github://lib/a.txt') for _ in range(2000)]\n" + HEAD % "len(x)"
    found, repositories = await kit.load({"ci.star": text}, {"acme/lib@:a.txt": "a"})
    assert found.manifest["spec"] == 2000
    assert len(repositories.reads) == len(found.loaded) == 1


async def test_waiting_costs_neither_time_nor_a_place(kit: Kit) -> None:
    """Many wait at once though one place is there, and longer than an evaluation may take."""
    kit.sandbox.limits = Limits(wall_seconds=0.5)
    arrived = asyncio.Barrier(4)

    async def slow(address: Address) -> Answer:
        await arrived.wait()
        await asyncio.sleep(0.7)
        return Answer(text=f"x = '{address.path}'\n")

    text = "load('github://lib.acme/a.star', 'x')\n" + HEAD % "x"
    request = Request("ci.star", {"ci.star": text}, starlark=True)
    outcomes = await asyncio.gather(*(kit.sandbox.evaluate(request, slow) for _ in range(4)))
    assert [outcome.fault for outcome in outcomes] == [None] * 4


async def test_time_from_elsewhere_is_bounded() -> None:
    repositories = Repositories({}, seconds=60)
    reader = ModuleReader(
        ModuleSources(repositories, Web({})), ReadingRules(BUILD, trusted=True), seconds=0.2
    )
    for _ in range(2):
        answer = await reader.answer(Address("github", "lib.acme", "/a.star"))
        assert "took longer than 30 seconds" in answer.refused
    assert len(repositories.reads) == 1


async def test_a_process_that_lies_gets_nothing() -> None:
    reader = ModuleReader(ModuleSources(Repositories({}), Web({})), ReadingRules(BUILD, trusted=True))
    for address in (
        Address("github", "lib.acme", "/a/../../b"),
        Address("github", "lib.acme", "/a", "x:y"),
        Address("context", "", "/etc/passwd"),
        Address("https", "h@evil", "/x"),
        Address("file", "", "/etc/passwd"),
    ):
        answer = await reader.answer(address)
        assert answer.refused
        assert answer.text is None
    assert not reader.loaded
