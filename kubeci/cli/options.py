"""The server's options on the command line, in the environment and in the settings file."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from kubeci.cli.tokens import read_tokens
from kubeci.errors import ConfigurationError
from kubeci.settings.config import Config, LoadedConfig, load_config
from kubeci.settings.duration import duration_seconds
from kubeci.settings.options import Options
from kubeci.settings.pattern import Pattern

_OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("github.appid", {"type": int, "help": "Id of the GitHub App (required)."}),
    ("config", {"help": "The settings file (YAML).", "metavar": "FILE"}),
    ("strict-config", {"is_flag": True, "help": "Refuse a settings file with unknown keys."}),
    ("keyfile", {"default": "github-key", "metavar": "FILE", "help": "The App's private key."}),
    (
        "secretfile",
        {"default": "webhook-secret", "metavar": "FILE", "help": "The webhook secret."},
    ),
    ("idsfile", {"metavar": "FILE", "help": "Installation ids to serve, one a line; absent or empty: all."}),
    ("orgs", {"metavar": "RE", "help": "Owners to serve, as a regular expression of the whole name."}),
    (
        "github-url",
        {"default": "https://api.github.com", "metavar": "URL", "help": "Address of GitHub's API."},
    ),
    ("kubeconfig", {"metavar": "FILE", "help": "A kubeconfig file; none: the pod's service account."}),
    ("master", {"metavar": "URL", "help": "Address of the Kubernetes API server."}),
    ("argo-server", {"metavar": "URL", "help": "Address of argo-server, which retries only what failed."}),
    ("argo-tokenfile", {"metavar": "FILE", "help": "Bearer token for argo-server."}),
    ("argo-cafile", {"metavar": "FILE", "help": "Certificates (PEM) that argo-server is held to."}),
    ("argo.ui.base", {"default": "http://argo", "metavar": "URL", "help": "Address of the Argo UI."}),
    ("listen", {"default": "0.0.0.0:8080", "metavar": "HOST:PORT", "help": "Where to listen."}),
    (
        "store",
        {
            "default": "sqlite:///kubeci.db",
            "metavar": "URL",
            "help": "Database: sqlite:///PATH or postgresql://…",
        },
    ),
    (
        "log-format",
        {"type": click.Choice(["json", "console"]), "default": "json", "help": "How to write logs."},
    ),
    ("grace.shutdown", {"default": "2s", "metavar": "DURATION", "help": "Time to say that we are going."}),
    ("grace.requests", {"default": "1s", "metavar": "DURATION", "help": "Time for requests under way."}),
    ("slack.tokenfile", {"metavar": "FILE", "help": "The Slack bot's token; none: no Slack."}),
    ("slack.secretfile", {"metavar": "FILE", "help": "The Slack app's signing secret."}),
)

_HALVES = (("argo-server", "argo-tokenfile"), ("slack.tokenfile", "slack.secretfile"))
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Examined:
    """Options and configuration as far as they could be read; what could not stands empty, and in `unread`.

    There it is named as the option, `config` for the settings file as a whole, `options` and `api.tokens` for its parts.
    """

    options: Options
    config: Config
    warnings: tuple[str, ...]
    problems: tuple[ConfigurationError, ...]
    unread: frozenset[str]


class _Noted:
    """Reads options one by one, and notes what is wrong instead of ending at the first."""

    def __init__(self) -> None:
        self.problems: list[ConfigurationError] = []
        self.unread: set[str] = set()

    def __call__(self, option: str, read: Callable[[], T], instead: T) -> T:
        try:
            return read()
        except ConfigurationError as error:
            self.problems.append(error)
            self.unread.add(option)
            return instead


@dataclass(frozen=True, slots=True)
class Invocation:
    """The options as they were given, and by whom."""

    values: dict[str, Any]
    defaulted: frozenset[str]
    """Options that neither the command line nor the environment gave."""

    def resolve(self) -> tuple[Options, Config, tuple[str, ...]]:
        """Read the files that the options name; gives options, configuration and warnings.

        Raises `ConfigurationError` with one line that names what is wrong.
        """
        found = self.examine()
        if found.problems:
            raise found.problems[0]
        return found.options, found.config, found.warnings

    def examine(self) -> Examined:
        """Read the files that the options name, all of them, whatever is wrong with some."""
        noted = _Noted()
        loaded = noted("config", self._config, LoadedConfig(Config()))
        noted("options", lambda: self._refuse_unknown(loaded.config), None)
        given = {**self.values, **{k: v for k, v in loaded.config.options.items() if k in self.defaulted}}
        app_id = noted("github.appid", lambda: _app_id(given), 0)
        host, port = noted("listen", lambda: _address(str(given["listen"])), ("127.0.0.1", 0))
        for first, second in _HALVES:
            noted(second, partial(_refuse_half, first, second, given), None)

        def url(name: str) -> str:
            return noted(name, lambda: _url(name, given[name]), "")

        def secret(name: str) -> str:
            return noted(name, lambda: _secret(name, given), "")

        options = Options(
            app_id=app_id,
            private_key=noted("keyfile", lambda: _read("keyfile", given["keyfile"]), ""),
            webhook_secret=noted("secretfile", lambda: _read("secretfile", given["secretfile"]), "")
            .strip()
            .encode(),
            listen_host=host,
            listen_port=port,
            github_url=url("github-url"),
            store_url=str(given["store"]),
            kubeconfig=Path(str(given["kubeconfig"])) if given["kubeconfig"] else None,
            kubernetes_url=url("master") if given["master"] else "",
            argo_ui=url("argo.ui.base"),
            argo_server=url("argo-server") if given["argo-server"] else "",
            argo_token=secret("argo-tokenfile"),
            argo_ca=secret("argo-cafile"),
            slack_token=secret("slack.tokenfile"),
            slack_secret=secret("slack.secretfile").encode(),
            api_tokens=noted("api.tokens", lambda: read_tokens(loaded.config.api.tokens), ()),
            installations=noted("idsfile", lambda: _installations(given["idsfile"]), frozenset()),
            # The original anchors `a|b` wrongly: the group is what makes it the whole name.
            owners=noted("orgs", lambda: _owners(str(given["orgs"])) if given["orgs"] else None, None),
            grace_shutdown=noted("grace.shutdown", lambda: _seconds("grace.shutdown", given), 0.0),
            grace_requests=noted("grace.requests", lambda: _seconds("grace.requests", given), 0.0),
            log_format="console" if given["log-format"] == "console" else "json",
        )
        return Examined(
            options, loaded.config, loaded.warnings, tuple(noted.problems), frozenset(noted.unread)
        )

    def _config(self) -> LoadedConfig:
        path = self.values["config"]
        if not path:
            return LoadedConfig(Config())
        return load_config(_text("config", path), source=str(path), strict=bool(self.values["strict-config"]))

    def _refuse_unknown(self, config: Config) -> None:
        for name in config.options:
            if name not in self.values or name in {"config", "strict-config"}:
                raise ConfigurationError(
                    f"`options.{name}` in the settings file is not an option of `kubeci serve`"
                )


def server_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a click command the server's options, collected into one `Invocation`; it gets its own options beside that."""

    @functools.wraps(function)
    def collected(**values: Any) -> None:
        ctx = click.get_current_context()
        names = {_variable(name): name for name, _ in _OPTIONS}
        own = {key: value for key, value in values.items() if key not in names}
        ours = {names[key]: value for key, value in values.items() if key in names}
        defaulted = {
            name
            for key, name in names.items()
            if ctx.get_parameter_source(key) in {None, ParameterSource.DEFAULT}
        }
        function(Invocation(ours, frozenset(defaulted)), **own)

    command: Callable[..., None] = collected
    for name, settings in reversed(_OPTIONS):
        variable = _variable(name)
        command = click.option(f"--{name}", variable, envvar=f"KUBECI_{variable.upper()}", **settings)(
            command
        )
    return command


