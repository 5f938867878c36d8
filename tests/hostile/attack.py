"""What an attack of the corpus is, and what is expected of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import yaml

HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n"
SPEC = (
    HEAD
    + "spec:\n  entrypoint: ci\n  templates:\n  - {name: ci, container: {image: alpine, command: ['true']}}\n"
)
"""A definition that builds; YAML."""
STAR = """
workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": {"entrypoint": "ci", "templates": [
    {"name": "ci", "container": {"image": "alpine", "command": ["true"]}}]}}
"""
"""The same in Starlark."""

Manifest = dict[str, Any]


class Verdict(StrEnum):
    """How an attack ends."""

    REFUSED = "refused"
    """A failed check-run that says where and why; nothing is submitted."""
    EVALUATED = "evaluated"
    """It costs what its limits allow, and comes to an ordinary workflow."""
    HARMLESS = "harmless"
    """Submitted, without what it was after; the attack's `proof` says so."""


@dataclass(frozen=True, slots=True)
class Attack:
    """Files of a CI folder, and what becomes of them.

    `says` is in the words of a refusal. `untrusted`: they come from a fork. `context`: they stand in the folder's tree as
    `context` says instead, links and submodules included. `line` is where a refusal must point; -1: to the file alone.
    """

    name: str
    files: Mapping[str, str]
    verdict: Verdict
    says: str = ""
    line: int = -1
    untrusted: bool = False
    proof: Callable[[Manifest], bool] = field(default=lambda _: True)
    costly: bool = False
    """Seconds of processor time, or much memory: too much for each run of the tests."""


def star(name: str, source: str, says: str, **how: Any) -> Attack:
    """Give an attack by a Starlark definition that is refused."""
    return Attack(name, {"ci.star": source}, Verdict.REFUSED, says, **how)


def star_kept(name: str, source: str, **how: Any) -> Attack:
    """Give one that is evaluated all the same: its source leaves the usual workflow."""
    return Attack(name, {"ci.star": source + STAR}, Verdict.EVALUATED, **how)


def yml(name: str, text: str, says: str, **how: Any) -> Attack:
    """Give an attack by a YAML definition that is refused."""
    return Attack(name, {"ci.yaml": text}, Verdict.REFUSED, says, **how)


def yml_kept(name: str, text: str, **how: Any) -> Attack:
    """Give one that is evaluated all the same."""
    return Attack(name, {"ci.yaml": text}, Verdict.EVALUATED, **how)


def definition(spec: Manifest | None = None, template: Manifest | None = None, /, **metadata: Any) -> str:
    """Write a definition with something in its spec, in its one template, or in its metadata."""
    ci = {"name": "ci", "container": {"image": "alpine", "command": ["true"]}, **(template or {})}
    document = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": metadata,
        "spec": {"entrypoint": "ci", "templates": [ci], **(spec or {})},
    }
    return str(yaml.dump(document, Dumper=yaml.CSafeDumper))  # some are megabytes


def asking(name: str, says: str, spec: Manifest | None = None, template: Manifest | None = None) -> Attack:
    """Give a stranger's workflow that asks for what it may not have."""
    return yml(name, definition(spec, template), says, untrusted=True)


def nested(depth: int, opening: str, closing: str = "") -> str:
    """Repeat what opens, then what closes."""
    return opening * depth + closing * depth


def lines(template: str, count: int) -> Iterator[str]:
    """Give a line for each number."""
    return (template.format(n=n) for n in range(count))
