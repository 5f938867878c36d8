"""Who may ask: one user that may do everything, one that may do nothing."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class User:
    """A user behind a bearer token; `allowed` says whether it may do everything or nothing."""

    name: str
    allowed: bool
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)


def of_authorization(users: tuple[User, ...], header: str) -> User | None:
    """Find the user whose token an `Authorization` header carries; None when it is nobody's."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        return None
    return next((user for user in users if secrets.compare_digest(user.token.encode(), token.encode())), None)
