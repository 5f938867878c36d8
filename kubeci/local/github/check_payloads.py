"""Check suites, check-runs and annotations as GitHub's JSON, the same in REST answers and webhooks."""

from __future__ import annotations

from kubeci.local.github import git
from kubeci.local.github.conclusions import latest, summed_up
from kubeci.local.github.git_content import Commit, Signature
from kubeci.local.github.payloads import api_url, app_json, node_id, pull_json, repository_json
from kubeci.local.github.state import CheckRun, CheckSuite, State, timestamp
from kubeci.model.json import JsonObject


def simple_commit(commit: Commit) -> JsonObject:
    """Give a commit as check suites and push events name it."""

    def who(signature: Signature) -> JsonObject:
        return {"name": signature.name, "email": signature.email}

    return {
        "id": commit.oid,
        "tree_id": commit.tree,
        "message": commit.message,
        "timestamp": timestamp(commit.committer.date),
        "author": who(commit.author),
        "committer": who(commit.committer),
    }


async def pulls_json(state: State, suite: CheckSuite) -> list[JsonObject]:
    """Give the suite's pull requests: the open ones of its branch, matched by branch and not by sha."""
    pulls = state.pulls_of(suite.repository, suite.head_branch)
    if not pulls:
        return []
    heads = await git.refs(suite.repository.path, "refs/heads/")
    entries = []
    for pull in pulls:
        shas = (heads.get(f"refs/heads/{pull.head_ref}", ""), heads.get(f"refs/heads/{pull.base_ref}", ""))
        entries.append(pull_json(state, pull, shas))
    return entries


async def suite_json(state: State, suite: CheckSuite) -> JsonObject:
    """Give a check suite as events and answers hold it, without its repository."""
    runs = state.runs_of(suite)
    status, conclusion = summed_up(suite, runs)
    url = api_url(state, f"/repos/{suite.repository.full_name}/check-suites/{suite.id}")
    return {
        "id": suite.id,
        "node_id": node_id("CheckSuite", suite.id),
        "head_branch": suite.head_branch,
        "head_sha": suite.head_sha,
        "status": status,
        "conclusion": conclusion,
        "url": url,
        "before": suite.before,
        "after": suite.head_sha,
        "pull_requests": await pulls_json(state, suite),
        "app": app_json(state),
        "created_at": timestamp(suite.created_at),
        "updated_at": timestamp(suite.updated_at),
        "rerequestable": True,
        "runs_rerequestable": True,
        "latest_check_runs_count": len(latest(runs)),
        "check_runs_url": f"{url}/check-runs",
        "head_commit": suite.head_commit,
    }


async def suite_answer(state: State, suite: CheckSuite) -> JsonObject:
    """Give a check suite as the REST API answers it."""
    return {**await suite_json(state, suite), "repository": repository_json(state, suite.repository)}


async def run_json(state: State, run: CheckRun) -> JsonObject:
    """Give a check-run as the REST API answers it."""
    repository = run.suite.repository
    url = api_url(state, f"/repos/{repository.full_name}/check-runs/{run.id}")
    return {
        "id": run.id,
        "node_id": node_id("CheckRun", run.id),
        "head_sha": run.suite.head_sha,
        "name": run.name,
        "external_id": run.external_id,
        "url": url,
        "html_url": run_page(state, run),
        "details_url": run.details_url,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": run.started_at,
        "completed_at": run.completed_at,
        "output": {
            "title": run.output.get("title"),
            "summary": run.output.get("summary"),
            "text": run.output.get("text"),
            "annotations_count": len(run.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": run.suite.id},
        "app": app_json(state),
        "pull_requests": await pulls_json(state, run.suite),
    }


async def run_event(state: State, run: CheckRun) -> JsonObject:
    """Give a check-run as events hold it: with its suite."""
    suite = await suite_json(state, run.suite)
    for key in (
        "latest_check_runs_count",
        "check_runs_url",
        "head_commit",
        "rerequestable",
        "runs_rerequestable",
    ):
        del suite[key]
    return {**await run_json(state, run), "check_suite": suite}


def annotations_json(state: State, run: CheckRun) -> list[JsonObject]:
    """Give a check-run's annotations, in the order they were sent."""
    blob = f"{state.base_url}/{run.suite.repository.full_name}/blob/{run.suite.head_sha}"
    return [{**annotation, "blob_href": f"{blob}/{annotation['path']}"} for annotation in run.annotations]


def run_page(state: State, run: CheckRun) -> str:
    """Give the address of a check-run's page."""
    return f"{state.base_url}/{run.suite.repository.full_name}/runs/{run.id}"
