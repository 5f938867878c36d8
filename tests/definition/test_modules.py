from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from kubeci.definition.addresses import Address
from kubeci.definition.definition import Definition
from kubeci.definition.loader import ContextNames, Inputs, load_definition
from kubeci.definition.module_reader import ModuleReader, ModuleSources
from kubeci.definition.protocol import Answer, Limits, Request
from kubeci.definition.reading import ReadingRules, unreadable
from kubeci.definition.sandbox import Sandbox
from kubeci.errors import DefinitionError, Forbidden, NotFound, UpstreamError
from kubeci.local.zygotes import KeptZygotes
from kubeci.model.module import Loaded, ModuleFile
from kubeci.model.repository import Repository
from kubeci.settings.pattern import Pattern

BUILD = Repository("acme", "app", 1)
HEAD = 'workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": %s}\n'


@dataclass
class Repositories:
    """Repositories by `owner/name@revision:path`; a branch moves at every read, a sha stays."""

    files: Mapping[str, str | Exception]
    reads: list[str] = field(default_factory=list)
    seconds: float = 0

    async def read(self, build: Repository, full_name: str, revision: str, path: str) -> ModuleFile:
        assert build == BUILD
        self.reads.append(f"{full_name}@{revision}:{path}")
        await asyncio.sleep(self.seconds)
        known = revision.startswith("sha-")
        branch = revision.split("-")[1] if known else revision
        found = self.files.get(f"{full_name}@{branch}:{path}")
        if found is None:
            raise NotFound(f"{full_name} has no `{path}`")
        if isinstance(found, Exception):
            raise found
        return ModuleFile(found, revision if known else f"sha-{revision}-{len(self.reads)}")


@dataclass
class Web:
    files: Mapping[str, str | Exception]

    async def read(self, url: str) -> ModuleFile:
        found = self.files.get(url)
        if found is None:
            raise NotFound("the server answered 404")
        if isinstance(found, Exception):
            raise found
        return ModuleFile(found, "sha256:0")


@dataclass
class Kit:
    sandbox: Sandbox

    async def load(
        self,
        files: dict[str, str],
        elsewhere: Mapping[str, str | Exception],
        *,
        trusted: bool = True,
        patterns: tuple[Pattern, ...] | None = None,
    ) -> tuple[Definition, Repositories]:
        repositories = Repositories(elsewhere)
        self.sandbox.sources = ModuleSources(repositories, Web(elsewhere))
        inputs = Inputs(
            "main",
            "branch",
            "0" * 40,
            now=datetime(2024, 2, 29, 12, 0, 0, 7, tzinfo=UTC),
            reading=ReadingRules(BUILD, patterns, trusted=trusted),
        )
        found = await load_definition(files, inputs, ContextNames(), self.sandbox)
        assert found is not None
        return found, repositories

    async def fault(self, text: str, elsewhere: Mapping[str, str | Exception], **more: Any) -> str:
        with pytest.raises(DefinitionError) as caught:
            await self.load(
                {"ci.star": text, "a.star": "load('github://lib/c.star', 'x')\n"}, elsewhere, **more
            )
        return str(caught.value)


@pytest.fixture(scope="module")
def zygotes() -> Iterator[KeptZygotes]:
    kept = KeptZygotes()
    yield kept
    kept.end()


@pytest.fixture
async def kit(zygotes: KeptZygotes) -> AsyncIterator[Kit]:
    async with Sandbox(Limits(wall_seconds=5), concurrent=1, zygotes=zygotes) as sandbox:
        yield Kit(sandbox)


