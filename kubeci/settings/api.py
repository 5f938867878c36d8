"""Settings of the HTTP API and of the server's pages (contract, section 10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from kubeci.settings.pattern import Pattern


class Verb(StrEnum):
    """What a token lets its bearer do."""

    RENDER = "render"
    """See what would be submitted."""
    RUN = "run"
    READ = "read"
    """See runs, their steps and logs, and the server's pages."""
    CANCEL = "cancel"
    RETRY = "retry"


class ApiTokenEntry(Struct, frozen=True, rename="camel"):
    """One token of the HTTP API."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][-A-Za-z0-9_.]{0,62}$")]
    """Who holds it; it stands in records and logs."""
    token_file: str
    """File with the secret, at least 16 characters; blanks around it are cut."""
    repositories: tuple[Pattern, ...] = ()
    """Repositories that it reaches, each matched with the whole of `owner/name`; none: no repository."""
    verbs: tuple[Verb, ...] = ()
    """What it may do there."""


class Pages(Struct, frozen=True, rename="camel"):
    """Who may see the server's pages beside the holders of tokens."""

    public: bool = False
    """Show all builds to everybody who reaches the server."""
    user_header: Annotated[str, Meta(pattern=r"^([A-Za-z][-A-Za-z0-9]{0,62})?$")] = ""
    """The header in which a proxy names the user that it has let in, such as `X-Forwarded-User`; empty: none is trusted."""
    proxies: tuple[str, ...] = ()
    """Addresses or networks (`10.0.0.0/8`) of the proxies whose header is believed."""


class Api(Struct, frozen=True, rename="camel"):
    """Settings of the HTTP API."""

    default_install_id: int = msgspec.field(default=0, name="defaultInstallID")
    """The installation used where GitHub does not say which one a repository has; 0: none."""
    tokens: tuple[ApiTokenEntry, ...] = ()
    """Who may use it; none: nobody."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token with its secret, as read from its file."""

    name: str
    secret: bytes = field(repr=False)
    repositories: tuple[Pattern, ...] = ()
    verbs: frozenset[Verb] = frozenset()

    def reaches(self, full_name: str) -> bool:
        """Say whether the token reaches the repository `owner/name`."""
        return any(pattern.matches_all(full_name) for pattern in self.repositories)

    def may(self, verb: Verb, full_name: str) -> bool:
        """Say whether the token may do something in the repository `owner/name`."""
        return verb in self.verbs and self.reaches(full_name)
