"""Who calls: the App by its JWT, an installation by its token; and how far a token reaches."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from kubeci.local.github.errors import ApiError

TOKEN_LIFETIME = timedelta(hours=1)
JWT_LIFETIME = timedelta(minutes=10)
CLOCK_SKEW = timedelta(seconds=60)
_LEVELS = {"read": 1, "write": 2, "admin": 3}


@dataclass(frozen=True, slots=True)
class App:
    """A GitHub App as this machine needs it; `private_key` is PEM text, None when somebody else keeps it."""

    id: int
    slug: str
    public_key: str
    private_key: str | None = None

    @property
    def client_id(self) -> str:
        """Give the client id, which newer clients name as the JWT's issuer."""
        return f"Iv23li{self.id:014d}"


@dataclass(frozen=True, slots=True)
class InstallationToken:
    """An installation's token; `repositories` None reaches all that the installation does."""

    token: str
    installation_id: int
    permissions: dict[str, str]
    repositories: frozenset[int] | None
    expires_at: datetime


def new_app(app_id: int = 1, slug: str = "kubeci-local") -> App:
    """Make an App with a fresh RSA key pair."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return App(app_id, slug, public.decode(), private.decode())


def new_token(
    installation_id: int, permissions: dict[str, str], repositories: frozenset[int] | None, now: datetime
) -> InstallationToken:
    """Make an installation token that ends an hour from `now`."""
    return InstallationToken(
        f"ghs_{secrets.token_hex(18)}", installation_id, permissions, repositories, now + TOKEN_LIFETIME
    )


def check_app(app: App, token: str, now: datetime) -> None:
    """Check the App's JWT: RS256, issuer, and times within 10 minutes.

    Raises ApiError 401 with GitHub's words (docs.github.com, "Generating a JSON Web Token for a GitHub App").
    """
    try:
        claims = jwt.decode(
            token,
            app.public_key,
            algorithms=["RS256"],
            # The times are judged below, by the clock that we were given.
            options={
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_iss": False,
                "verify_sub": False,
            },
        )
    except jwt.InvalidTokenError:
        raise ApiError(401, "A JSON web token could not be decoded") from None
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int):
        raise ApiError(
            401,
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
        )
    if not isinstance(expires, int):
        raise ApiError(
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
        )
    moment = now.timestamp()
    if expires <= moment:
        raise ApiError(
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
        )
    if expires > moment + JWT_LIFETIME.total_seconds():
        raise ApiError(401, "'Expiration time' claim ('exp') is too far in the future")
    if issued > moment + CLOCK_SKEW.total_seconds():
        raise ApiError(
            401,
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
        )
    if str(claims.get("iss")) not in {str(app.id), app.client_id}:
        raise ApiError(401, "A JSON web token could not be decoded")


def grants(permissions: dict[str, str], needed: str) -> bool:
    """Say whether `permissions` hold `needed`, written `name:level`."""
    name, _, level = needed.partition(":")
    if name == "metadata":
        return True  # every token reads metadata
    return _LEVELS.get(permissions.get(name, ""), 0) >= _LEVELS[level]


def narrow(held: dict[str, str], wanted: dict[str, str]) -> dict[str, str]:
    """Give the permissions of a narrowed token; ApiError 422 when more is wanted than the installation holds."""
    for name, level in wanted.items():
        if level not in _LEVELS or not grants(held, f"{name}:{level}"):
            raise ApiError(422, "The permissions requested are not granted to this installation.")
    return {**wanted, "metadata": "read"}
