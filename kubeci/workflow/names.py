"""Names that Kubernetes accepts, made from names that GitHub accepts (contract, section 4)."""

from __future__ import annotations

import base64
import hashlib
import re

LABEL_LIMIT = 50  # the original's limit; Kubernetes allows 63
_HASH_LENGTH = len("x12345678")
_REPO_LIMIT = 20
_REPO_LIMIT_BESIDE_ENTRYPOINT = 15
_ENTRYPOINT_LIMIT = 15


def label_safe(*parts: str, limit: int = LABEL_LIMIT) -> str:
    """Join `parts` by dots into a label value of at most `limit` characters.

    Characters outside `[-a-z0-9]` become dashes, leading digits, dots and dashes and trailing dots and dashes are
    cut, empty parts vanish. What is too long keeps its end, since that is where the hash stands.
    """
    joined = ".".join(filter(None, map(_escape, parts)))
    return _trim(joined[-limit:]) if len(joined) > limit else joined


def _escape(part: str) -> str:
    return _trim(re.sub(r"[^-a-z0-9]", "-", part.lower()))


def _trim(text: str) -> str:
    return text.lstrip("0123456789.-").rstrip(".-")


def short_hash(text: str) -> str:
    """Give `x` and the first 8 characters of base64url(sha1(text)), as names and cache claims carry them."""
    digest = hashlib.sha1(text.encode(), usedforsecurity=False).digest()
    return "x" + base64.urlsafe_b64encode(digest).decode()[:8]


def workflow_name(repo: str, ref: str, build_id: str, entrypoint: str = "") -> str:
    """Name a build's workflow: repository, entrypoint if one was asked for, ref, and a hash of the build's id.

    The same build has the same name, so that a repeated submission is recognised. At most 50 characters.
    """
    repo_limit = _REPO_LIMIT_BESIDE_ENTRYPOINT if entrypoint else _REPO_LIMIT
    head = [_cut(repo, repo_limit), _cut(entrypoint, _ENTRYPOINT_LIMIT)]
    used = sum(len(part) + 1 for part in head if part)
    ref_part = ref[: max(0, LABEL_LIMIT - used - _HASH_LENGTH - 1)]
    return label_safe(*head, ref_part, short_hash(build_id))


def _cut(text: str, limit: int) -> str:
    return text.encode()[:limit].decode(errors="ignore")
