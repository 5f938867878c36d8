"""`kubeci events`: what came from GitHub and from Slack lately, and what became of it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from kubeci.cli.gist import Gist, gist_of
from kubeci.cli.options import Invocation, server_options
from kubeci.cli.stored import (
    Stored,
    columns,
    examined,
    moment,
    short_id,
    show,
    show_json,
    stored,
    wrapped,
)
from kubeci.errors import ConfigurationError
from kubeci.model.build import Build
from kubeci.model.inbox import DeliveryRecord, DeliveryState
from kubeci.policy.commands import IDLE
from kubeci.report.plain import plain
from kubeci.settings.duration import duration_seconds
from kubeci.store.lookups import Sought
from kubeci.telemetry import configure_logging

INDENT = 16
COLOURS = {DeliveryState.PARKED: "red", DeliveryState.WAITING: "yellow", DeliveryState.WORKING: "cyan"}


@dataclass(frozen=True, slots=True)
class _Wish:
    repo: str | None
    state: str | None
    event: str | None
    every: bool
    since: str | None
    limit: int
    as_json: bool


@dataclass(frozen=True, slots=True)
class _Table:
    store: Stored
    ids: int
    """Columns of the ids."""


@click.command(name="events", context_settings={"max_content_width": 110, "show_default": True})
@click.option("--repo", metavar="OWNER/NAME", help="Only those of this repository.")
@click.option(
    "--state", type=click.Choice([state.value for state in DeliveryState]), help="Only those in this state."
)
@click.option("--event", metavar="NAME", help="Only those of this event, such as check_suite.")
@click.option("--all", "every", is_flag=True, help="Also those that asked for nothing.")
@click.option("--since", metavar="DURATION", help="Only those of the last while, such as 2h or 30m.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@server_options
def command(invocation: Invocation, **wish: Any) -> None:
    """List the newest deliveries: what came, from where, and what became of it.

    What asked for nothing, such as a comment without a command, is left out, and counted.

    Takes the options of `kubeci serve`, of which it needs only those that name the store, and reads nothing else. What
    became of one in all detail says `kubeci explain`.

    \b
    Examples:
      kubeci events
      kubeci events --repo octo/widgets --since 2h
      kubeci events --state parked
      kubeci events --event issue_comment --all
      kubeci events --json --limit 1000
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    configure_logging("console", level=logging.CRITICAL)
    asyncio.run(_events(invocation, _Wish(**wish)))


async def _events(invocation: Invocation, wish: _Wish) -> None:
    if wish.repo and wish.repo.count("/") != 1:
        raise ConfigurationError(f"--repo {wish.repo}: write OWNER/NAME")
    sought = Sought(
        wish.repo or "",
        DeliveryState(wish.state) if wish.state else None,
        wish.event or "",
        datetime.now(UTC) - timedelta(seconds=_seconds(wish.since)) if wish.since else None,
    )
    async with stored(examined(invocation)) as store:
        idle = None if wish.every else IDLE
        found = await store.lookups.deliveries(sought, limit=wish.limit, idle=idle)
        builds = await store.lookups.builds_asked_for_by(each.id for each in found)
        gists = {each.id: await gist_of(store, each) for each in found}
        if len(found) == wish.limit:
            sought = replace(sought, since=found[-1].received_at)
        left_out = 0 if idle is None else await store.lookups.count_idle(sought, idle)
        if wish.as_json:
            document = [_document(each, gists[each.id], builds) for each in found]
            show_json({"deliveries": document, "left_out": left_out}, store.redaction)
            return
        width = max((len(short_id(each.id)) for each in found), default=0)
        for each in found:
            show("\n".join(_lines(each, gists[each.id], builds, _Table(store, width))))
        if left_out:
            how = "that asked for nothing is" if left_out == 1 else "that asked for nothing are"
            which = "\n" if found else f"No other deliveries{_narrowed(wish)}: "
            show(click.style(f"{which}{left_out} {how} left out; --all lists them.", dim=True))
        elif not found:
            show(_nothing(wish))


def _seconds(since: str) -> float:
    try:
        return duration_seconds(since)
    except ConfigurationError as error:
        raise ConfigurationError(f"--since: {error}") from error


def came_of(record: DeliveryRecord, builds: list[Build]) -> str:
    """Say what became of a delivery: the reason in the inbox, and how its builds ended or stand."""
    ends = [
        f"{each.check_name}: {each.conclusion or each.state}"
        for each in builds
        if each.delivery_id == record.id
    ]
    waits = {DeliveryState.WAITING: "its work begins soon", DeliveryState.WORKING: "is being worked on"}
    told = record.reason or waits.get(record.state, "")
    return "; ".join([told, *(end for end in dict.fromkeys(ends) if not told.startswith(end))])


def _lines(record: DeliveryRecord, gist: Gist, builds: list[Build], table: _Table) -> list[str]:
    store = table.store
    about = store.fit(gist.about(record), 100)
    state = click.style(f"{record.state:<7}", fg=COLOURS.get(record.state))
    name = store.fit(gist.name(record), 60)
    head = f"{moment(record.received_at)[5:]}  {short_id(record.id):<{table.ids}}  {state}  {name}"
    told = store.fit(came_of(record, builds), 220)
    return [head, *wrapped(f"{about}: {told}" if about else told, columns() - 1, indent=INDENT)]


def _document(record: DeliveryRecord, gist: Gist, builds: list[Build]) -> dict[str, Any]:
    return {
        "id": record.id,
        "event": record.event,
        "action": gist.action,
        "number": gist.number or None,
        "repository": record.repository,
        "sha": record.sha,
        "state": record.state.value,
        "reason": record.reason,
        "received_at": record.received_at.isoformat(),
        "attempts": record.attempts,
        "due": record.due.isoformat() if record.state is DeliveryState.WAITING else None,
        "builds": [
            {
                "check_name": each.check_name,
                "state": each.state.value,
                "conclusion": each.conclusion,
                "workflow": f"{each.namespace}/{each.workflow_name}" if each.workflow_uid else "",
            }
            for each in builds
            if each.delivery_id == record.id
        ],
    }


def _nothing(wish: _Wish) -> str:
    if narrowed := _narrowed(wish):
        return f"No deliveries{narrowed}."
    return (
        "No deliveries yet. Does GitHub reach the server? `kubeci doctor` says so, and the App's page on GitHub\n"
        "lists what was sent (Advanced)."
    )


def _narrowed(wish: _Wish) -> str:
    narrowed = [
        *([f"of {wish.repo}"] if wish.repo else []),
        *([f"of the event {plain(wish.event)}"] if wish.event else []),
        *([f"in the state {wish.state}"] if wish.state else []),
        *([f"in the last {wish.since}"] if wish.since else []),
    ]
    return f" {', '.join(narrowed)}" if narrowed else ""
