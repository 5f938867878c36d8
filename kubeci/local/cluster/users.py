"""Who may ask, and what each may do."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class User:
    """A user behind a bearer token; `allowed` says whether it may do everything or nothing, but for the `denied` rights.

    A right is verb, API group and resource with its subresource: `get`, ``, `pods/log`.
    """

    name: str
    allowed: bool
    denied: frozenset[tuple[str, str, str]] = frozenset()
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    def may(self, verb: str, group: str, resource: str) -> bool:
        """Say whether the user may do this."""
        return self.allowed and (verb, group, resource) not in self.denied


def of_authorization(users: tuple[User, ...], header: str) -> User | None:
    """Find the user whose token an `Authorization` header carries; None when it is nobody's."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        return None
    return next((user for user in users if secrets.compare_digest(user.token.encode(), token.encode())), None)
