"""Who may look at the pages.

A table, the first line that fits counts:

    `pages.public`                                                      sees all
    the peer is one of `pages.proxies` and names a user                 sees all
    a cookie that a token with the verb `read` stands behind            sees what the token reaches
    something of these is configured                                    has to log in
    the listener is loopback, and no proxy stands before it             sees all
    else                                                                the pages are off

Who is shown something without a name, on a loopback listener, must have asked for a loopback name: a site whose name was made
to lead here (DNS rebinding) would else read the pages through a visitor's browser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from kubeci.errors import ConfigurationError
from kubeci.report.plain import one_line
from kubeci.settings.api import ApiToken, Pages, Verb
from kubeci.web.pages import cookie

NAME = 80
"""Characters of a user's name that are shown."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who may look; `name` is empty where nobody asked for it."""

    name: str = ""
    token: ApiToken | None = None
    """The token that they logged in with; None: they see every repository."""

    def sees(self, full_name: str) -> bool:
        """Say whether the builds of the repository `owner/name` are shown."""
        return self.token is None or self.token.reaches(full_name)


class Refusal(StrEnum):
    """Why nothing is shown."""

    HOST = "host"
    OFF = "off"
    LOGIN = "login"


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request decides; the texts are empty where there is none."""

    peer: str
    """Address that the connection comes from."""
    host: str
    """The header Host."""
    users: tuple[str, ...] = ()
    """Every header that `pages.userHeader` names."""
    cookie: str = ""
    forwarded: bool = False
    """A proxy says that it forwards for somebody."""


@dataclass(frozen=True, slots=True)
class PageAccess:
    """The settings that decide, read once."""

    public: bool
    user_header: str
    proxies: tuple[IPv4Network | IPv6Network, ...]
    tokens: tuple[ApiToken, ...]
    """Those with the verb `read`."""
    loopback: bool
    """The server listens where only this machine reaches it."""

    @property
    def configured(self) -> bool:
        """Say whether the operator let somebody in."""
        return self.public or bool(self.user_header and self.proxies) or bool(self.tokens)

    def viewer(self, asked: Asked, now: datetime) -> Viewer | Refusal:
        """Say who looks, or why they may not."""
        found = self._found(asked, now)
        unnamed = isinstance(found, Viewer) and not found.name
        if self.loopback and unnamed and not _is_loopback(_host_of(asked.host)):
            return Refusal.HOST
        return found

    def _found(self, asked: Asked, now: datetime) -> Viewer | Refusal:
        if self.public:
            return Viewer()
        # Two such headers: the proxy passed on what a visitor sent.
        if self.is_proxy(asked.peer) and len(asked.users) == 1 and (user := one_line(asked.users[0], NAME)):
            return Viewer(user)
        if token := cookie.read(asked.cookie, self.tokens, now):
            return Viewer(token.name, token)
        if self.configured:
            return Refusal.LOGIN
        return Viewer() if self.loopback and not asked.forwarded else Refusal.OFF

    def is_proxy(self, peer: str) -> bool:
        """Say whether what an address says of its visitors is believed."""
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return bool(self.user_header) and any(address in network for network in self.proxies)


def access_of(pages: Pages, tokens: Sequence[ApiToken], listen_host: str) -> PageAccess:
    """Read the settings; `ConfigurationError` names an entry of `pages.proxies` that is no address or network."""
    return PageAccess(
        public=pages.public,
        user_header=pages.user_header,
        proxies=tuple(_network(text) for text in pages.proxies),
        tokens=tuple(token for token in tokens if Verb.READ in token.verbs),
        loopback=_is_loopback(listen_host),
    )


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ConfigurationError(f"`pages.proxies`: {error}") from error


def _host_of(header: str) -> str:
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    if host.lower().removesuffix(".") == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
