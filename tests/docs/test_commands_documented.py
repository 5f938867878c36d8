"""A test fails when a slash command is undocumented, or a document names one that is not there."""

from __future__ import annotations

import pytest
from markdown_text import ROOT, prose, rows

from kubeci.policy.commands import MAX_COMMANDS, WORD
from kubeci.service.commands.handle import MEMBERS_ONLY
from kubeci.service.commands.run import PULL_REQUESTS_ONLY
from kubeci.service.commands.verbs import VERBS, help_text
from kubeci.settings.config import Config

COMMANDS = ROOT / "docs" / "commands.md"


@pytest.mark.parametrize("verb", VERBS.values(), ids=lambda verb: verb.usage.split()[0])
def test_every_slash_command_is_documented(verb: object) -> None:
    usage = getattr(verb, "usage", "")
    assert f"`{WORD} {usage}`" in {row[0] for row in rows(COMMANDS)}
    assert f"`{WORD} {usage}`" in help_text(Config())


def test_no_slash_command_is_documented_that_is_not_there() -> None:
    documented = {row[0].strip("`").split()[1] for row in rows(COMMANDS) if row[0].startswith(f"`{WORD}")}
    assert documented == set(VERBS)


def test_the_words_that_people_know_are_documented() -> None:
    assert MEMBERS_ONLY in " ".join(prose(COMMANDS).split())
    assert PULL_REQUESTS_ONLY in (ROOT / "docs" / "contract.md").read_text()
    assert {10: "ten"}[MAX_COMMANDS] in prose(COMMANDS)
