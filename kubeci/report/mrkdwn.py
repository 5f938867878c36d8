"""Slack's mrkdwn around text that may be hostile (docs.slack.dev, "Formatting message text").

Foreign text is escaped, so that no mention, channel alert or link comes of it, and stands in code spans where it is shown as it is.
"""

from __future__ import annotations

import re

from kubeci.report.plain import one_line, plain

LIMIT = 3_000  # characters of a message; Slack advises at most 4,000

_ALERT = re.compile(r"@(?=here\b|channel\b|everyone\b|group\b)", re.IGNORECASE)
_SPAN = re.compile(r"(?<!`)(?P<ticks>`+)(?!`)(?P<inside>.+?)(?<!`)(?P=ticks)(?!`)")
_INVISIBLE = "\u2060"  # word joiner


def escape(text: str) -> str:
    """Make text show as it is: Slack reads mentions and links out of `<…>`, and older ways read `@here`."""
    return _ALERT.sub(f"@{_INVISIBLE}", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def code(text: str, limit: int = 200) -> str:
    """Put foreign text into a code span of one line, where Slack makes no link of an address; empty text gives nothing."""
    line = one_line(text, limit).replace("`", "'")  # no span can hold a backtick
    return f"`{escape(line)}`" if line else ""


def sentence(text: str, limit: int = 1_000) -> str:
    """Write a sentence that may quote foreign text, in one line."""
    return escape(one_line(text, limit))


def of_markdown(text: str) -> str:
    """Turn Markdown of ours, whose foreign parts stand in code spans, into mrkdwn."""
    parts, end = [], 0
    for span in _SPAN.finditer(text):
        parts += [_of_words(text[end : span.start()]), code(span["inside"], 500)]
        end = span.end()
    return "".join([*parts, _of_words(text[end:])])


def link(url: str, label: str) -> str:
    """Write a link; an address that is none of http gives the label alone."""
    shown = escape(one_line(label)).replace("|", "¦")
    if not re.match(r"https?://", url):
        return shown
    for character, escaped in (("&", "&amp;"), ("<", "%3C"), (">", "%3E"), ("|", "%7C"), (" ", "%20")):
        url = url.replace(character, escaped)
    return f"<{one_line(url, 2_000)}|{shown}>"


def cut(text: str, limit: int = LIMIT) -> str:
    """Shorten a message at a line's end, and say so."""
    if len(text) <= limit:
        return text
    kept, _, _ = text[:limit].rpartition("\n")
    return f"{kept}\n… cut"


def _of_words(text: str) -> str:
    return escape(plain(text)).replace("**", "*")
