"""Mask secrets in texts that are kept or shown: those that the server holds itself, and what looks like one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

MASK = "[masked]"
LEAST_CHARACTERS = 8
"""A shorter secret is not looked for: it would be found in words that are none."""
LONGEST_SHAPE = 4_096
"""Characters that are looked at behind a cut."""
MOST_DEPTH = 12

# Each pattern takes time in proportion to the text, whatever the text is: what it repeats cannot begin anew inside of
# itself, or it matches as soon as it has begun. Before it stand words of which a text that it matches has one, in small
# letters: most texts have none of them, which is seen in a hundredth of the time. Where large letters count as small ones,
# no word has an i, for which Python takes letters that do not become one.
_SHAPES = (
    # docs.github.com, "GitHub's token formats"
    (("gh",), r"gh[opsur]_[A-Za-z0-9_.\-]{16,}"),
    (("hub_pat_",), r"github_pat_[A-Za-z0-9_]{16,}"),
    # JSON in base64, and so every JSON Web Token: Kubernetes', our own to GitHub
    (("eyj",), r"eyJ[A-Za-z0-9_.+/=\-]{16,}"),
    # docs.slack.dev, "Token types", and webhooks that need no token
    (("xox", "xapp", "xwfp"), r"(?:xox[a-z]|xapp|xwfp)(?:\.xox[a-z])?-[A-Za-z0-9\-]{8,}"),
    (("hooks.slack.com",), r"hooks\.slack\.com/(?:services|workflows|triggers)/[^\s\"'<>]+"),
    # docs.aws.amazon.com, "IAM identifiers": unique prefixes
    (("akia", "asia", "abia", "acca"), r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}"),
    (
        ("aws_se", "secretaccesskey"),
        r"(?i:aws_secret_access_key|secretaccesskey|aws_session_token)[\"']?\s{0,3}[:=]\s{0,3}[\"']?[^\s\"',;]+",
    ),
    (
        ("-----begin",),
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----|\Z)",
    ),
    (("author",), r"(?i:authorization)[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:[A-Za-z]{1,20} {1,3})?[^\s\"',;]+"),
    (("bearer",), r"(?i:bearer) {1,3}[A-Za-z0-9._~+/=\-]{12,}"),
    (
        ("?", "&"),
        r"(?<=[?&])(?i:access_token|token|client_secret|code|secret|password|sig|signature|key)=[^\s&#\"'<>]+",
    ),
    # docs.gitlab.com, "Token overview"; docs.npmjs.com, "About access tokens"; cloud.google.com, "API keys"; docs.stripe.com
    (("gl",), r"(?<![A-Za-z0-9])gl[a-z]{2,6}-[A-Za-z0-9_.\-]{16,}"),
    (("npm_",), r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{20,}"),
    (("aiza",), r"AIza[A-Za-z0-9_\-]{30,}"),
    (("k_live_", "k_test_"), r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}"),
    (("sk-", "pypi-", "dckr_"), r"(?<![A-Za-z0-9])(?:sk-|pypi-|dckr_[po]at_)[A-Za-z0-9_\-]{20,}"),
    (("v1.",), r"(?<![A-Za-z0-9.])v1\.[0-9a-f]{40}"),  # an installation's, once
    (("?", "&"), r"(?<=[?&])(?i:x-amz-signature|x-amz-security-token)=[^\s&#\"'<>]+"),
)
_QUOTES = r"[\\\"']{0,4}"
_ASSIGNED = re.compile(
    # A name alone is a word of many sentences: behind a colon stands what is long enough for a secret, and none of the
    # words with which Kubernetes refuses a field of that name.
    r"(?i:(?<!expected )(?<!continue )(?:passw(?:or)?d|passphrase|pwd|secret|token|credentials?|(?:api|access|account|private|secret)[-_]?key))"
    + _QUOTES
    + r"\s{0,3}(?:=>?\s{0,3}(?=\S)|:\s{0,3}(?=\S{8}|\\?[\"'])(?!(?:Required|Forbidden|Unsupported|Duplicate)\b))(?i:(?:bearer|basic|token) {1,3})?"
    + r"(?:\\?\"(?:\\.|[^\"\\\n])*\"?|\\?'(?:\\.|[^'\\\n])*'?|[^\s\"'&]+)"
    + r"|(?i:cookie)"
    + _QUOTES
    + r"\s{0,3}[:=]\s{0,3}"
    + _QUOTES
    + r"[^\r\n\"']+"
)
_ADDRESS = re.compile(
    # A password may hold what it should not in an address; a host with a port is no user.
    r"(?<=://)(?:[^\s/?#\"'<>:@]*:(?!\d{1,5}[/?#])(?:(?!://)[^\s\"'<>])*@|[^\s/?#\"'<>]+@)"
)
_PATTERNS = (
    *((words, re.compile(shape, re.DOTALL)) for words, shape in _SHAPES),
    (("passw", "passphrase", "pwd", "secret", "token", "cred", "key", "cook"), _ASSIGNED),
    (("@",), _ADDRESS),
)


class Redaction:
    """Masks these secrets, and what is of a known shape; without secrets of its own, the shapes alone."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        found = {form for secret in secrets for form in _forms(secret) if len(form) >= LEAST_CHARACTERS}
        self._secrets = tuple(sorted(found, key=len, reverse=True))
        self._longest = max([LONGEST_SHAPE, *map(len, self._secrets)])

    def __call__(self, text: str) -> str:
        """Give a text with `[masked]` in place of each secret; what overlaps becomes one mask."""
        return self._masked(text, len(text))

    def first(self, text: str, most: int) -> str:
        """Do the same to the first characters of a text: a secret that goes on behind the cut does not come out either."""
        return self._masked(text[: most + self._longest], most)

    def _masked(self, text: str, until: int) -> str:
        parts: list[str] = []
        shown = 0
        for start, end in sorted(self._spans(text)):
            if start >= until:
                break
            if start > shown or not parts:
                parts += (text[shown:start], MASK)
            shown = max(shown, end)
        return "".join([*parts, text[shown:until]])

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        yield from self._known(text)
        folded = text.casefold()
        for words, pattern in _PATTERNS:  # one by one: what one finds may end within what another finds
            if any(word in folded for word in words):
                yield from (each.span() for each in pattern.finditer(text))

    def value(self, value: Any, depth: int = 0) -> Any:
        """Do the same to all texts within lists and mappings; other objects are written as they show themselves."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return self(value)
        if depth < MOST_DEPTH:
            if isinstance(value, Mapping):
                return {self(str(key)): self.value(each, depth + 1) for key, each in value.items()}
            if isinstance(value, list | tuple | set | frozenset):
                return [self.value(each, depth + 1) for each in value]
        return self(repr(value))

    def _known(self, text: str) -> Iterator[tuple[int, int]]:
        for secret in self._secrets:
            at = text.find(secret)
            while at >= 0:
                yield at, at + len(secret)
                at = text.find(secret, at + 1)


def _forms(secret: str) -> Iterator[str]:
    """Give a secret as texts may hold it.

    As it is, its lines (a key has several), and as it stands in an address, in JSON and in Python's own words.
    """
    whole = secret.strip()
    yield whole
    yield quote(whole, safe="")
    yield json.dumps(whole)[1:-1]
    yield repr(whole)[1:-1]
    if "\n" in whole:
        yield from (line.strip() for line in whole.splitlines() if not line.startswith("-----"))
