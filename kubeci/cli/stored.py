"""The server's store as operators look into it, and words that are fit for a terminal."""

from __future__ import annotations

import json
import os
import shutil
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from kubeci.cli.options import Examined, Invocation
from kubeci.redaction import Redaction
from kubeci.report.plain import one_line
from kubeci.store.builds import SqlBuilds
from kubeci.store.database import Database, existing_database
from kubeci.store.inbox import SqlInbox
from kubeci.store.lookups import SqlLookups
from kubeci.store.traces import SqlTraces

LEAST_COLUMNS = 60
LONGEST = 4_000  # characters of one text
SHORT_SHA = 7
OWN_IDS = ("slack-", "sweep-")
"""How ids begin that GitHub did not give."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An opened store, and what the server must not show."""

    lookups: SqlLookups
    inbox: SqlInbox
    builds: SqlBuilds
    traces: SqlTraces
    redaction: Redaction

    def fit(self, text: str, limit: int = LONGEST) -> str:
        """Give a text in one line for a terminal: without secrets, and without what could command it."""
        return one_line(self.redaction(text), limit)


def examined(invocation: Invocation) -> Examined:
    """Read the options as far as they can be read; `ConfigurationError` where that leaves the store unknown."""
    found = invocation.examine()
    if found.unread & {"config", "options"}:
        raise found.problems[0]
    return found


@asynccontextmanager
async def stored(found: Examined) -> AsyncIterator[Stored]:
    """Open the store that the options name, which must be there, until the block ends."""
    async with existing_database(found.options.store_url) as opened:
        yield of_database(opened, Redaction(found.options.secrets))


def of_database(opened: Database, redaction: Redaction) -> Stored:
    """Give what looks into a database."""
    return Stored(SqlLookups(opened), SqlInbox(opened), SqlBuilds(opened), SqlTraces(opened), redaction)


def columns() -> int:
    """Give the terminal's width; where there is none, one that most have."""
    return max(shutil.get_terminal_size((100, 24)).columns, LEAST_COLUMNS)


def show(text: str) -> None:
    """Write a text; its colours only where a terminal shows them, and nobody asks for none."""
    click.echo(text, color=False if "NO_COLOR" in os.environ else None)


def show_json(document: Any, redaction: Redaction) -> None:
    """Write JSON, all of it ASCII: what came from outside must not command a terminal."""
    click.echo(json.dumps(redaction.value(document), indent=2))


def moment(at: datetime) -> str:
    """Write a time in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S}"


def short_id(delivery_id: str) -> str:
    """Give the beginning of a delivery's id, which `explain` and `replay` take for it."""
    return delivery_id[:14] if delivery_id.startswith(OWN_IDS) else delivery_id[:8]


def wrapped(text: str, width: int, *, indent: int) -> list[str]:
    """Fold a text into lines of at most `width` columns, all indented by so much."""
    space = " " * indent
    room = max(width, LEAST_COLUMNS)
    return textwrap.wrap(text, room, initial_indent=space, subsequent_indent=space, break_on_hyphens=False)


def led_by(head: str, text: str, width: int, *, indent: int) -> list[str]:
    """Do the same with `head`, which may be coloured and fills the first line's indentation."""
    first, *rest = wrapped(text, width, indent=indent) or [""]
    return [head + first[indent:], *rest]
