"""The rooms around the reconciler, small and in memory: a clock, GitHub's check-runs, the cluster."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kubeci.errors import Invalid, NotFound
from kubeci.github.checks import content
from kubeci.local.github import check_input
from kubeci.model.check_run import Annotation, CheckRun
from kubeci.model.json import JsonObject
from kubeci.model.report import Budget
from kubeci.model.repository import Commit, Repository

REPOSITORY = Repository("acme", "widgets", 1)
LINES_A_POD = 2


@dataclass
class Clock:
    """The time, which moves only when it is told to."""

    moment: datetime = datetime(2026, 11, 21, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


@dataclass
class Run:
    """A check-run as GitHub holds it."""

    commit: Commit
    body: JsonObject
    annotations: list[JsonObject] = field(default_factory=list)
    writes: int = 0


@dataclass
class MemoryChecks:
    """Check-runs under GitHub's rules: limits, keys, annotations appended, and what is completed stays so."""

    runs: dict[int, Run] = field(default_factory=dict)

    async def create(self, commit: Commit, check: CheckRun, annotations: Iterable[Annotation] = ()) -> int:
        run = Run(commit, {})
        self._write(run, check, annotations)
        number = 100 + len(self.runs)
        self.runs[number] = run
        return number

    async def update(
        self,
        repository: Repository,
        check_run_id: int,
        check: CheckRun,
        annotations: Iterable[Annotation] = (),
    ) -> None:
        assert repository == REPOSITORY
        run = self.runs[check_run_id]
        if run.body["status"] == "completed" and not check.conclusion:
            raise Invalid("a completed check-run cannot be reopened", status=422)
        self._write(run, check, annotations)

    async def find(self, commit: Commit, check: CheckRun) -> int | None:
        wanted = content(check)
        found = [
            number
            for number, run in self.runs.items()
            if run.commit == commit and all(run.body[key] == wanted[key] for key in ("name", "details_url"))
        ]
        return max(found, default=None)

    async def annotations_count(self, repository: Repository, check_run_id: int) -> int:
        assert repository == REPOSITORY
        return len(self.runs[check_run_id].annotations)

    async def begun_at(self, repository: Repository, check_run_id: int) -> datetime | None:
        raise NotImplementedError

    def budget(self, repository: Repository) -> Budget:
        assert repository == REPOSITORY
        return Budget(5000, 5000)

    def _write(self, run: Run, check: CheckRun, annotations: Iterable[Annotation]) -> None:
        body = content(check)
        body["output"]["annotations"] = [
            {
                "path": remark.path,
                "start_line": remark.line,
                "end_line": remark.line,
                "annotation_level": remark.level,
                "message": remark.message,
            }
            for remark in annotations
        ]
        checked = check_input.check(body | {"head_sha": run.commit.sha}, creating=True)
        run.annotations += checked["output"].pop("annotations")
        run.body = checked
        run.writes += 1


@dataclass
class MemoryCluster:
    """The cluster's side: the workflow as it is now, what was annotated, and the logs of the pods that exist."""

    pods: frozenset[str]
    current: JsonObject | None = None
    annotated: dict[str, str] = field(default_factory=dict)
    log_reads: int = 0

    async def get(self, namespace: str, name: str) -> JsonObject:
        if self.current is None:
            raise NotFound(f"there is no workflow {namespace}/{name}", status=404)
        return self.current

    async def annotate(self, namespace: str, name: str, annotations: Mapping[str, str]) -> None:
        await self.get(namespace, name)
        self.annotated |= annotations

    async def read(
        self, _namespace: str, pod: str, container: str, *, follow: bool = False
    ) -> AsyncGenerator[bytes, None]:
        assert not follow
        assert container == "main"
        if pod not in self.pods:
            raise NotFound(f"there is no pod {pod}", status=404)
        self.log_reads += 1
        for line in range(1, LINES_A_POD + 1):
            yield f"src/{pod}.py:{line}: error: remark {line}\n".encode()
