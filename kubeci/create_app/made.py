"""What the last page and the terminal tell of a made App: nothing of it is secret."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Self

from kubeci.create_app.destination import Destination
from kubeci.create_app.registered import Registered
from kubeci.create_app.secret import PRIVATE_KEY, WEBHOOK_SECRET
from kubeci.create_app.wish import GITHUB_COM, Wish


@dataclass(frozen=True, slots=True)
class Made:
    """An App whose credentials are kept at `place`; `commands` are those that come next."""

    app_id: int
    slug: str
    html_url: str
    install_url: str
    place: str
    commands: tuple[str, ...]

    @classmethod
    def of(cls, app: Registered, wish: Wish, destination: Destination) -> Self:
        """Leave the secrets behind."""
        serve = ["kubeci", "serve", "--github.appid", str(app.app_id)]
        serve += ["--keyfile", PRIVATE_KEY, "--secretfile", WEBHOOK_SECRET]
        serve += [] if wish.github_url == GITHUB_COM else ["--github-url", wish.github_url]
        first = (destination.next_command,) if destination.next_command else ()
        return cls(
            app.app_id,
            app.slug,
            app.html_url,
            app.install_url,
            destination.place,
            (*first, shlex.join(serve)),
        )
