"""The server's options: the values that `kubeci serve` runs with (contract, section 1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from kubeci.settings.api import ApiToken
from kubeci.settings.pattern import Pattern


@dataclass(frozen=True, slots=True)
class Options:
    """What the server is started with. Secrets are held as read from their files and never shown."""

    app_id: int
    """Id of the GitHub App."""
    private_key: str = field(repr=False)
    """The App's private key, PEM."""
    webhook_secret: bytes = field(repr=False)
    """The secret that signs webhooks."""
    listen_host: str = "0.0.0.0"  # noqa: S104 - the server's work is to be reached
    listen_port: int = 8080
    github_url: str = "https://api.github.com"
    """Address of GitHub's API: a GitHub Enterprise Server's ends in `/api/v3`."""
    store_url: str = field(default="sqlite:///kubeci.db", repr=False)
    """Address of the store, which may hold a password."""
    kubeconfig: Path | None = None
    """A kubeconfig file; None: the service account of the pod that we run in."""
    kubernetes_url: str = ""
    """Address of the API server, instead of the kubeconfig's."""
    argo_ui: str = "http://argo"
    """Address of the Argo UI, without a slash at the end."""
    argo_server: str = ""
    """Address of argo-server, which retries failed workflows and gives archived logs; empty: they are built anew."""
    argo_token: str = field(default="", repr=False)
    """Bearer token for argo-server."""
    argo_ca: str = ""
    """Certificates that argo-server is held to, PEM; empty: those of the machine."""
    slack_token: str = field(default="", repr=False)
    """The Slack bot's token; empty: no Slack."""
    slack_secret: bytes = field(default=b"", repr=False)
    """The Slack app's signing secret."""
    slack_url: str = "https://slack.com/api/"
    """Address of Slack's Web API."""
    api_tokens: tuple[ApiToken, ...] = ()
    """Tokens of the HTTP API, with their secrets."""
    installations: frozenset[int] = frozenset()
    """Installations that are served; empty: all."""
    owners: Pattern | None = None
    """Owners that are served; None: all."""
    grace_shutdown: float = 2.0
    """Seconds during which `/status` says that we are going, before the port is closed."""
    grace_requests: float = 1.0
    """Seconds that requests under way get to end."""
    log_format: Literal["json", "console"] = "json"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Give what must never be kept or shown: keys, tokens and passwords that the server holds."""
        held = (self.webhook_secret, self.slack_secret, *(token.secret for token in self.api_tokens))
        return (
            self.private_key,
            self.argo_token.removeprefix("Bearer").strip(),
            self.slack_token,
            *_passwords(self.store_url),
            *(secret.decode(errors="replace") for secret in held),
        )


def _passwords(address: str) -> tuple[str, ...]:
    """Give the passwords of a database's address; one that cannot be read is refused before anything is done with it."""
    try:
        parts = urlsplit(address)
        return unquote(parts.password or ""), *parse_qs(parts.query).get("password", [])
    except ValueError:
        return ()
