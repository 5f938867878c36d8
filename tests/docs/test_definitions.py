from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from types import SimpleNamespace

import pytest
from markdown_text import ROOT, Block, blocks, rows

from kubeci.definition.builtins import Builtin, builtins
from kubeci.definition.module_reader import ModuleSources
from kubeci.definition.sandbox import Sandbox
from kubeci.errors import DefinitionError, NotFound
from kubeci.model.build import BuildRequest
from kubeci.model.module import ModuleFile
from kubeci.model.repository import Commit, Ref, RefType, Repository
from kubeci.model.source import CommitSource
from kubeci.service.prepare import Tools, prepare, render
from kubeci.settings.config import Config

FOLDER = "# .kube-ci/"
ELSEWHERE = ("# github://", "# https://")
DEFINITIONS = ROOT / "docs" / "definitions.md"
REQUEST = BuildRequest(
    id="0" * 40,
    commit=Commit(Repository("acme", "widgets", 7), "1" * 40),
    ref=Ref("main"),
    automatic=False,
    repository_object={"full_name": "acme/widgets", "clone_url": "https://github.com/acme/widgets.git"},
)


@dataclass(frozen=True)
class Example:
    """A definition of the documents, and what is said to come of it: warnings, prints, or an error."""

    block: Block
    files: dict[str, str]
    said: str

    def __str__(self) -> str:
        return str(self.block)


def examples() -> list[Example]:
    """Find the definitions; a block of text right after one is what it says."""
    found = []
    libraries: dict[str, str] = {}
    for document in (ROOT / "README.md", DEFINITIONS):
        several = blocks(document)
        for block, following in pairwise([*several, Block(document, 0, "", "")]):
            if block.language not in {"yaml", "python"}:
                continue
            first = block.text.partition("\n")[0]
            if first.startswith(ELSEWHERE):
                continue
            assert first.startswith(FOLDER), f"{block}: the first line must name the file"
            name = first.removeprefix(FOLDER)
            if name not in {"ci.yaml", "ci.star"}:
                libraries[name] = block.text
                continue
            near = following.line == block.line + block.text.count("\n") + 3
            said = following.text.strip() if near and following.language == "text" else ""
            found.append(Example(block, {**libraries, name: block.text}, said))
    return found


class Elsewhere:
    """The files of other repositories and of the web that the documents show."""

    def __init__(self) -> None:
        self.files = {
            first.removeprefix("# "): text
            for first, _, text in (block.text.partition("\n") for block in blocks(DEFINITIONS))
            if first.startswith(ELSEWHERE)
        }

    async def repository(self, _build: Repository, full_name: str, revision: str, path: str) -> ModuleFile:
        owner, _, name = full_name.partition("/")
        ref = revision.removeprefix("sha of ")
        text = self.files.get(f"github://{name}.{owner}/{path}?ref={ref}")
        if text is None:
            raise NotFound(f"{full_name} has no file `{path}`")
        return ModuleFile(text, f"sha of {ref}")

    async def web(self, url: str) -> ModuleFile:
        return ModuleFile(self.files[url], "sha256:")

    def sources(self) -> ModuleSources:
        return ModuleSources(SimpleNamespace(read=self.repository), SimpleNamespace(read=self.web))


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(sources=Elsewhere().sources()) as opened:
        yield opened


async def outcome(example: Example, sandbox: Sandbox) -> str:
    """Say what `kubeci render` says of a definition beside the workflow."""
    try:
        prepared = await prepare(
            REQUEST, CommitSource(example.files), Tools(sandbox, Config()), datetime.now(UTC)
        )
    except DefinitionError as error:
        return str(error)
    assert prepared
    assert render(prepared, Config())["spec"]["entrypoint"] == prepared.build.entrypoint
    return "\n".join([*prepared.build.prints, *(f"warning: {text}" for text in prepared.build.warnings)])


@pytest.mark.parametrize("example", examples(), ids=str)
async def test_the_definitions_of_the_documents_do_what_is_said(example: Example, sandbox: Sandbox) -> None:
    assert await outcome(example, sandbox) == example.said


@pytest.mark.parametrize(("address", "builtin"), sorted(builtins(0).items()))
def test_every_builtin_is_documented(address: str, builtin: Builtin) -> None:
    [row] = [row for row in rows(DEFINITIONS) if row[0] == f"`builtin://{address}`"]
    public = re.findall(r"^(?:def )?([a-z]\w*)(?: =|\()", builtin.source, re.MULTILINE)
    assert [name for name in public if not re.search(rf"`{name}[`(]", row[1])] == []
    assert public


async def test_every_parameter_is_documented(sandbox: Sandbox) -> None:
    text = DEFINITIONS.read_text()
    example = examples()[0]
    for ref in (Ref("main"), Ref("v1", RefType.TAG)):
        request = replace(REQUEST, ref=ref)
        prepared = await prepare(
            request, CommitSource(example.files), Tools(sandbox, Config()), datetime.now(UTC)
        )
        assert prepared
        prepared = replace(prepared, around=replace(prepared.around, cache_claim="a-claim"))
        given = render(prepared, Config())["spec"]["arguments"]["parameters"]
        assert [entry["name"] for entry in given if f"`{entry['name']}`" not in text] == []
