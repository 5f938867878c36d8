"""docs/migration.md sets each name of kube-ci v0.12.5 beside ours."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from markdown_text import ROOT, prose
from original_kit import NAMES

PAGE = ROOT / "docs" / "migration.md"


def told(heading: str) -> Iterator[str]:
    """Give what the first column of a section's tables names; what stands before names in a cell goes with each of them."""
    text = re.split(r"^## ", prose(PAGE), flags=re.MULTILINE)
    [section] = [part for part in text if part.startswith(f"{heading}\n")]
    for line in section.splitlines():
        cell = line.split(" | ")[0].removeprefix("| ")
        if not line.startswith("| ") or "`" not in cell:
            continue
        names = re.findall(r"`([^`]+)`", cell)
        kind = cell.partition("`")[0].strip()
        if heading == "Starlark" and names[0].startswith("/"):
            yield from (f"{names[0]} {name}" for name in names[1:])
        elif kind in {"label", "request", "answer"}:
            yield from (f"{kind} {name}" for name in names)
        else:
            yield from names


@pytest.mark.parametrize("heading", NAMES)
def test_every_name_of_the_original_stands_on_the_page(heading: str) -> None:
    assert [name for name in NAMES[heading] if name not in set(told(heading))] == []


@pytest.mark.parametrize("heading", [each for each in NAMES if each != "Events"])
def test_the_tables_name_the_original_alone(heading: str) -> None:
    assert [name for name in told(heading) if name not in NAMES[heading]] == []
