"""What is known of deliveries and builds, as text for a terminal and as a document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import click

from kubeci.cli import advice
from kubeci.cli.stored import SHORT_SHA, led_by, moment, short_id
from kubeci.cli.story import Ambiguous, Story, ToldBuild, ToldDelivery
from kubeci.model.inbox import DeliveryState
from kubeci.model.trace import Step, StepKind, Trace

LABEL = 14
SHORT_BUILD = 12
STEP = 23  # columns before a step's words
SHOWN_ATTEMPTS = 3
SHOWN_NOTES = 5
_COLOURS = {StepKind.DECIDED: "yellow", StepKind.EVALUATED: "cyan", StepKind.REPORTED: "green"}


@dataclass(frozen=True, slots=True)
class Page:
    """How text is written: in how many columns, and made fit by what."""

    columns: int
    fit: Callable[[str], str]

    def row(self, label: str, words: str) -> Iterator[str]:
        """Write a label and its words; nothing where there are none."""
        if told := self.fit(words):
            head = f"  {click.style(f'{label:<{LABEL - 2}}', dim=True)}"
            yield from led_by(head, told, self.columns - 1, indent=LABEL)

    def head(self, words: str) -> str:
        """Write a heading."""
        return click.style(self.fit(words), bold=True)


def ambiguous(found: Ambiguous, asked: str, page: Page) -> str:
    """List what a beginning fits."""
    lines = [f"{page.fit(asked)} fits several; write more of it:"]
    lines += [
        f"  delivery {each.id}  {page.fit(each.event)} {page.fit(each.repository)}"
        for each in found.deliveries
    ]
    lines += [f"  commit   {page.fit(sha)}" for sha in found.shas]
    lines += [
        f"  build    {build.id[:SHORT_BUILD]}  {page.fit(build.check_name)}, {build.namespace}/{build.workflow_name}"
        for build in found.builds
    ]
    return "\n".join(lines)


def text(story: Story, page: Page) -> str:
    """Tell a story: the deliveries, then the builds."""
    parts = [_delivery(each, story, page) for each in story.deliveries]
    if story.builds and story.elsewhere:
        parts.append([page.head("Builds of the same commit, which other deliveries asked for:")])
    parts += [_build(each, page) for each in story.builds]
    if not story.builds:
        parts.append(["No build."])
    return "\n\n".join("\n".join(part) for part in parts)


def _delivery(told: ToldDelivery, story: Story, page: Page) -> list[str]:
    record, whole = told.record, story.whole
    name = told.gist.name(record)
    lines = [page.head(f"Delivery {record.id if whole else short_id(record.id)}: {name}")]
    lines += page.row("about", told.gist.about(record, whole=whole))
    lines += page.row("received", f"{moment(record.received_at)} UTC")
    lines += page.row(
        "state", record.state + (f", after {record.attempts} attempts" if record.attempts > 1 else "")
    )
    lines += page.row("reason" if record.state is not DeliveryState.DONE else "came of it", record.reason)
    lines += page.row("next", advice.of_delivery(record, built=bool(story.builds)))
    if not whole:
        for step in _last(told.traces):
            if step.kind is StepKind.DECIDED or _is_failure(step, record.reason):
                lines += page.row(step.kind, _brief(step, record.reason))
        return lines
    for number, trace in list(enumerate(told.traces, start=1))[-SHOWN_ATTEMPTS:]:
        lines += ["", *_attempt(trace, f"{number} of {len(told.traces)}", page)]
    return lines


def _brief(step: Step, reason: str) -> str:
    """Give a decision without the words that the delivery's reason says too."""
    how, _, why = step.text.partition(": ")
    return how if why and why in reason else step.text


def _is_failure(step: Step, reason: str) -> bool:
    """Say whether a step tells why a definition could not be used, beyond what the delivery's reason says."""
    failed, _, why = step.text.partition(": ")
    return step.kind is StepKind.EVALUATED and failed == "failed" and why not in reason


def _last(traces: tuple[Trace, ...]) -> tuple[Step, ...]:
    return traces[-1].steps if traces else ()


