"""What the pages show, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from kubeci.local.github import git
from kubeci.local.github.conclusions import latest, summed_up
from kubeci.local.github.git_content import Commit, read_commit
from kubeci.local.github.state import CheckRun, CheckSuite, Repository, State
from kubeci.model.json import JsonObject

COMMITS_SHOWN = 10
CONTEXT_LINES = 2
LINES_SHOWN = 12
LINE_WIDTH = 400
_WORDS = {
    "success": "Successful",
    "failure": "Failed",
    "cancelled": "Cancelled",
    "timed_out": "Timed out",
    "action_required": "Action required",
    "neutral": "Neutral",
    "skipped": "Skipped",
    "in_progress": "In progress",
    "queued": "Queued",
}


def outcome(status: str, conclusion: str | None) -> str:
    """Give the one word that picks icon and colour: the conclusion, or the status until there is one."""
    return conclusion or status


def word(outcome_: str) -> str:
    """Give an outcome as a person says it."""
    return _WORDS.get(outcome_, outcome_)


def duration(run: CheckRun, now: datetime) -> str:
    """Say how long a check-run took, or has been at work; empty while it waits."""
    if run.status == "queued" or run.started_at is None:
        return ""
    end = datetime.fromisoformat(run.completed_at) if run.completed_at else now
    start = datetime.fromisoformat(run.started_at)
    if start.tzinfo is None or end.tzinfo is None:
        return ""
    seconds = max(0, round((end - start).total_seconds()))
    hours, minutes = divmod(seconds // 60, 60)
    return (
        " ".join(f"{n}{unit}" for n, unit in ((hours, "h"), (minutes, "m"), (seconds % 60, "s")) if n) or "0s"
    )


@dataclass(frozen=True, slots=True)
class RunRow:
    """A check-run in a list."""

    run: CheckRun
    outcome: str
    duration: str


def run_rows(state: State, suite: CheckSuite) -> list[RunRow]:
    """List a suite's newest check-runs by name."""
    now = state.now()
    runs = sorted(latest(state.runs_of(suite)), key=lambda each: each.name)
    return [RunRow(run, outcome(run.status, run.conclusion), duration(run, now)) for run in runs]


@dataclass(frozen=True, slots=True)
class Row:
    """A commit in a list, with the state of its checks."""

    commit: Commit
    outcome: str
    done: str

    @property
    def headline(self) -> str:
        """Give the message's first line."""
        return self.commit.message.split("\n", 1)[0]


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch with its newest commits."""

    name: str
    rows: list[Row]


def row(state: State, repository: Repository, commit: Commit) -> Row:
    """Sum up a commit's checks."""
    suite = state.suite_of(repository, commit.oid)
    runs = latest(state.runs_of(suite)) if suite else []
    if suite is None or not runs:
        return Row(commit, "", "")
    finished = sum(1 for run in runs if run.status == "completed")
    return Row(commit, outcome(*summed_up(suite, runs)), f"{finished} / {len(runs)}")


async def branches(state: State, repository: Repository) -> list[Branch]:
    """List the branches, the default one first, each with its newest commits."""
    heads = await git.refs(repository.path, "refs/heads/")
    names = sorted(heads, key=lambda ref: (ref != f"refs/heads/{repository.default_branch}", ref))
    shown = []
    async with git.objects(repository.path) as objects:
        for ref in names:
            listed = await git.git(
                repository.path, "rev-list", f"--max-count={COMMITS_SHOWN}", heads[ref], "--"
            )
            rows = []
            for oid in listed.decode().split():
                found = await objects.get(oid)
                assert found is not None
                rows.append(row(state, repository, read_commit(oid, found.content)))
            shown.append(Branch(ref.removeprefix("refs/heads/"), rows))
    return shown


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of a file; `marked` where the annotation stands."""

    number: int
    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class ShownAnnotation:
    """An annotation with the source around it."""

    annotation: JsonObject
    source: list[SourceLine]


@dataclass(slots=True)
class AnnotatedFile:
    """A file's annotations, in the order of their lines."""

    path: str
    annotations: list[ShownAnnotation] = field(default_factory=list)


async def annotated_files(suite: CheckSuite, annotations: list[JsonObject]) -> list[AnnotatedFile]:
    """Group annotations by file and read the lines that they are about."""
    files: dict[str, AnnotatedFile] = {}
    texts: dict[str, list[str]] = {}
    async with git.objects(suite.repository.path) as objects:
        for annotation in sorted(annotations, key=lambda each: (each["path"], each["start_line"])):
            path = annotation["path"]
            if path not in texts:
                found = await objects.get(f"{suite.head_sha}:{path}")
                blob = found.content if found is not None and found.type == "blob" else b""
                texts[path] = blob.decode("utf-8", "replace").splitlines()
            shown = ShownAnnotation(
                annotation, _around(texts[path], annotation["start_line"], annotation["end_line"])
            )
            files.setdefault(path, AnnotatedFile(path)).annotations.append(shown)
    return list(files.values())


def _around(lines: list[str], start: int, end: int) -> list[SourceLine]:
    if start > len(lines):
        return []
    first = max(1, start - CONTEXT_LINES)
    last = min(len(lines), end + CONTEXT_LINES, first + LINES_SHOWN - 1)
    return [
        SourceLine(number, lines[number - 1][:LINE_WIDTH], start <= number <= end)
        for number in range(first, last + 1)
    ]
