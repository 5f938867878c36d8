from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.report.mrkdwn import code, cut, escape, link, of_markdown, sentence

ODD = st.text(st.sampled_from("<>&!@|`*_ \n\u202eahere#C1:/https") | st.characters())


@pytest.mark.parametrize(
    ("markdown", "mrkdwn"),
    [
        ("**Failed** after 3s: `a<b>` failed", "*Failed* after 3s: `a&lt;b&gt;` failed"),
        ("``a`b``", "`a'b`"),
        ("`` `a` ``", "`'a'`"),
        ("a ` b", "a ` b"),
        ("<!channel> & @here", "&lt;!channel&gt; &amp; @\u2060here"),
        ("one\n- `two`", "one\n- `two`"),
        ("", ""),
    ],
)
def test_markdown_of_ours_becomes_mrkdwn(markdown: str, mrkdwn: str) -> None:
    assert of_markdown(markdown) == mrkdwn


@given(ODD)
def test_nothing_foreign_opens_a_mention_or_a_link(text: str) -> None:
    for shown in (escape(text), code(text), sentence(text), of_markdown(text)):
        assert "<" not in shown
        assert ">" not in shown
        assert "@here" not in shown.lower()
    assert code(text).count("`") in {0, 2}
    assert "\n" not in code(text) + sentence(text)


@given(ODD, ODD)
def test_a_link_stays_one_link(url: str, label: str) -> None:
    shown = link(f"https://x.example/{url}", label)
    assert (shown.count("<"), shown.count(">"), shown.count("|"), shown.count("\n")) == (1, 1, 1, 0)
    assert "<" not in link(f"javascript:{url}", label)


def test_a_long_message_is_cut_at_a_line() -> None:
    assert cut("one\ntwo\nthree", 9) == "one\ntwo\n… cut"
    assert len(cut("x" * 10_000)) < 3_100
