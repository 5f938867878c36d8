"""What a workflow may ask of the cluster: the setting `workflowPolicy` (docs/asks.md)."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from kubeci.settings.pattern import Pattern


class Ask(StrEnum):
    """A kind of thing that a workflow may ask for; the values are the keys of a rule."""

    AFFINITY = "affinity"
    ARTIFACT_REPOSITORIES = "artifactRepositories"
    ARTIFACT_STORES = "artifactStores"
    CAPABILITIES = "capabilities"
    CLAIMS = "claims"
    CLUSTER_WORKFLOW_TEMPLATES = "clusterWorkflowTemplates"
    CONFIG_MAPS = "configMaps"
    HOST_NETWORK = "hostNetwork"
    HOST_PATHS = "hostPaths"
    HOST_PORTS = "hostPorts"
    MEMOIZATION = "memoization"
    NAMESPACES = "namespaces"
    NODE_SELECTORS = "nodeSelectors"
    OBJECT_METADATA = "objectMetadata"
    PLUGINS = "plugins"
    POD_METADATA = "podMetadata"
    POD_SPEC_PATCH = "podSpecPatch"
    PRIORITY_CLASSES = "priorityClasses"
    PRIVILEGED = "privileged"
    PROBE_HOSTS = "probeHosts"
    RESOURCE_CLAIMS = "resourceClaims"
    RESOURCE_TEMPLATES = "resourceTemplates"
    SCHEDULERS = "schedulers"
    SECRETS = "secrets"
    SECURITY_PROFILES = "securityProfiles"
    SERVICE_ACCOUNT_TOKENS = "serviceAccountTokens"
    SERVICE_ACCOUNTS = "serviceAccounts"
    STORAGE_CLASSES = "storageClasses"
    SYNCHRONIZATION = "synchronization"
    SYSCTLS = "sysctls"
    TOLERATIONS = "tolerations"
    UNKNOWN_FIELDS = "unknownFields"
    VOLUME_KINDS = "volumeKinds"
    WORKFLOW_TEMPLATES = "workflowTemplates"


NAMELESS = frozenset({Ask.AFFINITY, Ask.HOST_NETWORK, Ask.POD_SPEC_PATCH, Ask.PRIVILEGED})
"""Asks that have no names to choose from: they are allowed or not."""


class Level(StrEnum):
    """A whole table of rules by one word."""

    OPEN = "open"
    """Whatever the cluster allows."""
    RESTRICTED = "restricted"
    """Nothing that other builds, the node or the cluster's secrets have a part in."""


class Word(StrEnum):
    """A rule that does not depend on names."""

    ANY = "any"
    NONE = "none"


Rule: TypeAlias = Word | tuple[Pattern, ...]
"""What is allowed of one kind; patterns are matched with the whole of a name."""
Rules: TypeAlias = Mapping[Ask, Rule]

# Those that containers have anyway, and so may be added again: Kubernetes' Pod Security Standards, "Baseline".
_CAPABILITIES = "AUDIT_WRITE|CHOWN|DAC_OVERRIDE|FOWNER|FSETID|KILL|MKNOD|NET_BIND_SERVICE|SETFCAP|SETGID|SETPCAP|SETUID|SYS_CHROOT"
RESTRICTED: Rules = dict.fromkeys(Ask, Word.NONE) | {
    Ask.CAPABILITIES: (Pattern(_CAPABILITIES),),
    Ask.NODE_SELECTORS: (Pattern(r"kubernetes\.io/(arch|os)=.*"),),
    Ask.SCHEDULERS: (Pattern("default-scheduler"),),
    Ask.SERVICE_ACCOUNTS: (Pattern("default"),),
}
OPEN: Rules = dict.fromkeys(Ask, Word.ANY)
_TABLES = {Level.OPEN: OPEN, Level.RESTRICTED: RESTRICTED}

BASE = "base"
"""The key of a mapping that names the table which its other keys change; without it `restricted`."""

Column: TypeAlias = Level | dict[str, str | tuple[Pattern, ...]]


class WorkflowPolicy(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What a workflow may ask for."""

    trusted: Level | dict[str, str | tuple[Pattern, ...]] = Level.OPEN
    """The repository's own commits: `open`, `restricted`, or what is other than in `restricted`, by ask."""
    untrusted: Level | dict[str, str | tuple[Pattern, ...]] = Level.RESTRICTED
    """Commits of forks, whoever had them built."""

    def __post_init__(self) -> None:
        """Refuse what is no rule: a policy that is misread lets too much through."""
        _table(self.trusted, "trusted")
        _table(self.untrusted, "untrusted")


def rules_of(policy: WorkflowPolicy | Level, *, untrusted: bool) -> Rules:
    """Give the rules that a build is held to; `untrusted` says that its commit comes from a fork."""
    if isinstance(policy, Level):
        return _TABLES[policy]
    if untrusted:
        return _table(policy.untrusted, "untrusted")
    return _table(policy.trusted, "trusted")


def _table(column: Column, name: str) -> Rules:
    if isinstance(column, Level):
        return _TABLES[column]
    changes = dict(column)
    base = changes.pop(BASE, Level.RESTRICTED)
    if base not in list(Level):
        raise ValueError(f"`{name}.{BASE}` is `open` or `restricted`")
    return {
        **_TABLES[Level(base)],
        **{_ask(key, name): _rule(key, rule, name) for key, rule in changes.items()},
    }


def _ask(key: str, name: str) -> Ask:
    if key in list(Ask):
        return Ask(key)
    near = difflib.get_close_matches(key, list(Ask), n=1)
    raise ValueError(
        f"`{name}.{key[:100]}` is nothing that is asked for"
        + (f"; did you mean `{near[0]}`?" if near else "")
    )


def _rule(key: str, rule: str | tuple[Pattern, ...], name: str) -> Rule:
    if isinstance(rule, tuple) and key not in NAMELESS:
        return rule
    if isinstance(rule, str) and rule in list(Word):
        return Word(rule)
    choice = "`any` or `none`" if key in NAMELESS else "`any`, `none` or a list of regular expressions"
    raise ValueError(f"`{name}.{key}` is {choice}")
