from __future__ import annotations

from markdown_text import ROOT, blocks, rows

from kubeci.policy.asks_told import WORDS
from kubeci.settings.asks import NAMELESS, RESTRICTED, Ask, Word
from kubeci.settings.config import load_config

PAGE = ROOT / "docs" / "asks.md"


def test_every_ask_is_documented_and_said_in_words() -> None:
    table = {row[0].strip("`"): row for row in rows(PAGE) if len(row) == 4 and row[0].startswith("`")}
    assert set(table) == set(Ask) == set(WORDS)
    assert {key for key, row in table.items() if row[3].startswith("none")} == {
        ask for ask, rule in RESTRICTED.items() if rule is Word.NONE
    }
    assert {key for key, row in table.items() if row[2] == "no name"} == NAMELESS


def test_the_policies_of_the_page_are_accepted() -> None:
    examples = [block.text for block in blocks(PAGE) if block.language == "yaml"]
    assert len(examples) == 3
    assert [load_config(text, source="docs", strict=True).warnings for text in examples] == [()] * 3
