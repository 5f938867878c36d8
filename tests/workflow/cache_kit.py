"""What the tests of cache volumes share: a repository, and a manifest with annotations."""

from __future__ import annotations

from typing import Any

from kubeci.model.repository import Repository
from kubeci.workflow import metadata

REPOSITORY = Repository("acme", "widgets", 7)


def manifest(**annotations: str) -> dict[str, Any]:
    return {"metadata": {"annotations": {metadata.PREFIX + key: value for key, value in annotations.items()}}}
