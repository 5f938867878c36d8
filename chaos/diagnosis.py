"""What a person needs to see why a zero is none: the cases, the server's records of them, the ends of its logs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chaos.judge import Due, Verdict
from chaos.replicas import Replicas
from chaos.store import rows, unfinished, unknown
from chaos.world import World

CASES = 12
"""Of each kind; the first ones tell the cause of most."""


async def diagnosis(
    verdict: Verdict, due: Sequence[Due], world: World, replicas: Replicas, store: str
) -> str:
    """Write it."""
    lines = []
    concerned: dict[str, None] = {}
    for name, cases in verdict.faults().items():
        lines.append(f"{name}: {len(cases)}")
        lines += [f"  {case}" for case in cases[:CASES]]
        for case in cases[:CASES]:
            concerned |= dict.fromkeys(each.sha for each in due if each.sha[:8] in case)
    for sha in list(concerned)[:CASES]:
        lines += await _commit(sha, world, store)
    lines.append("deliveries that are not taken:")
    for guid in sorted(await unknown(store, world.unanswered()))[:CASES]:
        tries = [each for each in world.github.deliveries.sent if each.guid == guid]
        lines.append(f"  {guid} {tries[0].event}: {', '.join(each.status for each in tries)}")
    lines.append("deliveries that are not done:")
    lines += [f"  {' '.join(map(_word, row))}" for row in (await unfinished(store))[:CASES]]
    for replica in replicas.each:
        lines += [f"{replica.log}, its end:", *(f"  {line}" for line in replica.last_lines().splitlines())]
    return "\n".join(lines)


async def _commit(sha: str, world: World, store: str) -> list[str]:
    """Give all that is known of a commit."""
    assert re.fullmatch(r"[0-9a-f]{40}", sha)
    lines = [f"{sha}:"]
    lines += [
        f"  check-run {run.id} {run.name!r} {run.status} {run.conclusion} {run.output.get('title')!r}"
        for run in world.github.state.runs.values()
        if run.suite.head_sha == sha
    ]
    for sent in world.github.deliveries.sent:
        if sha in str(sent.payload.get("after")) or sha in str(sent.payload.get("check_suite")) + str(
            sent.payload.get("check_run")
        ):
            again = " again" if sent.redelivery else ""
            action = sent.payload.get("action", "")
            lines.append(f"  GitHub sent{again} {sent.event} {action} {sent.guid}: {sent.status}")
    builds = f"SELECT id, state, entrypoint, check_run_id, workflow_name, workflow_uid, delivery_id, superseded_by, stopped FROM builds WHERE sha = '{sha}'"
    lines += [f"  build {' '.join(map(_word, row))}" for row in await rows(store, builds)]
    asked = f"SELECT id, event, state, attempts, claimed_by, reason FROM deliveries WHERE sha = '{sha}'"
    lines += [f"  delivery {' '.join(map(_word, row))}" for row in await rows(store, asked)]
    lines += [f"  workflow {ran.name} {ran.build}" for ran in world.seen().workflows if ran.sha == sha]
    return lines


def _word(value: object) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return text[:200] or "-"
