"""Which repositories' modules are read, and for whom."""

from __future__ import annotations

import pytest
from modules_kit import BUILD, HEAD, Kit

from kubeci.definition.reading import ReadingRules, unreadable
from kubeci.settings.pattern import Pattern

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
