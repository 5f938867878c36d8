"""The Kubernetes Secret that holds the App's credentials."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

import yaml

from kubeci.create_app.registered import Registered
from kubeci.errors import ConfigurationError
from kubeci.model.json import JsonObject

PRIVATE_KEY, WEBHOOK_SECRET, APP_ID = "github-key", "webhook-secret", "app-id"
"""The Secret's keys; the first two are the names of the files that `kubeci serve` reads by itself."""
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"


@dataclass(frozen=True, slots=True)
class SecretName:
    """Where in a cluster the Secret stands."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """Write it as kubectl's users say it."""
        return f"{self.namespace}/{self.name}"


def read_secret_name(namespace: str, name: str) -> SecretName:
    """Read the names; `ConfigurationError` for one that Kubernetes would not take."""
    if len(namespace) > 63 or not re.fullmatch(_LABEL, namespace):
        raise ConfigurationError(f"--namespace {namespace}: this is no name of a namespace")
    if len(name) > 253 or not re.fullmatch(rf"{_LABEL}(\.{_LABEL})*", name):
        raise ConfigurationError(f"--secret-name {name}: this is no name of a Secret")
    return SecretName(namespace, name)


def secret_of(where: SecretName, app: Registered) -> JsonObject:
    """Give the Secret as a manifest."""
    values = {PRIVATE_KEY: app.private_key, WEBHOOK_SECRET: app.webhook_secret, APP_ID: str(app.app_id)}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": where.name, "namespace": where.namespace},
        "type": "Opaque",
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
    }


def as_yaml(secret: JsonObject) -> str:
    """Write the manifest for `kubectl apply`."""
    return yaml.safe_dump(secret, sort_keys=False)
