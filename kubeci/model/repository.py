"""Where code lives: repositories, refs and commits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as our App sees it: its owner and name, and the installation that lets us in."""

    owner: str
    name: str
    installation_id: int

    @property
    def full_name(self) -> str:
        """Give `owner/name`, as GitHub writes it."""
        return f"{self.owner}/{self.name}"


class RefType(StrEnum):
    """The two kinds of ref that are built; the values are those of `input.ref_type`."""

    BRANCH = "branch"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Ref:
    """A branch or a tag by its short name; the name is empty where GitHub names none (commits of forks)."""

    name: str
    type: RefType = RefType.BRANCH


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of one repository; `sha` is the full hexadecimal id."""

    repository: Repository
    sha: str