def _variable(name: str) -> str:
    return name.replace(".", "_").replace("-", "_")


def _text(option: str, path: object) -> str:
    try:
        return Path(str(path)).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(f"--{option} {path}: {reason}") from error


def _read(option: str, path: object) -> str:
    text = _text(option, path)
    if not text.strip():
        raise ConfigurationError(f"--{option} {path}: the file is empty")
    return text


def _owners(text: str) -> Pattern:
    try:
        Pattern(text)  # alone first: an error then shows what was written
        return Pattern(f"^(?:{text})$")
    except ConfigurationError as error:
        raise ConfigurationError(f"--orgs: {error}") from error


def _seconds(option: str, given: dict[str, Any]) -> float:
    try:
        return duration_seconds(str(given[option]))
    except ConfigurationError as error:
        raise ConfigurationError(f"--{option}: {error}") from error


def _secret(option: str, given: dict[str, Any]) -> str:
    return _read(option, given[option]).strip() if given[option] else ""


def _refuse_half(first: str, second: str, given: dict[str, Any]) -> None:
    """Refuse what works only with a second option."""
    if given[first] and not given[second]:
        raise ConfigurationError(f"--{first} needs --{second} too")


def _app_id(given: dict[str, Any]) -> int:
    if not given["github.appid"]:
        raise ConfigurationError("--github.appid is required: the id on the GitHub App's page")
    return _number("github.appid", given["github.appid"])


def _number(option: str, value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise ConfigurationError(f"--{option} {value}: not a number") from None


def _installations(path: object) -> frozenset[int]:
    if not path or not Path(str(path)).exists():
        return frozenset()
    lines = _text("idsfile", path).splitlines()
    return frozenset(_number("idsfile", line.strip()) for line in lines if line.strip())


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise ConfigurationError(f"--listen {text}: write HOST:PORT, such as 127.0.0.1:8080")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 - `:8080` is Go's word for every address


def _url(option: str, value: object) -> str:
    text = str(value)
    if not text.startswith(("http://", "https://")):
        raise ConfigurationError(f"--{option} {text}: not an address that begins with http:// or https://")
    return text.rstrip("/")
