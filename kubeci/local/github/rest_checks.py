"""Check suites and check-runs over REST."""

from __future__ import annotations

from starlette.responses import Response

from kubeci.local.github import check_input
from kubeci.local.github.calls import Call, Operation
from kubeci.local.github.check_payloads import annotations_json, run_json, suite_answer
from kubeci.local.github.conclusions import latest
from kubeci.local.github.errors import ApiError, invalid_field, not_found
from kubeci.local.github.rest_git import find_commit
from kubeci.local.github.state import CheckRun, CheckSuite, timestamp
from kubeci.model.json import JsonObject


async def create_run(call: Call) -> Response:
    """Answer `POST …/check-runs`."""
    body = check_input.check(call.body, creating=True)
    sha = str(body["head_sha"])
    suite = None
    if len(sha) == 40:
        suite = await call.services.events.suite(call.repository, sha, None, None)
    if suite is None or suite.head_sha != sha:
        raise ApiError(422, f"No commit found for SHA: {sha}")
    state = call.state
    run = CheckRun(
        id=state.new_id(),
        suite=suite,
        name=str(body["name"]),
        status="queued",
        conclusion=None,
        started_at=timestamp(state.now()),
        completed_at=None,
        details_url=state.base_url,  # the App's own page, when the request names none
        external_id="",
    )
    _apply(run, body, timestamp(state.now()))
    state.add_run(run)
    done = run.status == "completed"
    await call.services.events.run_changed(run, call.sender, created=True, completed=done)
    return call.answer(await run_json(state, run), 201)


async def update_run(call: Call) -> Response:
    """Answer `PATCH …/check-runs/{check_run_id}`."""
    run = _run(call)
    body = check_input.check(call.body, creating=False)
    before = run.status
    if before == "completed" and "conclusion" not in body and body.get("status") in {"queued", "in_progress"}:
        # A finished attempt stays finished: a new attempt is a new check-run.
        raise invalid_field("CheckRun", "status", "invalid", "A completed check run cannot be reopened")
    _apply(run, body, timestamp(call.state.now()))
    done = run.status == "completed" and before != "completed"
    await call.services.events.run_changed(run, call.sender, created=False, completed=done)
    return call.answer(await run_json(call.state, run))


def _apply(run: CheckRun, body: JsonObject, now: str) -> None:
    run.name = body.get("name", run.name)
    run.details_url = body.get("details_url", run.details_url)
    run.external_id = body.get("external_id", run.external_id)
    run.started_at = body.get("started_at", run.started_at)
    run.status = body.get("status", run.status)
    if "conclusion" in body:
        run.status, run.conclusion = "completed", body["conclusion"]
        run.completed_at = body.get("completed_at", now)
    if "output" in body:
        output = body["output"]
        run.output = {key: output.get(key) for key in ("title", "summary", "text")}
        run.annotations.extend(output["annotations"])
    if "actions" in body:
        run.actions = list(body["actions"])


def _run(call: Call) -> CheckRun:
    run = call.state.runs.get(call.number("check_run_id"))
    if run is None or run.suite.repository is not call.repository:
        raise not_found()
    return run


def _suite(call: Call) -> CheckSuite:
    suite = call.state.suites.get(call.number("check_suite_id"))
    if suite is None or suite.repository is not call.repository:
        raise not_found()
    return suite


async def get_run(call: Call) -> Response:
    """Answer `GET …/check-runs/{check_run_id}`."""
    return call.answer(await run_json(call.state, _run(call)))


async def list_annotations(call: Call) -> Response:
    """Answer `GET …/check-runs/{check_run_id}/annotations`."""
    return call.answer(call.page(annotations_json(call.state, _run(call))))


async def rerequest_run(call: Call) -> Response:
    """Answer `POST …/check-runs/{check_run_id}/rerequest`."""
    run = _run(call)
    run.suite.reopened = True
    await call.services.events.run_action(run, "rerequested", call.sender)
    return call.answer({}, 201)


async def get_suite(call: Call) -> Response:
    """Answer `GET …/check-suites/{check_suite_id}`."""
    return call.answer(await suite_answer(call.state, _suite(call)))


async def rerequest_suite(call: Call) -> Response:
    """Answer `POST …/check-suites/{check_suite_id}/rerequest`."""
    suite = _suite(call)
    suite.reopened = True
    await call.services.events.suite_action(suite, "rerequested", call.sender)
    return call.answer({}, 201)


async def suite_runs(call: Call) -> Response:
    """Answer `GET …/check-suites/{check_suite_id}/check-runs`."""
    return await _listed(call, call.state.runs_of(_suite(call)))


async def ref_suites(call: Call) -> Response:
    """Answer `GET …/commits/{ref}/check-suites`."""
    suite = await _suite_of_ref(call)
    suites = (
        [suite]
        if suite is not None and call.query("app_id", str(call.state.app.id)) == str(call.state.app.id)
        else []
    )
    page = [await suite_answer(call.state, each) for each in call.page(suites)]
    return call.answer({"total_count": len(suites), "check_suites": page})


async def ref_runs(call: Call) -> Response:
    """Answer `GET …/commits/{ref}/check-runs`."""
    suite = await _suite_of_ref(call)
    return await _listed(call, call.state.runs_of(suite) if suite is not None else [])


async def _suite_of_ref(call: Call) -> CheckSuite | None:
    commit = await find_commit(call.repository, call.text("ref"))
    return call.state.suite_of(call.repository, commit.oid)


async def _listed(call: Call, runs: list[CheckRun]) -> Response:
    app_id = call.query("app_id")
    kept = [
        run
        for run in runs
        if call.query("check_name", run.name) == run.name
        and call.query("status", run.status) == run.status
        and (not app_id or app_id == str(call.state.app.id))
    ]
    if call.query("filter", "latest") != "all":
        kept = latest(kept)
    page = [await run_json(call.state, run) for run in call.page(kept)]
    return call.answer({"total_count": len(kept), "check_runs": page})


_REPO = "/repos/{owner}/{repo}"
_RUN = f"{_REPO}/check-runs/{{check_run_id}}"
_SUITE = f"{_REPO}/check-suites/{{check_suite_id}}"
OPERATIONS = [
    Operation("POST", f"{_REPO}/check-runs", create_run, "checks:write", creates=True),
    Operation("GET", _RUN, get_run, "checks:read"),
    Operation("PATCH", _RUN, update_run, "checks:write", creates=True),
    Operation("GET", f"{_RUN}/annotations", list_annotations, "checks:read"),
    Operation("POST", f"{_RUN}/rerequest", rerequest_run, "checks:write", creates=True),
    Operation("GET", _SUITE, get_suite, "checks:read"),
    Operation("POST", f"{_SUITE}/rerequest", rerequest_suite, "checks:write", creates=True),
    Operation("GET", f"{_SUITE}/check-runs", suite_runs, "checks:read"),
    Operation("GET", f"{_REPO}/commits/{{ref:path}}/check-runs", ref_runs, "checks:read"),
    Operation("GET", f"{_REPO}/commits/{{ref:path}}/check-suites", ref_suites, "checks:read"),
]
