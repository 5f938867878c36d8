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
MOST_DEPTH = 12

# Each pattern takes time in proportion to the text, whatever the text is: what it repeats cannot begin anew inside of
# itself, or it matches as soon as it has begun.
_SHAPES = (
    # docs.github.com, "GitHub's token formats"
    r"gh[opsur]_[A-Za-z0-9_.\-]{16,}",
    r"github_pat_[A-Za-z0-9_]{16,}",
    # JSON in base64, and so every JSON Web Token: Kubernetes', our own to GitHub
    r"eyJ[A-Za-z0-9_.+/=\-]{16,}",
    # docs.slack.dev, "Token types", and webhooks that need no token
    r"(?:xox[a-z]|xapp|xwfp)(?:\.xox[a-z])?-[A-Za-z0-9\-]{8,}",
    r"hooks\.slack\.com/(?:services|workflows|triggers)/[^\s\"'<>]+",
    # docs.aws.amazon.com, "IAM identifiers": unique prefixes
    r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}",
    r"(?i:aws_secret_access_key|secretaccesskey|aws_session_token)[\"']?\s{0,3}[:=]\s{0,3}[\"']?[^\s\"',;]+",
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----|\Z)",
    r"(?i:authorization)[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:[A-Za-z]{1,20} {1,3})?[^\s\"',;]+",
    r"(?i:bearer) {1,3}[A-Za-z0-9._~+/=\-]{12,}",
    r"(?<=://)[^\s/?#\"'<>]+@",
    r"(?<=[?&])(?i:access_token|token|client_secret|code|secret|password|sig|signature|key)=[^\s&#\"'<>]+",
    r"(?<=[?&])(?i:x-amz-signature|x-amz-security-token)=[^\s&#\"'<>]+",
)
_SHAPE = re.compile("|".join(_SHAPES), re.DOTALL)


class Redaction:
    """Masks these secrets, and what is of a known shape; without secrets of its own, the shapes alone."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        found = {form for secret in secrets for form in _forms(secret) if len(form) >= LEAST_CHARACTERS}
        self._secrets = tuple(sorted(found, key=len, reverse=True))

    def __call__(self, text: str) -> str:
        """Give a text with `[masked]` in place of each secret; what overlaps becomes one mask."""
        spans = sorted([*self._known(text), *((each.start(), each.end()) for each in _SHAPE.finditer(text))])
        if not spans:
            return text
        parts: list[str] = []
        shown = 0
        for start, end in spans:
            if start > shown or not parts:
                parts += (text[shown:start], MASK)
            shown = max(shown, end)
        return "".join([*parts, text[shown:]])

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
