"""`kubeci replay --dry-run`: what a delivery would lead to now, step by step."""

from __future__ import annotations

import click
import yaml

from kubeci.assembly.adapters import Surroundings
from kubeci.assembly.rehearsal import Known, Rehearsed, rehearse
from kubeci.cli.options import Invocation
from kubeci.cli.stored import Stored, short_id, show, wrapped
from kubeci.cli.story_text import Page, step_lines
from kubeci.errors import ConfigurationError, Invalid
from kubeci.github.events import decode
from kubeci.model.event import (
    CheckSuiteEvent,
    Delivery,
    MergeGroupEvent,
    PullRequestEvent,
    PushEvent,
    TagCreatedEvent,
)
from kubeci.model.inbox import DeliveryRecord
from kubeci.model.slack import SLACK_EVENT

BUILDS = 50  # of a repository that a rehearsal knows


async def rehearsed(
    invocation: Invocation, record: DeliveryRecord, store: Stored, page: Page, *, afresh: bool
) -> int:
    """Do a delivery's work without a write, and print what it comes to.

    With `afresh` as if its commit had not been built; gives the exit status. Raises `ConfigurationError`.
    """
    if record.event == SLACK_EVENT:
        raise ConfigurationError("a Slack command cannot be rehearsed: what it does is answered in Slack")
    options, config, _ = invocation.resolve()
    delivery = await store.inbox.get(record.id)
    assert delivery is not None
    show("Nothing is written: not to GitHub, not to the cluster, not to the store.\n")
    known = await _known(record, store, without_commit=afresh and _is_automatic(delivery))
    known = [each for each in known if not (afresh and each.build.delivery_id == record.id)]
    told = await rehearse(delivery, known, Surroundings(options, config))
    _tell(told, store, page)
    if "already" in told.outcome:
        show(
            f"\n`kubeci replay {short_id(record.id)} --dry-run --afresh` tells what it would be if it were not."
        )
    return 1 if told.failed else 0


async def _known(record: DeliveryRecord, store: Stored, *, without_commit: bool) -> list[Known]:
    if not record.repository:
        return []
    found = await store.lookups.builds_around(record.repository, record.sha, limit=BUILDS)
    return [
        Known(build, await store.builds.outcome(build.id), await store.builds.reported(build.id))
        for build in found
        if not (without_commit and build.commit.sha == record.sha)
    ]


def _is_automatic(delivery: Delivery) -> bool:
    """Say whether a delivery tells of a commit that is built by itself, once."""
    try:
        event = decode(delivery.event, delivery.payload)
    except Invalid:
        return False
    if isinstance(event, CheckSuiteEvent):
        return event.action == "requested"
    return isinstance(event, PushEvent | PullRequestEvent | MergeGroupEvent | TagCreatedEvent)


def _tell(told: Rehearsed, store: Stored, page: Page) -> None:
    for step in told.steps:
        show("\n".join(step_lines(step, page)))
    how = "fail" if told.failed else "come to"
    show("")
    for line in wrapped(page.fit(f"It would {how}: {told.outcome}"), page.columns - 1, indent=0):
        show(page.head(line))
    for workflow in told.workflows:
        show("\n" + page.head("The workflow that would be submitted:"))
        # Escaped beyond ASCII: what an author wrote must not command a terminal.
        written = yaml.safe_dump(workflow, sort_keys=False, width=page.columns)
        click.echo(store.redaction(written), nl=False)
