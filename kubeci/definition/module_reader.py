"""The server's side of `load` and `loadFile` from elsewhere: one reader a build, with its limits and its record."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from kubeci.definition.addresses import Address, check
from kubeci.definition.protocol import Answer
from kubeci.definition.reading import ReadingRules, unreadable, web_unreadable
from kubeci.errors import NotFound, UpstreamError
from kubeci.model.module import Loaded, ModuleFile
from kubeci.ports import RepositoryFiles, WebFiles

MAX_MODULES = 100
MAX_FILE_BYTES = 1_000_000
MAX_TOTAL_BYTES = 4_000_000
MAX_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class ModuleSources:
    """Where files from elsewhere come from."""

    repositories: RepositoryFiles
    web: WebFiles


class ModuleReader:
    """Answers what one build's evaluation asks for, and remembers it.

    A branch or tag that was read once stays at its commit for the whole build. What is asked again is not read again.
    """

    def __init__(
        self, sources: ModuleSources | None, rules: ReadingRules | None, *, seconds: float = MAX_SECONDS
    ) -> None:
        self._access = (sources, rules) if sources and rules else None
        self._seconds = seconds
        self._answers: dict[Address, Answer] = {}
        self._loaded: list[Loaded] = []
        self._shas: dict[tuple[str, str], str] = {}
        self._bytes = 0

    @property
    def loaded(self) -> tuple[Loaded, ...]:
        """List what was read, in order."""
        return tuple(self._loaded)

    async def answer(self, address: Address) -> Answer:
        """Read a file; what is wrong with it is told in the answer.

        Raises UpstreamError when GitHub does not answer now but may later: nobody can mend that in a definition.
        """
        known = self._answers.get(address)
        if known is None:
            known = await self._read(address)
            if len(self._answers) < MAX_MODULES:
                self._answers[address] = known
        return known

    async def _read(self, address: Address) -> Answer:
        if self._access is None:
            return Answer(refused=f"{address.scheme}:// addresses cannot be read here; a server reads them")
        if len(self._answers) >= MAX_MODULES:
            return Answer(refused=f"a definition loads at most {MAX_MODULES} files from elsewhere")
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._seconds):
                found = await self._file(check(address), *self._access)
        except TimeoutError:
            return Answer(
                refused=f"{address}: loading from elsewhere took longer than {MAX_SECONDS:g} seconds"
            )
        except NotFound as error:
            return Answer(missing=str(error))
        except UpstreamError as error:
            if error.retryable and address.scheme == "github":
                raise
            return Answer(refused=f"{address}: {error}")
        except ValueError as error:
            return Answer(refused=f"{address}: {error}")
        finally:
            self._seconds -= time.monotonic() - started
        return self._kept(address, found)

    async def _file(self, address: Address, sources: ModuleSources, rules: ReadingRules) -> ModuleFile:
        if address.scheme == "https":
            if reason := web_unreadable(rules):
                raise ValueError(reason)
            return await sources.web.read(address.url)
        if address.scheme != "github":
            raise ValueError("is not read from elsewhere")
        owner, name = address.repository
        full_name = f"{owner}/{name}"
        if reason := unreadable(full_name, rules):
            raise ValueError(reason)
        asked = full_name.lower(), address.query
        found = await sources.repositories.read(
            rules.repository, full_name, self._shas.get(asked, address.query), address.path.removeprefix("/")
        )
        self._shas[asked] = found.sha
        return found

    def _kept(self, address: Address, found: ModuleFile) -> Answer:
        size = len(found.text.encode(errors="replace"))
        if size > MAX_FILE_BYTES:
            return Answer(refused=f"{address}: has more than {MAX_FILE_BYTES:,} bytes")
        self._bytes += size
        if self._bytes > MAX_TOTAL_BYTES:
            return Answer(
                refused=f"{address}: the files loaded from elsewhere have more than {MAX_TOTAL_BYTES:,} bytes together"
            )
        self._loaded.append(Loaded(str(address), found.sha))
        return Answer(text=found.text)
