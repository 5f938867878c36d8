"""Compare what GitHub and the cluster show with what is due: pure, and the only place that decides about zeros."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TypeAlias, TypeVar

K = TypeVar("K", bound=Hashable)

Remark: TypeAlias = tuple[str, int, str]
"""An annotation of a check-run: path, line, message."""


@dataclass(frozen=True, slots=True)
class Due:
    """One check-run that an event must leave: its commit and name, how it may end, what its logs remark."""

    kind: str
    """What asked for it, for people."""
    repository: str
    sha: str
    name: str
    conclusions: frozenset[str]
    remarks: int = 0
    """Annotations that its logs hold, each once."""
    workflow: bool = True
    """It has a workflow of its own."""

    @property
    def place(self) -> Place:
        """Give where it is looked for."""
        return (self.repository, self.sha, self.name)


Place: TypeAlias = tuple[str, str, str]
"""Repository, sha, and name of a check-run."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A check-run that GitHub shows; `conclusion` is empty while it is open."""

    id: int
    repository: str
    sha: str
    name: str
    conclusion: str
    remarks: tuple[Remark, ...] = ()

    @property
    def place(self) -> Place:
        """Give what it is compared by."""
        return (self.repository, self.sha, self.name)


@dataclass(frozen=True, slots=True)
class Ran:
    """A workflow that the cluster holds or held; `build` is what tells its build from all others."""

    repository: str
    sha: str
    name: str
    build: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is at one moment; `deployments` are the newest states of those that ask for a run, by id."""

    check_runs: Sequence[Shown]
    workflows: Sequence[Ran] = ()
    deployments: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is not as it must be: each field lists its cases in words, and none of them may hold any."""

    lost: tuple[str, ...] = ()
    """A check-run is due that is not there, or never ended."""
    wrong: tuple[str, ...] = ()
    """It ended, but not as its definition says."""
    left_open: tuple[str, ...] = ()
    doubled_check_runs: tuple[str, ...] = ()
    """More check-runs than were asked for, or such as nobody asked for."""
    doubled_workflows: tuple[str, ...] = ()
    remarks_lost: tuple[str, ...] = ()
    remarks_doubled: tuple[str, ...] = ()

    def faults(self) -> dict[str, tuple[str, ...]]:
        """Give all that is wrong, by field."""
        return {each.name: found for each in fields(self) if (found := getattr(self, each.name))}


def judge(due: Iterable[Due], seen: Seen) -> Verdict:
    """Hold what is seen against what is due; where commit and name are the same, only their number tells dues apart."""
    wanted: defaultdict[Place, list[Due]] = defaultdict(list)
    for each in due:
        wanted[each.place].append(each)
    shown: defaultdict[Place, list[Shown]] = defaultdict(list)
    for run in sorted(seen.check_runs, key=lambda run: run.id):
        shown[run.place].append(run)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for place in wanted.keys() | shown.keys():
        _compare(wanted.get(place, []), shown.get(place, []), found)
    found["doubled_workflows"] = _workflows(wanted, seen.workflows)
    found["lost"] += [
        f"deployment {number} is {state or 'without a status'}"
        for number, state in seen.deployments.items()
        if state not in {"success", "failure", "error", "inactive"}
    ]
    return Verdict(**{name: tuple(sorted(cases)) for name, cases in found.items()})


def _compare(due: list[Due], shown: list[Shown], found: defaultdict[str, list[str]]) -> None:
    ended = [run for run in shown if run.conclusion]
    where = _words((due or shown)[0].place)
    kinds = "+".join(each.kind for each in due)
    found["left_open"] += [f"{where}: check-run {run.id} ({kinds})" for run in shown if not run.conclusion]
    found["lost"] += [f"{where} ({kinds}): {len(ended)} of {len(due)} ended"] * (len(due) - len(ended))
    if len(shown) > len(due):
        told = f"{where}: {len(shown)} check-runs, {len(due)} asked for ({kinds or 'by nobody'})"
        found["doubled_check_runs"] += [told] * (len(shown) - len(due))
    conclusions = Counter(run.conclusion for run in ended)
    for each in sorted(due, key=lambda one: len(one.conclusions)):
        fit = next((one for one in sorted(each.conclusions) if conclusions[one]), "")
        conclusions[fit] -= 1
        if not fit and len(ended) >= len(due):
            ends = ", ".join(run.conclusion for run in ended)
            found["wrong"].append(
                f"{where} ({each.kind}): {ends}, not {' or '.join(sorted(each.conclusions))}"
            )
    if due:
        _remarks(due[0].remarks, ended[: len(due)], where, found)


def _remarks(due: int, ended: list[Shown], where: str, found: defaultdict[str, list[str]]) -> None:
    for run in ended:
        if run.conclusion not in {"success", "failure"}:  # stopped: how much its log holds is chance
            continue
        different = len(set(run.remarks))
        missing, again = due - different, len(run.remarks) - different
        found["remarks_lost"] += [f"{where}: check-run {run.id} has {different} of {due}"] * missing
        found["remarks_doubled"] += [f"{where}: check-run {run.id}"] * (again + max(0, -missing))


def _workflows(wanted: Mapping[Place, list[Due]], workflows: Sequence[Ran]) -> list[str]:
    """List workflows of one build, and those beyond what a commit's dues ask for."""
    doubled = []
    for build, ran in _by(workflows, lambda each: each.build).items():
        names = ", ".join(each.name for each in ran)
        doubled += [f"build {build}: {names}"] * (len(ran) - 1)
    asked = Counter(
        (each.repository, each.sha) for place in wanted.values() for each in place if each.workflow
    )
    for commit, ran in _by(workflows, lambda each: (each.repository, each.sha)).items():
        builds = {each.build for each in ran}
        told = f"{commit[0]} {commit[1][:8]}: {len(builds)} workflows, {asked[commit]} asked for"
        doubled += [told] * (len(builds) - asked[commit])
    return doubled


def _by(workflows: Sequence[Ran], key: Callable[[Ran], K]) -> dict[K, list[Ran]]:
    groups: defaultdict[K, list[Ran]] = defaultdict(list)
    for each in workflows:
        groups[key(each)].append(each)
    return groups


def _words(place: Place) -> str:
    return f"{place[0]} {place[1][:8]} {place[2]!r}"
