"""The commands and files that the operators' documents show."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from deploy_kit import ROOT

INSTALL, OPERATE = ROOT / "docs" / "install.md", ROOT / "docs" / "operate.md"

_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# (ours/\S+)\n")


@dataclass(frozen=True, slots=True)
class Command:
    """A line of a document that is run by a shell."""

    document: str
    line: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.line)

    @property
    def inside(self) -> str:
        """What `kubectl exec` runs in the pod, with its redirection and without a pipe's other end; "": another command."""
        found = re.fullmatch(
            r"kubectl exec (?:--stdin )?--namespace kubeci deployment/kubeci -- (.*)", self.line
        )
        return found[1].partition(" | ")[0] if found else ""

    def __str__(self) -> str:
        return f"{self.document}: {self.line[:60]}"


def _blocks(document: Path, language: str) -> Iterator[str]:
    for indent, found, text in _BLOCK.findall(document.read_text()):
        if found == language:
            yield re.sub(f"^{indent}", "", text, flags=re.MULTILINE)


def commands(document: Path) -> list[Command]:
    """Give the lines of the blocks in `bash`, in their order."""
    lines = [line for block in _blocks(document, "bash") for line in block.splitlines()]
    return [Command(document.name, line) for line in lines]


def named_in_tables(document: Path) -> list[Command]:
    """Give the commands that stand in cells of tables, such as the troubleshooting's."""
    cells = [line for line in document.read_text().splitlines() if line.startswith("| ")]
    return [
        Command(document.name, found) for cell in cells for found in re.findall(r"`(kubectl [^`]+)`", cell)
    ]


def files(document: Path) -> list[tuple[str, str]]:
    """Give the files that blocks of YAML show, by the name in their first line."""
    return [(found[1], block) for block in _blocks(document, "yaml") if (found := _FILE.match(block))]


def replicas_of(document: Path) -> dict[str, Any]:
    """Give what the overlay of several replicas has in place of the ordinary one's."""
    [block] = [each for each in _blocks(document, "yaml") if "deploy/replicas" in each]
    return dict(yaml.safe_load(block))
