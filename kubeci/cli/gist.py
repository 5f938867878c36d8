"""What a delivery's payload says at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from kubeci.cli.stored import SHORT_SHA, Stored
from kubeci.model.inbox import DeliveryRecord

TALK = frozenset({"pull_request", "issue_comment", "issues"})
"""Events about a pull request or an issue."""


class _Envelope(msgspec.Struct):
    action: str | None = None
    issue: Any = None
    pull_request: Any = None


@dataclass(frozen=True, slots=True)
class Gist:
    """The action that a payload names, such as `requested`, and the number of its pull request or issue; empty, 0: none."""

    action: str = ""
    number: int = 0

    def name(self, record: DeliveryRecord) -> str:
        """Name a delivery's event with its action."""
        return f"{record.event} {self.action}".strip()

    def about(self, record: DeliveryRecord, *, whole: bool = False) -> str:
        """Say what a delivery is about: repository, number, and the commit's sha or the beginning of it."""
        number = f"#{self.number}" if self.number else ""
        return f"{record.repository}{number} {record.sha if whole else record.sha[:SHORT_SHA]}".strip()


async def gist_of(store: Stored, record: DeliveryRecord) -> Gist:
    """Read what a delivery's payload says; nothing where it cannot be read."""
    delivery = await store.inbox.get(record.id)
    if delivery is None:
        return Gist()
    try:
        envelope = msgspec.json.decode(delivery.payload, type=_Envelope)
    except (msgspec.DecodeError, UnicodeError):
        return Gist()
    of = (envelope.pull_request or envelope.issue) if record.event in TALK else None
    number = of.get("number") if isinstance(of, dict) else 0
    return Gist(envelope.action or "", number if isinstance(number, int) else 0)
