"""`kubeci replay`: do the work of a delivery anew, or say what that would do."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

import click

from kubeci.cli.explain import beginning_of, unknown
from kubeci.cli.gist import TALK, gist_of
from kubeci.cli.lazy import loading
from kubeci.cli.options import Invocation, server_options
from kubeci.cli.stored import Stored, columns, examined, short_id, show, stored, wrapped
from kubeci.cli.story import Ambiguous, story_of
from kubeci.cli.story_text import Page, ambiguous
from kubeci.model.build import BuildState
from kubeci.model.check_run import Conclusion
from kubeci.model.inbox import DeliveryRecord, DeliveryState
from kubeci.telemetry import configure_logging

MOST = 50  # deliveries that a beginning may fit
SOON_SECONDS = 10
ENDED = (DeliveryState.DONE, DeliveryState.PARKED)


@click.command(name="replay", context_settings={"max_content_width": 110, "show_default": True})
@click.argument("delivery", metavar="DELIVERY")
@click.option("--dry-run", is_flag=True, help="Only say what it would come to; nothing is written anywhere.")
@click.option("--afresh", is_flag=True, help="With --dry-run: as if its commit had not been built yet.")
@server_options
def command(invocation: Invocation, *, delivery: str, dry_run: bool, afresh: bool) -> None:
    """Let the server do the work of a delivery anew that is done, or was parked.

    The beginning of its id is enough. The running server finds it within seconds. What is built already is not built
    twice: for that there is Re-run on its check-run. Takes the options of `kubeci serve`.

    With --dry-run it goes the whole way here instead, with what GitHub and the cluster say now: what is asked for, who
    may, what the definition gives. It prints each step and the workflow that would be submitted, and writes nothing, not
    to GitHub, not to the cluster, not to the store.

    \b
    Exit status:
      0  it will be done anew; with --dry-run: nothing stands in its way
      1  it cannot be done anew, or is not there; with --dry-run: it would fail
      2  the command was not understood, or the store is not there

    \b
    Examples:
      kubeci replay 72d3162e
      kubeci replay 72d3162e --dry-run
      kubeci replay 72d3162e --dry-run --afresh
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    configure_logging("console", level=logging.CRITICAL)
    if afresh and not dry_run:
        raise click.UsageError(
            "--afresh is for --dry-run: a build that is there is never made again by a delivery."
        )
    raise SystemExit(asyncio.run(_replay(invocation, delivery, dry_run=dry_run, afresh=afresh)))


async def _replay(invocation: Invocation, asked: str, *, dry_run: bool, afresh: bool) -> int:
    beginning = beginning_of(asked)
    async with stored(examined(invocation)) as store:
        called = await store.lookups.deliveries_called(beginning, limit=MOST)
        called = [each for each in called if each.id == beginning] or called
        page = Page(columns(), store.fit)
        if len(called) != 1:
            found = Ambiguous(tuple(called), ())
            told = ambiguous(found, beginning, page) if called else await _no_delivery(beginning, store, page)
            click.echo(told, err=True)
            return 1
        [record] = called
        gist = await gist_of(store, record)
        show(page.head(f"Delivery {record.id}: {gist.name(record)} {gist.about(record)}".rstrip()))
        if dry_run:
            with loading():
                from kubeci.cli.rehearsed import rehearsed  # noqa: PLC0415 - nothing else here needs the adapters
            return await rehearsed(invocation, record, store, page, afresh=afresh)
        return await _again(record, store, page)


async def _no_delivery(beginning: str, store: Stored, page: Page) -> str:
    """Say that something is no delivery, and which deliveries it may have been meant for."""
    found = await story_of(beginning, store)
    if found is None:
        return unknown(beginning)
    if isinstance(found, Ambiguous):
        return ambiguous(found, beginning, page)
    what = "a commit" if any(each.build.commit.sha.startswith(beginning) for each in found.builds) else ""
    what = what or ("a build" if found.builds else "a commit")
    if not found.deliveries:
        return f"{page.fit(beginning)} is {what}, of which no delivery is kept."
    return "\n".join(
        [
            f"{page.fit(beginning)} is {what}; its deliveries:",
            *(
                f"  {short_id(each.record.id)}  {each.record.state:<7}  {page.fit(each.gist.name(each.record))}"
                for each in found.deliveries
            ),
            "Write the id of one.",
        ]
    )


async def _again(record: DeliveryRecord, store: Stored, page: Page) -> int:
    if not await store.inbox.replay(record.id, datetime.now(UTC)):
        click.echo(
            f"It is {record.state} already: nothing was changed. `kubeci explain {short_id(record.id)}` says more.",
            err=True,
        )
        return 1
    told = [
        f"It was {record.state}: {store.fit(record.reason, 300)}",
        f"A running server takes it up within {SOON_SECONDS} seconds, and does what it asks for and was not done.",
        *[store.fit(each) for each in await _kept(record, store)],
        f"`kubeci explain {short_id(record.id)}` tells what came of it.",
    ]
    for each in told:
        show("\n".join(wrapped(each, page.columns - 1, indent=2)))
    return 0


async def _kept(record: DeliveryRecord, store: Stored) -> list[str]:
    """Say which builds a delivery leaves as they are when its work is done anew."""
    builds = await store.lookups.builds_asked_for_by([record.id])
    if not builds and record.sha:
        about = await store.lookups.builds_of(record.sha, repository=record.repository, limit=MOST)
        builds = [build for build in about if build.state is BuildState.FINISHED]
    told = []
    for build in builds:
        how = f"{build.check_name} of it is {build.conclusion or build.state}"
        if build.workflow_uid:
            told.append(f"{how}: it is not built twice.")
        elif build.conclusion == Conclusion.FAILURE and record.event not in TALK:
            told.append(f"{how}, without a workflow, and stays so: Re-run on its check-run tries it anew.")
    return told
