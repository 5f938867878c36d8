from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages_kit import READER, WRITER

from kubeci.errors import ConfigurationError
from kubeci.settings.api import ApiToken, Pages
from kubeci.web.pages import cookie
from kubeci.web.pages.access import Asked, Refusal, Viewer, access_of

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HERE, ABROAD = "127.0.0.1", "0.0.0.0"
PROXIED = Pages(user_header="X-Forwarded-User", proxies=("10.0.0.0/8", "192.0.2.7", "fd00::/8"))
ASKED = Asked("203.0.113.9", "ci.test")
FROM_PROXY = Asked("10.1.2.3", "ci.test", users=("octocat",))
LOGGED_IN = replace(ASKED, cookie=cookie.written(READER, NOW))


@pytest.mark.parametrize(
    ("pages", "tokens", "listen", "asked", "expected"),
    [
        (Pages(), (), HERE, replace(ASKED, host="localhost:8080"), Viewer()),
        (Pages(), (), HERE, replace(ASKED, host="127.0.0.1"), Viewer()),
        (Pages(), (), "::1", replace(ASKED, host="[::1]:8080"), Viewer()),
        (Pages(), (), "localhost", replace(ASKED, host="LOCALHOST."), Viewer()),
        (Pages(), (), HERE, replace(ASKED, host="localhost", forwarded=True), Refusal.OFF),
        (Pages(), (), HERE, replace(ASKED, host="rebound.test:8080"), Refusal.HOST),
        (Pages(), (), HERE, replace(ASKED, host="localhost.rebound.test"), Refusal.HOST),
        (Pages(), (), HERE, replace(ASKED, host=""), Refusal.HOST),
        (Pages(), (), HERE, replace(ASKED, host="[::1"), Refusal.HOST),
        (Pages(public=True), (), HERE, replace(ASKED, host="rebound.test"), Refusal.HOST),
        (PROXIED, (), HERE, FROM_PROXY, Viewer("octocat")),
        (Pages(), (READER,), HERE, LOGGED_IN, Viewer("reader", READER)),
        (Pages(), (READER,), HERE, ASKED, Refusal.LOGIN),
        (Pages(), (), ABROAD, ASKED, Refusal.OFF),
        (Pages(), (), ABROAD, replace(ASKED, host="localhost"), Refusal.OFF),
        (Pages(), (WRITER,), ABROAD, ASKED, Refusal.OFF),
        (Pages(public=True), (), ABROAD, ASKED, Viewer()),
        (Pages(public=True), (READER,), ABROAD, LOGGED_IN, Viewer()),
        (Pages(), (READER,), ABROAD, ASKED, Refusal.LOGIN),
        (Pages(), (READER,), HERE, replace(ASKED, host="localhost"), Refusal.LOGIN),
        (Pages(), (READER,), ABROAD, LOGGED_IN, Viewer("reader", READER)),
        (PROXIED, (), ABROAD, FROM_PROXY, Viewer("octocat")),
        (PROXIED, (), ABROAD, replace(FROM_PROXY, peer="::ffff:10.1.2.3"), Viewer("octocat")),
        (PROXIED, (), ABROAD, replace(FROM_PROXY, peer="192.0.2.7"), Viewer("octocat")),
        (PROXIED, (), ABROAD, replace(FROM_PROXY, peer="192.0.2.8"), Refusal.LOGIN),
        (PROXIED, (), ABROAD, replace(FROM_PROXY, peer="fd00::1"), Viewer("octocat")),
        (PROXIED, (), ABROAD, replace(FROM_PROXY, peer=""), Refusal.LOGIN),
        (PROXIED, (), ABROAD, replace(FROM_PROXY, users=()), Refusal.LOGIN),
        (PROXIED, (), ABROAD, replace(FROM_PROXY, users=(" ",)), Refusal.LOGIN),
        (PROXIED, (), ABROAD, replace(FROM_PROXY, users=("admin", "octocat")), Refusal.LOGIN),
        (Pages(user_header="X-User"), (), ABROAD, FROM_PROXY, Refusal.OFF),
        (Pages(proxies=("10.0.0.0/8",)), (), ABROAD, FROM_PROXY, Refusal.OFF),
    ],
)
def test_who_may_look(
    pages: Pages, tokens: tuple[ApiToken, ...], listen: str, asked: Asked, expected: Viewer | Refusal
) -> None:
    assert access_of(pages, tokens, listen).viewer(asked, NOW) == expected


def test_proxies_that_are_none_are_named() -> None:
    with pytest.raises(ConfigurationError, match=r"`pages.proxies`: .*10\.0\.0\.1/8"):
        access_of(Pages(proxies=("10.0.0.1/8",)), (), ABROAD)


def test_a_viewer_sees_what_the_token_reaches() -> None:
    viewer = Viewer("reader", READER)
    assert viewer.sees("acme/widgets")
    assert not viewer.sees("evil/acme/widgets")
    assert Viewer("octocat").sees("any/thing")


VALUE = cookie.written(READER, NOW)


@pytest.mark.parametrize(
    ("value", "later"),
    [
        ("", timedelta()),
        (VALUE, cookie.LIFETIME),
        (VALUE, -timedelta(seconds=1)),  # it would hold longer than any that we write
        (VALUE.replace("reader", "writer"), timedelta()),
        (VALUE[:-1], timedelta()),
        (VALUE + ":", timedelta()),
        (VALUE + "x" * cookie.LIMIT, timedelta()),
        ("reader:" + "9" * 30 + ":" + VALUE[-64:], timedelta()),
        ("reader:¹²:" + VALUE[-64:], timedelta()),
    ],
)
def test_cookies_that_are_none(value: str, later: timedelta) -> None:
    assert cookie.read(value, (READER, WRITER), NOW + later) is None


def test_a_cookie_ends_with_its_token() -> None:
    assert cookie.read(VALUE, (WRITER, READER), NOW + cookie.LIFETIME - timedelta(seconds=1)) is READER
    assert cookie.read(VALUE, (WRITER,), NOW) is None
    assert cookie.read(VALUE, (replace(READER, secret=b"another secret now"),), NOW) is None


@given(
    st.text(max_size=100)
    | st.tuples(st.text(), st.integers(), st.text()).map(lambda p: ":".join(map(str, p)))
)
def test_nobody_guesses_a_cookie(value: str) -> None:
    assert cookie.read(value, (READER,), NOW) is None