async def test_modules_of_other_repositories(kit: Kit) -> None:
    files = {
        "ci.star": "load('github://lib.acme/dir/a.star?ref=v1', 'a')\n"
        "load('github://lib/dir/a.star?ref=v1', again = 'a')\n"
        "load('https://example.com/w.star', 'w')\n"
        + HEAD
        % "[a, again, w, loadFile('github://lib/data.txt')]",
        "c.star": "c = 'context'\n",
    }
    elsewhere = {
        "acme/lib@v1:dir/a.star": "load('b.star', 'b')\nload('/top.star', 't')\nload('github://lib/d.star', 'd')\n"
        "load('context:///c.star', 'c')\nprint('once')\na = [b, t, d, c, loadFile('x.txt'), input.ref]\n",
        "acme/lib@v1:dir/b.star": "b = 'b at v1'\n",
        "acme/lib@v1:top.star": "t = 'top'\n",
        "acme/lib@v1:dir/x.txt": "text",
        "acme/lib@:d.star": "d = 'default branch'\n",
        "acme/lib@:data.txt": "data",
        "https://example.com/w.star": "load('v.star?x=1', 'v')\nw = v\n",
        "https://example.com/v.star?x=1": "v = 'web'\n",
    }
    found, repositories = await kit.load(files, elsewhere)
    a = ["b at v1", "top", "default branch", "context", "text", "main"]
    assert found.manifest["spec"] == [a, a, "web", "data"]
    assert found.prints == ("github://lib.acme/dir/a.star?ref=v1:5: once",)
    pinned = "sha-v1-1"
    assert repositories.reads[:3] == [
        "acme/lib@v1:dir/a.star",
        f"acme/lib@{pinned}:dir/b.star",
        f"acme/lib@{pinned}:top.star",
    ]
    assert len(repositories.reads) == 6
    assert found.loaded[:2] == (
        Loaded("github://lib.acme/dir/a.star?ref=v1", pinned),
        Loaded("github://lib.acme/dir/b.star?ref=v1", pinned),
    )
    assert Loaded("https://example.com/w.star", "sha256:0") in found.loaded
    assert len(found.loaded) == 8


async def test_a_missing_file_may_be_expected(kit: Kit) -> None:
    text = HEAD % "loadFile('github://lib/none', error_on_notfound = False)"
    assert (await kit.load({"ci.star": text}, {}))[0].manifest["spec"] is None


async def test_now_is_the_time_of_the_event(kit: Kit) -> None:
    text = "load('builtin:///time', 'now')\n" + HEAD % "now().unix_nano"
    assert (await kit.load({"ci.star": text}, {}))[0].manifest["spec"] == 1709208000000007000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "\nload('github://lib/none.star', 'x')\n",
            ".kube-ci/ci.star:2:1: `github://lib/none.star` is not there (github://lib.acme/none.star): acme/lib has no `none.star`",
        ),
        (
            "load('github://lib.other/x.star', 'x')\n",
            ".kube-ci/ci.star:1:1: github://lib.other/x.star: other/lib belongs to another owner, and the setting `moduleRepositories` does not name it",
        ),
        (
            "load('https://example.com/none', 'x')\n",
            ".kube-ci/ci.star:1:1: `https://example.com/none` is not there (https://example.com/none): the server answered 404",
        ),
        (
            "load('https://internal/x', 'x')\n",
            ".kube-ci/ci.star:1:1: https://internal/x: the address 169.254.169.254 is not public",
        ),
        (
            "load('github://lib/forbidden.star', 'x')\n",
            ".kube-ci/ci.star:1:1: github://lib.acme/forbidden.star: no permission",
        ),
        (
            "load('github://lib/big.txt', 'x')\n",
            ".kube-ci/ci.star:1:1: github://lib.acme/big.txt: has more than 1,000,000 bytes",
        ),
        (
            "load('github://lib/long.star', 'x')\n",
            "github://lib.acme/long.star: has more than 64 KB\nloaded from ci.star",
        ),
        (
            "load('github://lib/wrong.star', 'x')\n",
            "github://lib.acme/wrong.star:2:5: Variable `y` not found, did you mean `x`?\nloaded from ci.star",
        ),
        (
            "load('github://lib/c.star', 'x')\n",
            "a.star:1:1: load cycle: github://lib.acme/c.star -> a.star -> github://lib.acme/c.star\nloaded from github://lib.acme/c.star\nloaded from ci.star",
        ),
        (
            "x = loadFile('https://internal/x', error_on_notfound = False)\n",
            ".kube-ci/ci.star:1:5: https://internal/x: the address 169.254.169.254 is not public\ncalled from ci.star:1, in <module>",
        ),
    ],
)
async def test_faults_say_where_and_what(kit: Kit, text: str, message: str) -> None:
    elsewhere: dict[str, str | Exception] = {
        "https://internal/x": UpstreamError("the address 169.254.169.254 is not public"),
        "acme/lib@:forbidden.star": Forbidden("no permission"),
        "acme/lib@:big.txt": "x" * 1_000_001,
        "acme/lib@:long.star": "#" * 100_000,
        "acme/lib@:wrong.star": "x = 1\nz = y\n",
        "acme/lib@:c.star": "load('context:///a.star', 'x')\n",
    }
    found = await kit.fault(text, elsewhere)
    assert found.removeprefix(".kube-ci/") == message.removeprefix(".kube-ci/")


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


