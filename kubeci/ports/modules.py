"""Files that definitions load from elsewhere."""

from __future__ import annotations

from typing import Protocol

from kubeci.model.module import ModuleFile
from kubeci.model.repository import Repository


class RepositoryFiles(Protocol):
    """Files of any repository, for definitions that load them."""

    async def read(self, build: Repository, full_name: str, revision: str, path: str) -> ModuleFile:
        """Read a file of `owner/name` for a build of another repository, as far as that repository's installation reaches.

        `revision` is a branch, tag or sha; empty: the default branch. `NotFound` says why there is none.
        """


class WebFiles(Protocol):
    """Files of the public web, for definitions that load them."""

    async def read(self, url: str) -> ModuleFile:
        """Fetch an https address, without any credentials; `NotFound` when the server has no such file."""
