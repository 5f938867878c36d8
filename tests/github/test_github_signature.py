from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.errors import Invalid
from kubeci.github.payload import payload_of
from kubeci.github.signature import sign, verify

# docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries: "Testing the webhook payload validation"
SECRET = b"It's a Secret to Everybody"
BODY = b"Hello, World!"
SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_github_s_own_example() -> None:
    assert verify(SECRET, BODY, SIGNATURE)
    assert verify(SECRET, BODY, SIGNATURE.encode())


@pytest.mark.parametrize(
    "header",
    [
        SIGNATURE.upper(),
        SIGNATURE.removeprefix("sha256="),
        "sha256=é",
        "sha256=\udc80",
        b"sha256=\xff",
        "",
        None,
    ],
)
def test_wrong_signatures(header: str | bytes | None) -> None:
    assert not verify(SECRET, BODY, header)


def test_an_empty_secret_signs_nothing() -> None:
    assert not verify(b"", BODY, sign(b"", BODY))


@given(st.binary(min_size=1), st.binary(), st.text())
def test_only_the_signature_of_the_body_is_right(secret: bytes, body: bytes, header: str) -> None:
    assert verify(secret, body, sign(secret, body))
    assert not verify(secret, body + b".", sign(secret, body))
    assert not verify(secret, body, header)


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("application/json", b'{"a":1}', b'{"a":1}'),
        ("Application/JSON; charset=utf-8", b"{", b"{"),
        (FORM, b"payload=%7B%22a%22%3A+%22%C3%A9%22%7D", '{"a": "é"}'.encode()),
        (f"{FORM}; charset=utf-8", b"x=1&payload=%7B%7D", b"{}"),
    ],
)
def test_payload_of(content_type: str, body: bytes, expected: bytes) -> None:
    assert payload_of(content_type, body) == expected


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("", b"{}", 415),
        ("text/xml", b"<a/>", 415),
        (FORM, b"", 400),
        (FORM, b"a=1", 400),
        (FORM, b"payload=1&payload=2", 400),
        (FORM, b"payload=%FF", 400),
        (FORM, b"payload=\xff", 400),
        (FORM, b"&".join(b"a=1" for _ in range(100)), 400),
    ],
)
def test_payload_of_refuses(content_type: str, body: bytes, status: int) -> None:
    with pytest.raises(Invalid) as caught:
        payload_of(content_type, body)
    assert caught.value.status == status
