"""The original's way to write options, made into ours (contract, section 1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

ORIGINAL_OPTIONS = frozenset(
    {
        "kubeconfig",
        "master",
        "grace.shutdown",
        "grace.requests",
        "config",
        "keyfile",
        "secretfile",
        "github.appid",
        "idsfile",
        "orgs",
        "argo.ui.base",
        "slack.tokenfile",
        "slack.secretfile",
    }
)
"""Options that the original knew, which Go lets one write with a single dash."""

_LONG = re.compile(r"-([a-z][a-z.-]+)(=.*)?", re.DOTALL)
_NO_SERVER = frozenset({"--help", "--version"})


def normalise(arguments: Sequence[str]) -> list[str]:
    """Give the arguments with two dashes where the original took one, and `serve` before options alone."""
    given = [_two_dashes(argument) for argument in arguments]
    if given and given[0].startswith("-") and given[0] not in _NO_SERVER:
        return ["serve", *given]
    return given


def _two_dashes(argument: str) -> str:
    match = _LONG.fullmatch(argument)
    return f"-{argument}" if match and match[1] in ORIGINAL_OPTIONS else argument
