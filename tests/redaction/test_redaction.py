"""No secret that was put into a text comes out of it, and a text without one stays as it is."""

from __future__ import annotations

import io
import json
import logging
import time
from contextlib import redirect_stderr
from typing import Literal

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from kubeci.redaction import LEAST_CHARACTERS, MASK, Redaction
from kubeci.settings.api import ApiToken
from kubeci.settings.options import Options
from kubeci.settings.pattern import Pattern
from kubeci.telemetry import Adopted, configure_logging

LETTERS = st.sampled_from("abcXYZ0189")
TOKEN = st.text(LETTERS, min_size=20, max_size=60)
OWN = st.text(st.characters(exclude_categories=["Cs"]), min_size=LEAST_CHARACTERS, max_size=60).filter(
    lambda secret: len(secret.strip()) >= LEAST_CHARACTERS and not MASK.startswith(secret)
)
SHAPED = st.one_of(
    st.builds("{}{}".format, st.sampled_from(["ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_"]), TOKEN),
    st.builds("eyJ{}.eyJ{}.{}".format, TOKEN, TOKEN, TOKEN),
    st.builds("{}-{}-{}".format, st.sampled_from(["xoxb", "xoxp", "xapp", "xoxe.xoxp"]), TOKEN, TOKEN),
    st.builds(
        "{}{}".format, st.sampled_from(["AKIA", "ASIA"]), st.text("ABCXYZ0189", min_size=16, max_size=16)
    ),
)
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEAu1SU1\nLfVLPHCozMxH2Mo4lgOEePzNm0\n-----END RSA PRIVATE KEY-----\n"


@given(st.text(), OWN, st.text())
def test_a_secret_of_the_server_does_not_come_out(before: str, secret: str, after: str) -> None:
    told = Redaction([secret])(before + secret + after)
    assert MASK in told
    assert secret.strip() not in told.replace(MASK, "\0")


@given(st.lists(st.text("ab", min_size=LEAST_CHARACTERS, max_size=12), min_size=1), st.text("ab"))
def test_secrets_that_overlap_leave_no_part(secrets: list[str], text: str) -> None:
    told = Redaction(secrets)(text)
    assert [secret for secret in secrets if secret in told] == []
    covered = [any(text[at : at + len(each)] == each for each in secrets) for at in range(len(text))]
    assert (MASK in told) == any(covered)


@given(st.text(), st.sampled_from([" ", "\n", '"', "'", "=", "(", "`", "\0"]), SHAPED, st.text())
def test_what_has_a_known_shape_does_not_come_out(before: str, between: str, secret: str, after: str) -> None:
    assert secret not in Redaction()(before + between + secret + after)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: token abc123 and more", "[masked] and more"),
        ('{"Authorization": "Bearer abc.def"}', '{"[masked]"}'),
        ("sent Bearer abcdefghijkl.mnop", "sent [masked]"),
        ("postgresql://ci:hush@db.example/ci fails", "postgresql://[masked]db.example/ci fails"),
        ("GET https://x.example/a?token=hush&page=2", "GET https://x.example/a?[masked]&page=2"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "[masked]"),
        ("https://hooks.slack.com/services/T0/B0/xyz is it", "https://[masked] is it"),
        (f"a\n{KEY}b", "a\n[masked]\nb"),
        (KEY[:70], "[masked]"),
        ("password=hunter2 and more", "[masked] and more"),
        ("password = 'two words' and more", "[masked] and more"),
        ('{"db_password": "a \\"b\\" c", "x": 1}', '{"db_[masked], "x": 1}'),
        ("PGPASSWORD=hunter2", "PG[masked]"),
        ("MYSQL_PWD=hunter2", "MYSQL_[masked]"),
        ("token: abcdefghijklmnop", "[masked]"),
        ("token=Bearer abc.def more", "[masked] more"),
        ("secret => 'hush'", "[masked]"),
        ("DefaultEndpointsProtocol=https;AccountKey=abcd/efgh==", "DefaultEndpointsProtocol=https;[masked]"),
        ("x-api-key: abcdefghijklmnop", "x-[masked]"),
        ("Cookie: session=abc; other=def\nHost: x", "[masked]\nHost: x"),
        ('"Set-Cookie": "a=b; Path=/"', '"Set-[masked]"'),
        ("Proxy-Authorization: Basic dXNlcjpwYXNz", "Proxy-[masked]"),
        ("glpat-abcdefghijklmnopqrst", "[masked]"),
        ("npm_abcdefghijklmnopqrstuvwxyz0123456789", "[masked]"),
        ("AIzaSyA-abcdefghijklmnopqrstuvwxyz01234", "[masked]"),
        ("sk_live_abcdefghijklmnopqrstuvwx", "[masked]"),
        ("v1.1234567890abcdef1234567890abcdef12345678", "[masked]"),
        ("postgresql://u:p@ss/word@h/db", "postgresql://[masked]h/db"),
        ("https://user:p/w@host/", "https://[masked]host/"),
        (f"password={KEY}b", "[masked]\nb"),
        ("pa\u017f\u017fword=hunter2 and PASSWORD=hunter2", "[masked] and [masked]"),
        ("to\N{KELVIN SIGN}en=hush", "[masked]"),
        ("credent\u0131als=hush, author\u0130zation: hush", "[masked] [masked]"),
        # What is no secret stays, such as shas, names, addresses and words of ours.
        ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", None),
        ("octo/widgets main: trust: forkPullRequest by a firstTimer is ignored", None),
        ("POST /repos/{owner}/{repo}/check-runs 201", None),
        ("https://github.com/octo/widgets/tree/main?page=2#L10 by @octo", None),
        ("submitted argo/ci.octo-widgets.main.1f2e", None),
        ("https://x.example:8443/a/@scope/b and http://127.0.0.1:80/@x", None),
        ("unexpected token: identifier", None),
        ("id-token: write, secretName: the-name-of-it, secretKeyRef: {key: a-long-name}", None),
        ("spec.volumes[0].secret: Required value; spec.x.token: Forbidden: may not", None),
        ("task-abcdefghijklmnopqrstuvwxyz is no key", None),
    ],
)
def test_known_shapes(text: str, expected: str | None) -> None:
    assert Redaction()(text) == (text if expected is None else expected)


