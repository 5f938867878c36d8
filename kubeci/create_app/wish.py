"""The App that somebody wants: read from what they wrote, and written as GitHub's manifest.

docs.github.com, "Registering a GitHub App from a manifest".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, urlsplit, urlunsplit

from kubeci.errors import ConfigurationError
from kubeci.model.app_needs import EVENTS, wanted_permissions
from kubeci.model.json import JsonObject
from kubeci.web.pages.addresses import html_address

GITHUB_COM = "https://api.github.com"
NAME_LIMIT = 34  # GitHub refuses a longer one
URL_LIMIT = 1000
WEBHOOK_PATH = "/webhooks/github"
_ORG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}")


@dataclass(frozen=True, slots=True)
class Wish:
    """An App to be made.

    `github_url` is the API's address, `org` empty for somebody's own account, `name` empty where GitHub shall ask for
    it, `webhook_url` empty as long as it is not known.
    """

    github_url: str
    org: str = ""
    name: str = ""
    webhook_url: str = ""

    @property
    def github(self) -> str:
        """Give the address of GitHub's pages, without a slash at its end."""
        return html_address(self.github_url)

    @property
    def github_host(self) -> str:
        """Give the name by which people know this GitHub."""
        return urlsplit(self.github).netloc

    def form_address(self, state: str) -> str:
        """Give the address that the manifest is posted to."""
        owner = f"/organizations/{quote(self.org)}" if self.org else ""
        return f"{self.github}{owner}/settings/apps/new?state={quote(state)}"

    def manifest(self, redirect_url: str) -> JsonObject:
        """Give the manifest; `redirect_url` is where GitHub leads the browser back to."""
        address = urlsplit(self.webhook_url)
        manifest: JsonObject = {
            "url": f"{address.scheme}://{address.netloc}",
            "description": "Continuous integration on Kubernetes and Argo Workflows",
            "hook_attributes": {"url": self.webhook_url, "active": True},
            "redirect_url": redirect_url,
            "public": False,
            "default_permissions": dict(wanted_permissions()),
            "default_events": [each.event for each in EVENTS],
        }
        return {"name": self.name, **manifest} if self.name else manifest


def read_wish(github_url: str, *, org: str = "", name: str = "", webhook_url: str = "") -> Wish:
    """Read what was given on the command line; `ConfigurationError` names the option that is wrong."""
    github_url = github_url.rstrip("/")
    if not _is_api(github_url):
        # With the pages' address instead, the App would be made, and its key nowhere to be had.
        raise ConfigurationError(f"--github-url {github_url}: write {GITHUB_COM}, or https://HOST/api/v3")
    if org and not _ORG.fullmatch(org):
        raise ConfigurationError(f"--org {org}: this is no name of an organization")
    name = name.strip() or (f"kubeci-{org}"[:NAME_LIMIT].rstrip("-") if org else "")
    if len(name) > NAME_LIMIT or not name.isprintable():
        raise ConfigurationError(
            f"--name {name!r}: GitHub takes at most {NAME_LIMIT} characters, on one line"
        )
    wish = Wish(github_url, org, name)
    if not webhook_url:
        return wish
    try:
        return Wish(wish.github_url, org, name, read_webhook(webhook_url, github=wish.github))
    except ConfigurationError as error:
        raise ConfigurationError(f"--webhook-url {webhook_url}: {error}") from error


def read_webhook(text: str, *, github: str) -> str:
    """Give the webhook's address in full: a bare host gets the server's path.

    Raises `ConfigurationError` with what is wrong, and without the text.
    """
    text = text.strip()
    if not text.startswith(("http://", "https://")):
        raise ConfigurationError(
            f"write an address that begins with https://, such as https://YOUR-HOST{WEBHOOK_PATH}"
        )
    host = _host(text)
    if not host or len(text) > URL_LIMIT or not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ConfigurationError("this is no address")
    address = urlsplit(text)
    if address.username or address.password or address.fragment:
        raise ConfigurationError("write it without a user and without #")
    if _is_loopback(host) and not _is_loopback(_host(github)):
        raise ConfigurationError(f"{urlsplit(github).netloc} cannot reach an address of this machine alone")
    path = address.path if address.path.strip("/") else WEBHOOK_PATH
    return urlunsplit(address._replace(path=path))


def _is_api(url: str) -> bool:
    host = _host(url) if url.startswith(("http://", "https://")) else ""
    return bool(host) and (
        urlsplit(url).path == "/api/v3" or (host.startswith("api.") and not urlsplit(url).path)
    )


def _host(url: str) -> str:
    try:
        address = urlsplit(url)
        _ = address.port  # raises for one that is no number
    except ValueError:
        return ""
    return address.hostname or ""


def _is_loopback(host: str) -> bool:
    if host.lower().removesuffix(".").rpartition(".")[2] == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
