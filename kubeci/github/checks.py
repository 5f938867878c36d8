"""Check-runs of our App (docs.github.com/rest/checks/runs)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Any

from kubeci.errors import Invalid
from kubeci.github.app import GitHubApp
from kubeci.github.request import Request
from kubeci.model.check_run import Annotation, CheckRun
from kubeci.model.json import JsonObject
from kubeci.model.report import Budget
from kubeci.model.repository import Commit, Repository
from kubeci.model.trace import StepKind
from kubeci.tracing import note

CHECK_RUNS = "/repos/{owner}/{repo}/check-runs"
CHECK_RUN = "/repos/{owner}/{repo}/check-runs/{check_run_id}"
CHECK_RUNS_OF_REF = "/repos/{owner}/{repo}/commits/{ref}/check-runs"

MAX_ANNOTATIONS = 50  # in one request; GitHub appends them
MAX_TEXT_BYTES = 65_535  # of summary and of text
MAX_TITLE = 255
MAX_MESSAGE_BYTES = 65_536  # of an annotation
MAX_ACTIONS = 3
PAGE = 100
MAX_PAGES = 10


class GitHubChecks:
    """Fulfils the port `Checks`."""

    def __init__(self, app: GitHubApp) -> None:
        self._app = app

    async def create(self, commit: Commit, check: CheckRun, annotations: Iterable[Annotation] = ()) -> int:
        """Create a check-run with at most 50 annotations; sent once, as each repetition would make another."""
        body = {**_with_annotations(check, annotations), "head_sha": commit.sha}
        answer = await self._app.send(commit.repository, Request("POST", CHECK_RUNS, body=body))
        number = int(answer["id"])
        _noted("created", number, check, body)
        return number

    async def update(
        self,
        repository: Repository,
        check_run_id: int,
        check: CheckRun,
        annotations: Iterable[Annotation] = (),
    ) -> None:
        """Bring a check-run to this content and append at most 50 annotations; more are `Invalid`."""
        body = _with_annotations(check, annotations)
        # Annotations are appended, so a repetition of a request that was done would show them twice.
        repeatable = "annotations" not in body["output"]
        request = Request(
            "PATCH", CHECK_RUN, parameters={"check_run_id": check_run_id}, body=body, repeatable=repeatable
        )
        await self._app.send(repository, request)
        _noted("updated", check_run_id, check, body)

    async def find(self, commit: Commit, check: CheckRun) -> int | None:
        """Find the newest check-run of ours with this name and details URL on the commit."""
        for page in range(1, MAX_PAGES + 1):
            request = Request(
                "GET",
                CHECK_RUNS_OF_REF,
                parameters={"ref": commit.sha},
                query={
                    "check_name": check.name,
                    "filter": "all",
                    "app_id": self._app.app_id,
                    "per_page": PAGE,
                    "page": page,
                },
                repeatable=True,
            )
            runs = (await self._app.send(commit.repository, request))["check_runs"]
            found = [int(run["id"]) for run in runs if _is(run, check, self._app.app_id)]
            if found:
                return max(found)
            if len(runs) < PAGE:
                break
        return None

    async def annotations_count(self, repository: Repository, check_run_id: int) -> int:
        """Count the annotations that GitHub holds for a check-run."""
        return int((await self._read(repository, check_run_id))["output"]["annotations_count"])

    async def begun_at(self, repository: Repository, check_run_id: int) -> datetime | None:
        """Give when a check-run was begun; GitHub sets it when it creates one, as we never name a time."""
        said = (await self._read(repository, check_run_id)).get("started_at")
        try:
            at = datetime.fromisoformat(said) if isinstance(said, str) else None
        except ValueError:
            return None
        return at if at and at.tzinfo else None

    async def _read(self, repository: Repository, check_run_id: int) -> Any:
        request = Request("GET", CHECK_RUN, parameters={"check_run_id": check_run_id}, repeatable=True)
        return await self._app.send(repository, request)

    def budget(self, repository: Repository) -> Budget:
        """Say what is left of the installation's requests, as of the last answer."""
        return self._app.budget(repository)


def _noted(done: str, number: int, check: CheckRun, body: JsonObject) -> None:
    remarks = len(body["output"].get("annotations", ()))
    how = f"{check.conclusion or check.status}: {check.title}"
    with_remarks = f", {remarks} annotations" if remarks else ""
    note(StepKind.REPORTED, f"check-run {number} {done}: {check.name}: {how}{with_remarks}")


def content(check: CheckRun) -> JsonObject:
    """Write a check-run's content as GitHub's API takes it, cut where GitHub would refuse it.

    Fields that are empty are left out, but for `text`: an earlier text would stay.
    """
    body: JsonObject = {
        "name": check.name,
        "status": check.status.value,
        "output": {
            "title": check.title[:MAX_TITLE],
            "summary": _cut(check.summary, MAX_TEXT_BYTES),
            "text": _cut(check.text, MAX_TEXT_BYTES),
        },
        "actions": [
            {
                "label": action.label[:20],
                "description": action.description[:40],
                "identifier": action.identifier[:20],
            }
            for action in check.actions[:MAX_ACTIONS]
        ],
    }
    if check.conclusion:
        body["conclusion"] = check.conclusion.value
    if check.details_url:
        body["details_url"] = check.details_url
    if check.external_id:
        body["external_id"] = check.external_id
    return body


def _with_annotations(check: CheckRun, annotations: Iterable[Annotation]) -> JsonObject:
    body = content(check)
    added = [_annotation(annotation) for annotation in islice(annotations, MAX_ANNOTATIONS + 1)]
    if len(added) > MAX_ANNOTATIONS:
        raise Invalid(f"GitHub takes {MAX_ANNOTATIONS} annotations in a request")
    if added:
        body["output"]["annotations"] = added
    return body


def _cut(text: str, limit: int) -> str:
    """Cut a text to so many bytes, on a character's boundary."""
    return text.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")


def _annotation(annotation: Annotation) -> JsonObject:
    return {
        "path": annotation.path,
        "start_line": annotation.line,
        "end_line": annotation.line,
        "annotation_level": annotation.level,
        "message": _cut(annotation.message, MAX_MESSAGE_BYTES),
    }


def _is(run: JsonObject, check: CheckRun, app_id: int) -> bool:
    ours = (run.get("app") or {}).get("id") == app_id
    return ours and run.get("name") == check.name and run.get("details_url") == check.details_url
