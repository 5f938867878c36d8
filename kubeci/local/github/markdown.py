"""Markdown of check-runs and comments as safe HTML: no HTML of the author's, no images, links to http and https only."""

from __future__ import annotations

import re
from functools import cache

from markdown_it import MarkdownIt
from markupsafe import Markup

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
"""What GitHub does not show."""


class _Safe(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 - markdown-it's name for the rule
        return url.lower().startswith(("http://", "https://", "#"))


@cache
def _renderer(*, breaks: bool) -> MarkdownIt:
    return (
        _Safe("commonmark", {"html": False, "linkify": False, "breaks": breaks})
        .enable(["table", "strikethrough"])
        .disable("image")
    )


def render(text: str | None, *, breaks: bool = False) -> Markup:
    """Render Markdown that a stranger wrote; an absent text is empty.

    With `breaks` a line's end is one, as GitHub has it in comments (docs.github.com, "Basic writing and formatting syntax").
    """
    # Safe to mark: the renderer escapes every text, and takes no HTML and no other link.
    return Markup(_renderer(breaks=breaks).render(_COMMENT.sub("", text or "")))  # noqa: S704
