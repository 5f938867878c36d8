"""What is answered to a comment: one reaction, and one comment where there is something to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kubeci.model.conversation import Reaction
from kubeci.policy.commands import Line
from kubeci.report.markdown import code
from kubeci.report.plain import one_line
from kubeci.service.answer import Answer

SUMMARY = 500


@dataclass(frozen=True, slots=True)
class Reply:
    """What GitHub shows under a comment; an empty text: nothing is written."""

    reaction: Reaction
    text: str = ""

    @property
    def summary(self) -> str:
        """Give it in one line, for the delivery's record."""
        how = "done" if self.reaction == "+1" else "refused"
        return one_line(f"{how}: {self.text}" if self.text else how, SUMMARY)


def reply_to(lines: Sequence[Line], answers: Sequence[Answer]) -> Reply:
    """Put the answers to a comment's commands together; several are one list in the commands' order."""
    reaction: Reaction = "+1" if all(each.done for each in answers) else "confused"
    if all(each.shown and each.done for each in answers):
        return Reply(reaction)
    parts = [f"{code(line.line)}: {each.text}" for line, each in zip(lines, answers, strict=True)]
    if len(parts) == 1:
        return Reply(reaction, parts[0])
    return Reply(reaction, "\n".join(f"- {part.replace(chr(10), chr(10) + '  ')}" for part in parts))