def _attempt(trace: Trace, number: str, page: Page) -> Iterator[str]:
    yield page.head(f"  Attempt {number}: {moment(trace.began_at)} UTC on {trace.replica}")
    for step in trace.steps:
        yield from step_lines(step, page)
    if trace.dropped:
        yield f"  {'':>8}  and {trace.dropped} steps more"
    yield from led_by(f"  {'':>8}  came to    ", page.fit(trace.outcome), page.columns - 1, indent=STEP)


def step_lines(step: Step, page: Page) -> Iterator[str]:
    """Write a step: when, what, and its words."""
    kind = click.style(f"{step.kind:<9}", fg=_COLOURS.get(step.kind))
    head = f"  {step.after_seconds:>8.3f}  {kind}  "
    yield from led_by(head, page.fit(step.text) or "-", page.columns - 1, indent=STEP)


def _build(told: ToldBuild, page: Page) -> list[str]:
    build, check = told.build, told.outcome.check
    how = build.conclusion or build.state
    lines = [page.head(f"Build {build.id[:SHORT_BUILD]}: {build.check_name}: {how}")]
    fork = f", of the fork {build.head_repository}" if build.head_repository else ""
    lines += page.row("commit", f"{build.commit.repository.full_name} {build.commit.sha}")
    lines += page.row("of", f"{build.ref.type} {build.ref.name or 'unknown'}{fork}")
    by = f" by {build.actor}" if build.actor else ""
    asked = f", delivery {short_id(build.delivery_id)}" if build.delivery_id else ""
    lines += page.row("asked for", f"{build.what}{by}{asked}, {moment(build.created_at)} UTC")
    lines += page.row("workflow", _workflow(told))
    if build.check_run_id:
        status = f", {check.conclusion or check.status}: {check.title}" if check else ""
        lines += page.row("check-run", f"{build.check_run_id}{status}")
        lines += page.row("reported", _reported(told))
    lines += page.row("logs", f"{told.logs} kept" if told.logs else "")
    lines += page.row("superseded", _superseded(told))
    lines += page.row("stopped", build.stopped)
    lines += [line for each in build.warnings[:SHOWN_NOTES] for line in page.row("warning", each)]
    lines += [line for each in build.loaded[:SHOWN_NOTES] for line in page.row("loaded", each)]
    lines += [line for each in build.prints[:SHOWN_NOTES] for line in page.row("printed", each)]
    return [*lines, *page.row("next", _next(told))]


def _next(told: ToldBuild) -> str:
    return advice.of_build(told.build, told.asked, taken=told.taken)


def _workflow(told: ToldBuild) -> str:
    build = told.build
    if not build.workflow_uid:
        return "none"
    ended = f", ended {moment(build.finished_at)} UTC" if build.finished_at else ""
    phase = f", {told.outcome.phase}" if told.outcome.phase else ", nothing was seen of it yet"
    return f"{build.namespace}/{build.workflow_name}{phase}{ended}"


def _reported(told: ToldBuild) -> str:
    reported = told.reported
    last = f", last {moment(reported.written_at)} UTC" if reported.written_at else ""
    plural = "" if reported.annotations == 1 else "s"
    remarks = f", {reported.annotations} annotation{plural}" if reported.annotations else ""
    often = "once" if reported.writes == 1 else f"{reported.writes} times"
    return f"{often}{last}{remarks}"


def _superseded(told: ToldBuild) -> str:
    if told.newer:
        return f"by {told.newer.namespace}/{told.newer.workflow_name} of {told.newer.commit.sha[:SHORT_SHA]}"
    return f"by the check-run {told.build.superseded_by}" if told.build.superseded_by else ""


def document(story: Story) -> dict[str, Any]:
    """Give the same for machines; times are ISO 8601."""
    return {
        "deliveries": [
            {
                **_plain(asdict(each.record)),
                "action": each.gist.action,
                "number": each.gist.number or None,
                "builds": each.builds,
                "next": advice.of_delivery(each.record, built=bool(story.builds)),
                "attempts_made": [_plain(asdict(trace)) for trace in each.traces],
            }
            for each in story.deliveries
        ],
        "builds": [
            {
                **_plain({key: value for key, value in asdict(each.build).items() if key != "nonce"}),
                "phase": each.outcome.phase,
                "check_run": _plain(asdict(each.outcome.check)) if each.outcome.check else None,
                "reported": _plain(asdict(each.reported)),
                "logs_kept": each.logs,
                "next": _next(each),
            }
            for each in story.builds
        ],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
