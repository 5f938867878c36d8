"""What a workflow asks of the cluster, held against the operator's rules (docs/asks.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from kubeci.model.build import BuildRequest
from kubeci.model.json import JsonObject
from kubeci.model.source import CommitSource
from kubeci.model.trust import What
from kubeci.policy.asks_walk import asked
from kubeci.policy.decide import is_foreign
from kubeci.settings.asks import OPEN, Ask, Rule, Rules, Word
from kubeci.workflow.faults import Path

LIMIT = 1000
"""Refused asks of one manifest that are looked for."""

RUN_TIME = "{{"
"""What begins a part that Argo fills in at run time."""
_CACHE = re.compile(r"\{\{\s*workflow\.parameters\.cacheVolumeClaimName\s*\}\}")


@dataclass(frozen=True, slots=True)
class Own:
    """What a build has whatever the rules say: its namespace, and the cache volume if it was given one."""

    namespace: str
    cache: bool = False


@dataclass(frozen=True, slots=True)
class RefusedAsk:
    """Something that a workflow asks for and may not have; `rule` refuses it, the field at `path` asks for it.

    `name` is empty where there is none to tell.
    """

    ask: Ask
    path: Path
    name: str
    rule: Rule

    @property
    def at_run_time(self) -> bool:
        """Whether only the run tells what is asked for, and so no pattern can allow it."""
        return RUN_TIME in self.name


def is_untrusted(request: BuildRequest, source: CommitSource) -> bool:
    """Say whether a build is held to the rules for strangers: its commit comes from a fork, or may come from one.

    GitHub serves the commits of forks under the repository's name: where a re-run names no branch, nobody vouches for its
    commit. Who deploys, or asks by a token, has named the commit himself.
    """
    return is_foreign(request, source) or (not request.ref.name and request.what is What.RERUN)


def refusals(manifest: JsonObject, rules: Rules, own: Own) -> tuple[RefusedAsk, ...]:
    """Give what a canonical manifest asks for and `rules` do not allow, in its order, at most `LIMIT`."""
    if rules is OPEN:
        return ()
    return tuple(islice(_refused(manifest, rules, own), LIMIT))


def _refused(manifest: JsonObject, rules: Rules, own: Own) -> Iterator[RefusedAsk]:
    for ask, path, name in asked(manifest):
        rule = rules[ask]
        if rule is not Word.ANY and not _allowed(rule, name) and not _is_own(ask, name, own):
            yield RefusedAsk(ask, path, name, rule)


def _allowed(rule: Rule, name: str) -> bool:
    if isinstance(rule, Word) or RUN_TIME in name:
        return False
    try:
        return any(pattern.matches_all(name) for pattern in rule)
    except UnicodeEncodeError:  # half of a surrogate pair, which no name in a cluster has
        return False


def _is_own(ask: Ask, name: str, own: Own) -> bool:
    if ask is Ask.NAMESPACES:
        return name == own.namespace
    return ask is Ask.CLAIMS and own.cache and _CACHE.fullmatch(name) is not None
