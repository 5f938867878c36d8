"""`kubeci create-app`: the GitHub App in one click."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from kubeci.cli.lazy import loading
from kubeci.create_app.destination import Destination, SecretFile, StandardOutput
from kubeci.create_app.made import Made
from kubeci.create_app.secret import SecretName, read_secret_name
from kubeci.create_app.wish import GITHUB_COM, read_wish
from kubeci.errors import ConfigurationError
from kubeci.report.plain import plain
from kubeci.settings.duration import duration_seconds

_DEFAULT_KUBECONFIG = Path("~/.kube/config")


@click.command(name="create-app", context_settings={"max_content_width": 110, "show_default": True})
@click.option("--org", metavar="ORG", help="Organization that owns the App; none: your account.")
@click.option("--name", metavar="NAME", help="The App's name; kubeci-ORG if none.")
@click.option("--webhook-url", metavar="URL", help="Where the server is reached; asked if none.")
@click.option(
    "--github-url",
    metavar="URL",
    default=GITHUB_COM,
    envvar="KUBECI_GITHUB_URL",
    help="Address of GitHub's API; https://HOST/api/v3 of an Enterprise Server.",
)
@click.option("--out", metavar="FILE", help="Write the Secret here, - prints it; SECRET-NAME.yaml if none.")
@click.option("--apply", is_flag=True, help="Create the Secret in the cluster instead.")
@click.option(
    "--kubeconfig",
    metavar="FILE",
    envvar=["KUBECI_KUBECONFIG", "KUBECONFIG"],
    help="The cluster of --apply; ~/.kube/config if none.",
)
@click.option("--namespace", metavar="NAME", default="kubeci", help="The Secret's namespace.")
@click.option("--secret-name", metavar="NAME", default="kubeci-github", help="The Secret's name.")
@click.option("--force", is_flag=True, help="Replace a file or a Secret that exists.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of the page; 0: a free one.")
@click.option(
    "--open/--no-open", "opens", default=None, help="Open a browser; if none is said, where there is one."
)
@click.option("--timeout", metavar="DURATION", default="15m", help="How long to wait.")
def command(**given: Any) -> None:
    """Make the GitHub App in one click, and a Secret of its credentials.

    Shows a page on this machine, which proposes the App to GitHub with exactly the permissions and events that
    kubeci uses. When you agree there, GitHub hands over the App's id, key and webhook secret. They are written to a
    Secret's manifest, or with --apply to the cluster.

    \b
    Examples:
      kubeci create-app --org acme --webhook-url https://ci.example.com
      kubeci create-app --org acme --apply --kubeconfig kubeconfig
      kubeci create-app --github-url https://ghe.example.com/api/v3
      kubeci create-app --org acme --out - | kubectl apply --filename -
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    invocation = _Invocation(given)
    made = asyncio.run(invocation.run())
    _tell(f"The GitHub App {made.slug} (id {made.app_id}) is made; its credentials are in {made.place}.")
    _tell(f"Install it on the repositories to build: {made.install_url}")
    _tell("\n".join(["Then:", *(f"  {each}" for each in made.commands)]))


@dataclass(frozen=True, slots=True)
class _Invocation:
    given: dict[str, Any]

    async def run(self) -> Made:
        given = self.given
        where = read_secret_name(given["namespace"], given["secret_name"])
        wish = read_wish(
            given["github_url"],
            org=given["org"] or "",
            name=given["name"] or "",
            webhook_url=given["webhook_url"] or "",
        )
        destination, timeout = self._destination(where), self._timeout()
        with loading():
            from kubeci.create_app.handshake import Plan  # noqa: PLC0415 - help and what is refused need no pages
            from kubeci.create_app.run import Serving, create_app  # noqa: PLC0415 - likewise
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        serving = Serving(self._opened, given["port"], timeout, stop)
        return await create_app(Plan(wish, where, destination), serving)

    def _destination(self, where: SecretName) -> Destination:
        out, force = self.given["out"], self.given["force"]
        if self.given["apply"]:
            if out:
                raise ConfigurationError("--out and --apply: give one of them")
            with loading():
                from kubeci.create_app.cluster_secret import ClusterSecret  # noqa: PLC0415 - no other place needs a cluster
            return ClusterSecret(where, self._kubeconfig(), force)
        return StandardOutput() if out == "-" else SecretFile(Path(out or f"{where.name}.yaml"), force)

    def _kubeconfig(self) -> str:
        if given := self.given["kubeconfig"]:
            return str(given)
        usual = _DEFAULT_KUBECONFIG.expanduser()
        return str(usual) if usual.is_file() else ""

    def _timeout(self) -> float:
        try:
            return duration_seconds(self.given["timeout"])
        except ConfigurationError as error:
            raise ConfigurationError(f"--timeout: {error}") from error

    def _opened(self, address: str) -> None:
        _tell(f"Open {address} in a browser that is logged in to GitHub.")
        _tell(f"Waiting for {self.given['timeout']}; Ctrl-C stops.")
        opens = self.given["opens"]
        if _has_browser() if opens is None else opens:
            # It may take its time, and may be a program that ends when the browser does.
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def _has_browser() -> bool:
    """Say whether a person with a screen is there; a browser inside the terminal would get in the way."""
    screen = (
        sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    return sys.stderr.isatty() and bool(screen)


def _tell(text: str) -> None:
    # Standard output is the Secret's, with `--out -`.
    click.echo(plain(text), err=True)
