"""What the API server's audit log says of the requests of the end-to-end tests' servers."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from given_cluster import RealCluster

ACCOUNT = "kubeci"
_CREDENTIAL = "authentication.kubernetes.io/credential-id"


class Right(NamedTuple):
    """What a rule of a role grants."""

    group: str
    resource: str
    """With its subresource."""
    verb: str


class Audited(NamedTuple):
    """One request; `code` is that of its answer."""

    id: str
    right: Right
    code: int
    uri: str


def note_token(cluster: RealCluster, kubeconfig: Path) -> None:
    """Remember the token of an end-to-end test's server: other tests use the same account."""
    token = json.loads(kubeconfig.read_text())["users"][0]["user"]["token"]
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    with _tokens(cluster).open("a") as noted:
        noted.write(f"JTI={claims['jti']}\n")


def _tokens(cluster: RealCluster) -> Path:
    return cluster.folder / "end-to-end-tokens"


def requests_of(cluster: RealCluster, since: int = 0) -> list[Audited]:
    """Give the requests of the end-to-end tests' servers, each once; `since` is a size that the log once had."""
    assert cluster.plane
    tokens = set(_tokens(cluster).read_text().split())
    found = {each.id: each for each in _entries(cluster.plane.audit_log, since, tokens)}
    return list(found.values())


def audit_size(cluster: RealCluster) -> int:
    """Give the log's size, from which later requests are read."""
    return cluster.plane.audit_log.stat().st_size if cluster.plane else 0


def _entries(log: Path, since: int, tokens: set[str]) -> Iterator[Audited]:
    with log.open() as lines:
        lines.seek(since)
        for line in lines:
            entry = json.loads(line) if line.endswith("\n") else {}
            user = entry.get("user", {})
            if tokens.intersection(user.get("extra", {}).get(_CREDENTIAL, ())):
                code = int(entry.get("responseStatus", {}).get("code", 0))
                yield Audited(entry["auditID"], _right(entry), code, entry["requestURI"])


def _right(entry: dict[str, Any]) -> Right:
    """Give the right that a request needs; one that is about no resource needs that to its path."""
    ref = entry.get("objectRef")
    if not ref:
        return Right("", entry["requestURI"], entry["verb"])
    names = (ref["resource"], ref.get("subresource", ""))
    return Right(ref.get("apiGroup", ""), "/".join(filter(None, names)), entry["verb"])