@given(st.text(), OWN, st.text(), st.integers(0, 80))
def test_a_cut_leaves_no_beginning_of_a_secret(before: str, secret: str, after: str, most: int) -> None:
    told = Redaction([secret])
    whole, cut = told(before + secret + after), told.first(before + secret + after, most)
    assert whole.startswith(cut)


def test_a_key_that_is_cut_does_not_begin() -> None:
    for most in range(60, 120):
        assert Redaction().first("x" * 50 + KEY, most) == "x" * 50 + MASK


def test_a_key_is_found_line_by_line() -> None:
    told = Redaction([KEY])(f"it begins with {KEY.splitlines()[1]}\\n and {json.dumps(KEY)}")
    assert [line for line in KEY.splitlines()[1:-1] if line in told] == []


def test_a_short_word_is_no_secret() -> None:
    assert Redaction(["ci", ""])("ci of a circle") == "ci of a circle"


@pytest.mark.parametrize(
    "piece",
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----BEGIN A PRIVATE KEY-----\n-----END ",
        "-----END ",
        "eyJ",
        "ghp_",
        "://",
        "://a:",
        "xoxb-",
        "authorization:",
        "bearer ",
        "AKIA",
        "?token=",
        "aws_secret_access_key=",
        "password=",
        "password:",
        'password="',
        "token='\\",
        "cookie: ",
        "cookie",
        "://a:b/",
        "://a:@",
        "@",
        "gl",
        "sk-",
    ],
)
def test_hostile_texts_take_time_in_proportion(piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * (length // len(piece) + 1))[:length]
        began = time.process_time()
        Redaction()(text)
        return time.process_time() - began

    assert seconds(500_000) < 1.5  # what is quadratic would take many minutes


def test_the_servers_secrets_are_all_known() -> None:
    options = Options(
        app_id=1,
        private_key=KEY,
        webhook_secret=b"the webhook's",
        store_url="postgresql://ci:p%40ssword-of-it@db/ci?password=another-one",
        argo_token="Bearer the-argo-token",
        slack_token="the-slack-token",
        slack_secret=b"the-slack-secret",
        api_tokens=(ApiToken("a", b"the-api-token-1234", (Pattern("."),), frozenset()),),
    )
    hidden = [
        "the webhook's", "p@ssword-of-it", "p%40ssword-of-it", "another-one", "the-argo-token", "the-slack-token",
        "the-slack-secret", "the-api-token-1234", KEY.splitlines()[1],
    ]  # fmt: skip
    told = Redaction(options.secrets)(" | ".join(hidden))
    assert [secret for secret in hidden if secret in told] == []


def failure(words: str) -> Exception:
    try:
        int(words)
    except ValueError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_logs_hold_no_secret(log_format: Literal["json", "console"]) -> None:
    former = structlog.get_config()
    secret, written = "hush-hush-hush", io.StringIO()
    try:
        with redirect_stderr(written):
            configure_logging(log_format, redaction=Redaction([secret]))
            log = structlog.get_logger()
            log.warning("it is %s", secret, error=ValueError(secret), within={"list": [secret, 7]})
            log.error("failed", exc_info=failure(secret))
            record = logging.LogRecord("library", logging.ERROR, "", 0, "it is %s", (secret,), None)
            record.exc_info = (ValueError, error := failure(secret), error.__traceback__)
            Adopted(logging.WARNING).handle(record)
    finally:
        structlog.configure(**former)
    assert secret not in written.getvalue()
    assert written.getvalue().count(MASK) >= 6
    assert "Traceback" in written.getvalue()
