"""A file is read in one go: none is longer than 300 lines."""

from __future__ import annotations

import pytest
from markdown_text import ROOT

MOST_LINES = 300


@pytest.mark.parametrize("folder", ["kubeci", "tests", "bench", "chaos", "examples"])
def test_no_module_is_too_long(folder: str) -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8").count("\n")
        for path in (ROOT / folder).rglob("*.py")
    }
    assert lengths, f"{folder} has no modules"
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}
