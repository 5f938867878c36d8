"""Annotations of kubeci that say nothing: misspelt keys, and patterns that find no template."""

from __future__ import annotations

from collections.abc import Iterator

from kubeci.errors import ConfigurationError
from kubeci.settings.pattern import Pattern
from kubeci.workflow import metadata
from kubeci.workflow.flaws import Flaw, quoted
from kubeci.workflow.outline import Outline

READ = (
    metadata.RUN_FOR_BRANCH,
    metadata.RUN_FOR_TAG,
    metadata.RUN_IF_CHANGED,
    metadata.SKIP_IF_ONLY_CHANGED,
    metadata.CACHE_SCOPE,
    metadata.CACHE_SIZE,
    metadata.CACHE_STORAGE_CLASS_NAME,
    metadata.CACHE_NAME,
    metadata.MANUAL_TEMPLATES,
    metadata.ESSENTIAL_TEMPLATES,
    metadata.DEPLOY_TEMPLATES,
    metadata.NON_INTERACTIVE_BRANCHES,
)
"""Those that an author writes."""
RESERVED = frozenset({metadata.PREFIX + "features", metadata.PREFIX + "lint"})
"""Names that the original kept for itself, without behaviour."""
OF_TEMPLATES = (metadata.MANUAL_TEMPLATES, metadata.DEPLOY_TEMPLATES)


def annotation_flaws(outline: Outline) -> Iterator[Flaw]:
    """Find annotations under our prefix that nobody reads, and patterns that no template's name matches."""
    names = [name.removeprefix(metadata.PREFIX) for name in READ]
    known = {*READ, *RESERVED, *metadata.OURS}
    for key, value in outline.annotations.items():
        if not key.startswith(metadata.PREFIX):
            continue
        name = key.removeprefix(metadata.PREFIX)
        where = ("metadata", "annotations", key)
        if key not in known:
            message = f"the annotation {quoted(name)} says nothing to kubeci"
            yield Flaw("unknown-annotation", "warning", where, message, wrong=name, known=names)
        elif key in OF_TEMPLATES and outline.by_name and not _finds(value, outline):
            message = f"the annotation {quoted(name)} finds no template: none has a name that matches {quoted(value)}"
            yield Flaw("idle-annotation", "warning", where, message)


def _finds(pattern: str, outline: Outline) -> bool:
    if pattern in {"", "^$"}:  # none is meant
        return True
    try:
        found = Pattern(pattern)
    except ConfigurationError:  # told as an error of its own
        return True
    return any(found.search(name) for name in outline.by_name)
