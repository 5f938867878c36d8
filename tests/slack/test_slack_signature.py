from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import Clock, SignatureVerifier

from kubeci.slack.signature import sign, verify

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
SECRET = b"8f742231b10e8888abcd99yyyzzz85a5"
BODY = b"command=%2Fci-build&text=acme%2Fwidgets"


def stamp(seconds: float = 0) -> str:
    return str(int((NOW + timedelta(seconds=seconds)).timestamp()))


class At(Clock):
    def now(self) -> float:
        return NOW.timestamp()


def test_it_is_the_signature_that_slack_documents() -> None:
    theirs = SignatureVerifier(SECRET.decode(), At())
    assert theirs.generate_signature(timestamp=stamp(), body=BODY) == sign(SECRET, stamp(), BODY)
    assert theirs.is_valid(BODY, stamp(), sign(SECRET, stamp(), BODY))


@pytest.mark.parametrize(
    ("seconds", "taken"),
    [(0, True), (-300, True), (300, True), (-301, False), (301, False), (-86_400, False)],
)
def test_a_request_is_of_these_five_minutes(seconds: int, taken: bool) -> None:
    assert verify(SECRET, BODY, stamp(seconds), sign(SECRET, stamp(seconds), BODY), NOW) is taken


@pytest.mark.parametrize(
    ("body", "timestamp", "signature"),
    [
        (BODY + b"&x=1", stamp(), sign(SECRET, stamp(), BODY)),
        (BODY, stamp(1), sign(SECRET, stamp(), BODY)),
        (BODY, stamp(), sign(b"another", stamp(), BODY)),
        (BODY, stamp(), sign(SECRET, stamp(), BODY).upper()),
        (BODY, stamp(), sign(SECRET, stamp(), BODY)[3:]),
        (BODY, stamp(), ""),
        (BODY, "", sign(SECRET, "", BODY)),
        (BODY, "now", sign(SECRET, "now", BODY)),
        (BODY, f" {stamp()}", sign(SECRET, f" {stamp()}", BODY)),
        (BODY, f"-{stamp()}", sign(SECRET, f"-{stamp()}", BODY)),
        (BODY, f"{stamp()}.0", sign(SECRET, f"{stamp()}.0", BODY)),
        (BODY, "9" * 5_000, sign(SECRET, "9" * 5_000, BODY)),
    ],
)
def test_what_does_not_fit_is_refused(body: bytes, timestamp: str, signature: str) -> None:
    assert not verify(SECRET, body, timestamp, signature, NOW)


def test_an_empty_secret_signs_nothing() -> None:
    assert not verify(b"", BODY, stamp(), sign(b"", stamp(), BODY), NOW)


@given(st.binary(), st.text(st.characters()), st.text(st.characters()))
def test_odd_headers_are_refused_and_raise_nothing(body: bytes, timestamp: str, signature: str) -> None:
    assert not verify(SECRET, body, timestamp, signature, NOW)
    assert not verify(SECRET, body, stamp(), signature, NOW)