async def test_what_github_cannot_answer_now_is_no_fault_of_the_definition(kit: Kit) -> None:
    elsewhere = {"acme/lib@:a.star": UpstreamError("busy", retryable=True)}
    with pytest.raises(UpstreamError, match="busy"):
        await kit.load({"ci.star": "load('github://lib/a.star', 'x')\n"}, elsewhere)
    assert (await kit.load({"ci.star": HEAD % 1}, {}))[0].manifest["spec"] == 1


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


ACME = (Pattern("acme/.*"), Pattern("other/lib"))


@pytest.mark.parametrize(
    ("full_name", "patterns", "trusted", "reason"),
    [
        ("acme/app", None, False, ""),
        ("ACME/App", (), False, ""),
        ("acme/lib", None, True, ""),
        ("Acme/lib", None, True, ""),
        ("acme/lib", None, False, "acme/lib is not read for a head that is not trusted"),
        ("acme/lib", ACME, False, "acme/lib is not read for a head that is not trusted"),
        (
            "other/lib",
            None,
            True,
            "other/lib belongs to another owner, and the setting `moduleRepositories` does not name it",
        ),
        ("other/lib", ACME, True, ""),
        ("acme/lib", ACME, True, ""),
        (
            "other/lib2",
            ACME,
            True,
            "other/lib2 is not among the `moduleRepositories` of the server's settings",
        ),
        (
            "evil-acme/lib",
            ACME,
            True,
            "evil-acme/lib is not among the `moduleRepositories` of the server's settings",
        ),
        ("acme/lib", (), True, "acme/lib is not among the `moduleRepositories` of the server's settings"),
    ],
)
def test_which_repositories_are_read(
    full_name: str, patterns: tuple[Pattern, ...] | None, trusted: bool, reason: str
) -> None:
    assert unreadable(full_name, ReadingRules(BUILD, patterns, trusted=trusted)) == reason


async def test_an_untrusted_head_reads_nothing_beyond_its_repository(kit: Kit) -> None:
    elsewhere = {
        "acme/app@:a.star": "x = 1\n",
        "acme/lib@:a.star": "x = 1\n",
        "https://example.com/a": "x = 1\n",
    }
    own = "load('github://app/a.star', 'x')\n" + HEAD % "x"
    assert (await kit.load({"ci.star": own}, elsewhere, trusted=False))[0].manifest["spec"] == 1
    assert "is not read for a head that is not trusted" in await kit.fault(
        "load('github://lib/a.star', 'x')\n", elsewhere, trusted=False
    )
    assert "nothing is fetched from the web for a head that is not trusted" in await kit.fault(
        "load('https://example.com/a', 'x')\n", elsewhere, trusted=False
    )
