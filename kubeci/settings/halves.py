"""Settings that each are right, and together come to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubeci.settings.config import Config

SCOPES = ("none", "branch", "project")


def contradictions(config: Config) -> Iterator[str]:
    """Say in sentences what an operator will not have meant; the server works all the same."""
    cache = config.cache_defaults
    if cache and cache.scope not in SCOPES:
        yield f"`cacheDefaults.scope` is `{cache.scope}`; builds are refused, as it must be one of {', '.join(SCOPES)}"
    elif cache and cache.scope != "none" and not cache.size:
        yield "`cacheDefaults.scope` is set without `cacheDefaults.size`: builds that name no size themselves are refused"
    if bool(config.pages.user_header) != bool(config.pages.proxies):
        yield "`pages.userHeader` and `pages.proxies` let somebody in only together"
