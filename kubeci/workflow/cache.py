"""Which cache volume a build gets (contract, section 5)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kubeci.errors import DefinitionError
from kubeci.model.build import Build, BuildRequest
from kubeci.model.cache import CacheClaim
from kubeci.model.json import JsonObject
from kubeci.model.repository import RefType
from kubeci.settings.config import CacheDefaults, Config
from kubeci.workflow import metadata
from kubeci.workflow.claims import BRANCH, PROJECT, claim_name
from kubeci.workflow.quantity import quantity

FAILED = "creation of cache volume failed, "
NONE = "none"
_SHOWN = 60  # characters of an author's value in a message
_NAME_LIMIT = 253
# RFC 1123 subdomain, as Kubernetes asks of the names of claims and storage classes.
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def plan_cache(
    manifest: JsonObject, build: Build | BuildRequest, config: Config, *, foreign: bool = False
) -> CacheClaim | None:
    """Give the claim that a build asks for by its definition's annotations, else by the configuration's defaults.

    None: it asks for none. `foreign` says that the commit is a fork's also where the build does not tell of which.

    A fork's build never shares a volume with the repository's own: what it leaves there (a compiler, a package) would
    run in the next trusted build, with that one's secrets. It gets a claim of its own for its fork and branch, whatever
    scope and name the definition asks for. Raises `DefinitionError` for a scope, size or name that cannot be.
    """
    written = metadata.annotations_of(manifest)
    defaults = config.cache_defaults or CacheDefaults()
    scope = written.get(metadata.CACHE_SCOPE) or defaults.scope
    name = written.get(metadata.CACHE_NAME, "")
    if scope not in {NONE, BRANCH, PROJECT}:
        raise DefinitionError(
            f"{FAILED}scope should be either none, branch or project",
            hint=f"`{_shown(scope)}` is none of them; it comes from {_origin(written, metadata.CACHE_SCOPE)}",
        )
    if scope == NONE:
        if name and not written.get(metadata.CACHE_SCOPE):
            raise DefinitionError(
                f"{FAILED}a named cache needs a scope and a size too",
                hint=f'set the annotation `{metadata.CACHE_SCOPE}` to "project" or "branch"',
            )
        return None
    size = _checked_size(written.get(metadata.CACHE_SIZE) or defaults.size)
    if name:
        _check_subdomain(name, metadata.CACHE_NAME)
    storage_class = written.get(metadata.CACHE_STORAGE_CLASS_NAME) or defaults.storage_class_name
    if storage_class:
        _check_subdomain(storage_class, metadata.CACHE_STORAGE_CLASS_NAME)
    # GitHub serves the commits of forks by their sha under this repository's name: without a branch it may be one.
    foreign = foreign or bool(build.head_repository) or not build.ref.name
    branch = cache_branch(build, foreign=foreign) if foreign or scope == BRANCH else ""
    repository = build.commit.repository
    named = bool(name) and not foreign
    return CacheClaim(
        name=name if named else claim_name(repository, branch),
        scope=BRANCH if branch else PROJECT,
        repository=repository,
        branch=branch,
        size=size,
        storage_class_name=storage_class,
        named=named,
    )


def cache_branch(build: Build | BuildRequest, *, foreign: bool = False) -> str:
    """Give the branch whose volume a build uses: its own; of a fork `owner/name:branch`; of a tag `tag:x`.

    No branch has a colon in its name (git check-ref-format), so that a fork's branch or a tag called like a branch never
    gets that branch's volume. Where the branch or the fork is not known, the commit stands for it: `commit:SHA`.
    """
    fork = build.head_repository
    if (foreign or fork) and "/" not in fork:
        return f"commit:{build.commit.sha}"
    if fork:
        return fork_branch(fork, build.ref.name)
    if build.ref.type is RefType.TAG:
        return f"tag:{build.ref.name}"
    return build.ref.name or f"commit:{build.commit.sha}"


def fork_branch(fork: str, branch: str) -> str:
    """Give what stands for a branch of the fork `owner/name`."""
    return f"{fork}:{branch}"


def _checked_size(size: str) -> str:
    if not size:
        raise DefinitionError(
            f"{FAILED}no size is given", hint=f'set the annotation `{metadata.CACHE_SIZE}`, such as "5Gi"'
        )
    amount = quantity(size)
    if amount is None:
        raise DefinitionError(
            f"{FAILED}the size `{_shown(size)}` is no quantity of Kubernetes", hint='write "5Gi" or "500M"'
        )
    if amount <= 0:
        raise DefinitionError(f"{FAILED}the size `{size}` is not more than nothing")
    return size


def _check_subdomain(name: str, key: str) -> None:
    if len(name) > _NAME_LIMIT or not _SUBDOMAIN.fullmatch(name):
        raise DefinitionError(
            f"{FAILED}`{_shown(name)}` ({key}) is no name in Kubernetes",
            hint=f"lower case letters, digits, dashes and dots, a letter or digit at both ends of each part, "
            f"at most {_NAME_LIMIT} characters (a DNS-1123 subdomain)",
        )


def _origin(written: Mapping[str, str], key: str) -> str:
    return f"the annotation `{key}`" if written.get(key) else "the server's settings"


def _shown(text: str) -> str:
    return " ".join(text.split())[:_SHOWN]
