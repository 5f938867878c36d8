"""An App that GitHub made of our proposal."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Registered:
    """An App that GitHub made; its secrets are in no text about it."""

    app_id: int
    slug: str
    html_url: str
    private_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)

    @property
    def install_url(self) -> str:
        """Give the page that installs it."""
        return f"{self.html_url}/installations/new"
