"""Repositories and a web that hold modules, and a definition that loads them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from kubeci.definition.definition import Definition
from kubeci.definition.loader import ContextNames, Inputs, load_definition
from kubeci.definition.module_reader import ModuleSources
from kubeci.definition.reading import ReadingRules
from kubeci.definition.sandbox import Sandbox
from kubeci.errors import DefinitionError, NotFound
from kubeci.model.module import ModuleFile
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
