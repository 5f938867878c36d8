"""What came of something that a person asked for in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """A sentence for who asked, in Markdown with all foreign text in code spans."""

    text: str
    done: bool = True
    """False: it was refused, or could not be done."""
    shown: bool = False
    """What was done shows by itself where the person looks, so that a reaction says enough."""


def refused(text: str) -> Answer:
    """Say why something was not done."""
    return Answer(text, done=False)
