"""The App's private key."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kubeci.errors import ConfigurationError


@cache
def read_private_key(pem: str) -> RSAPrivateKey:
    """Read an RSA key in PEM form, once: checking it takes some 40 ms, which each JWT would hold up the event loop for.

    Raises `ConfigurationError` for anything else.
    """
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as error:  # TypeError: it is encrypted
        raise ConfigurationError("the GitHub App's private key is not an RSA key in PEM form") from error
    if not isinstance(key, RSAPrivateKey):
        raise ConfigurationError("the GitHub App's private key is not an RSA key in PEM form")
    return key
