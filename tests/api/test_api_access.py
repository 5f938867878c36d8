from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.settings.api import ApiToken
from kubeci.web.access import Access

TOKENS = (
    ApiToken("one", b"0123456789abcdef"),
    ApiToken("two", "geheimnis für zwei".encode()),
    ApiToken("empty", b""),
)
ACCESS = Access(TOKENS)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Bearer 0123456789abcdef", "one"),
        ("bearer   0123456789abcdef ", "one"),
        # HTTP brings bytes; Starlette reads them as latin-1.
        ("Bearer " + "geheimnis für zwei".encode().decode("latin-1"), "two"),
        ("Bearer geheimnis für zwei", ""),
        ("", ""),
        ("Bearer", ""),
        ("Bearer ", ""),
        ("Basic 0123456789abcdef", ""),
        ("0123456789abcdef", ""),
        ("Bearer 0123456789abcde", ""),
        ("Bearer 0123456789abcdef0", ""),
        ("Bearer 0123456789abcdef, Bearer x", ""),
    ],
)
def test_a_header_is_one_token_or_none(header: str, name: str) -> None:
    token = ACCESS.bearer(header)
    assert (token.name if token else "") == name


@given(st.text(st.characters(codec=None)))
def test_odd_headers_are_nobody(text: str) -> None:
    assert ACCESS.bearer(text) is None
    assert ACCESS.bearer(f"Bearer {text}x") is None


def test_without_a_secret_nothing_is_configured() -> None:
    assert ACCESS.configured
    assert not Access([ApiToken("empty", b"")]).configured


def test_no_secret_is_shown() -> None:
    assert "0123456789abcdef" not in repr(TOKENS)
