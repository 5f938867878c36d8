"""Read the secrets of the HTTP API's tokens from the files that the settings name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kubeci.errors import ConfigurationError
from kubeci.settings.api import ApiToken, ApiTokenEntry

LEAST_CHARACTERS = 16


def read_tokens(entries: Iterable[ApiTokenEntry]) -> tuple[ApiToken, ...]:
    """Give the tokens with their secrets; `ConfigurationError` names the token whose file cannot be used."""
    tokens: dict[str, ApiToken] = {}
    for entry in entries:
        if entry.name in tokens:
            raise ConfigurationError(f"`api.tokens`: the name `{entry.name}` is there twice")
        secret = _secret_of(entry)
        if any(secret == other.secret for other in tokens.values()):
            raise ConfigurationError(f"`api.tokens`: `{entry.name}` has the secret of another token")
        tokens[entry.name] = ApiToken(entry.name, secret, entry.repositories, frozenset(entry.verbs))
    return tuple(tokens.values())


def _secret_of(entry: ApiTokenEntry) -> bytes:
    try:
        secret = Path(entry.token_file).read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(
            f"`api.tokens`: the token file of `{entry.name}`, {entry.token_file}: {error.strerror}"
        ) from error
    if len(secret) < LEAST_CHARACTERS or not secret.isascii():
        raise ConfigurationError(
            f"`api.tokens`: the token of `{entry.name}` must have {LEAST_CHARACTERS} ASCII characters or more"
        )
    return secret
