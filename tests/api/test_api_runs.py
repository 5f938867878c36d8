"""Runs are rendered, started, listed, stopped and repeated over HTTP, and GitHub shows them."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from api_kit import NAMESPACE, OTHER, REPOSITORY, SHA, Api, steps

from kubeci.local.cluster.resources import PODS, WORKFLOWS
from kubeci.web.api import shapes

DEFINITION = {".kube-ci/ci.yaml": steps("echo hello")}
STARLARK = """
print("for " + input.ref)
workflow = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "spec": {
        "entrypoint": "ci",
        "templates": [{"name": "ci", "container": {"image": "alpine", "command": ["true"]}}],
    },
}
"""


def check_runs(api: Api, sha: str) -> list[Any]:
    return [run for run in api.stack.github.state.runs.values() if run.suite.head_sha == sha]


async def test_a_dry_run_renders_and_leaves_no_trace(still: Api) -> None:
    sha = await still.push({"README.md": "none"})
    rendered = await still.run(sha, ci_context={"/ci.star": STARLARK}, by="renderer")
    assert rendered.status_code == 200, rendered.text
    assert rendered.headers["content-type"] == "application/json"
    assert rendered.headers["cache-control"] == "no-store"
    body = rendered.json()
    assert body.keys() == {"workflow", "debug"}
    assert body["workflow"]["spec"]["entrypoint"] == "ci"
    assert {"name": "revision", "value": sha} in body["workflow"]["spec"]["arguments"]["parameters"]
    assert body["debug"] == "ci.star:2: for main"
    assert check_runs(still, sha) == []
    assert (await still("GET", "/runs")).json() == {"runs": [], "next": None}


async def test_without_a_context_the_repository_s_files_are_rendered(still: Api) -> None:
    sha = await still.push({".kube-ci/ci.yaml": steps("echo from the repository")})
    body = (await still.run(sha)).json()
    assert body["workflow"]["spec"]["templates"][1]["container"]["command"][2] == "echo from the repository"


async def test_a_run_has_its_check_run_steps_and_annotations(api: Api) -> None:
    sha = await api.push({"README.md": "none"})
    line = "src/a.py:3: error: wrong"
    started = await api.run(sha, ci_context={"ci.yaml": steps(f"echo '{line}'")}, run=True, by="runner")
    assert started.status_code == 201, started.text
    assert msgspec.json.decode(started.content, type=shapes.Submission).run.repository == REPOSITORY
    body = started.json()
    run = body["run"]
    assert (run["repository"], run["sha"], run["what"], run["actor"]) == (
        REPOSITORY,
        sha,
        "api",
        "api:runner",
    )
    assert body["workflow"]["metadata"]["name"] == run["workflow"]["name"]
    found = await api.ended(run["id"])
    assert found["run"]["conclusion"] == "success"
    assert [(step["label"], step["phase"]) for step in found["steps"]] == [("step-0", "Succeeded")]
    assert found["annotations"] == [{"path": "src/a.py", "line": 3, "level": "failure", "message": "wrong"}]
    [check] = check_runs(api, sha)
    assert (check.name, check.conclusion) == (run["check_name"], "success")
    async with asyncio.timeout(10):
        page = await api.client.get(found["run"]["links"]["check_run"])
    assert page.status_code == 200
    assert run["check_name"] in page.text


async def test_the_same_key_is_the_same_run(still: Api) -> None:
    sha = await still.push({"README.md": "none"})
    context = {"ci.yaml": steps("true")}
    both = await asyncio.gather(
        *(still.run(sha, ci_context=context, run=True, key="release-7") for _ in range(2))
    )
    again = await still.run(sha, ci_context=context, run=True, key="release-7")
    ids = {answer.json()["run"]["id"] for answer in (*both, again)}
    assert len(ids) == 1
    assert again.status_code == 200
    assert len(check_runs(still, sha)) == 1
    others = await still.run(sha, ci_context=context, run=True, key="release-7", by="runner")
    assert others.json()["run"]["id"] not in ids
    newer = await still.push({"README.md": "another"})
    refused = await still.run(newer, ci_context=context, run=True, key="release-7")
    assert refused.status_code == 409
    assert "Idempotency-Key" in refused.json()["message"]


async def test_what_cannot_be_rendered_is_not_run(still: Api) -> None:
    sha = await still.push({"README.md": "none"})
    star = "print('so far')\nfail('on purpose')\n"
    for run in (False, True):
        refused = await still.run(sha, ci_context={"ci.star": star}, run=run)
        assert refused.status_code == 422, refused.text
        body = refused.json()
        assert "on purpose" in body["message"]
        assert body["debug"] == "ci.star:1: so far"
        assert body["where"] == {"path": ".kube-ci/ci.star", "line": 2, "column": 1}
    assert check_runs(still, sha) == []
    assert (await still("GET", "/runs")).json()["runs"] == []


async def test_a_run_is_stopped_then_terminated(still: Api) -> None:
    sha = await still.push({"README.md": "none"})
    started = await still.run(sha, ci_context={"ci.yaml": steps("true")}, run=True)
    run = started.json()["run"]
    first = await still("POST", f"/runs/{run['id']}/cancel")
    assert first.status_code == 200, first.text
    assert "stopped" in first.json()["message"]
    assert first.json()["run"]["stopped"] == "cancelled by api:ops"
    second = await still("POST", f"/runs/{run['id']}/cancel")
    assert "terminated" in second.json()["message"]
    early = await still("POST", f"/runs/{run['id']}/retry")
    assert early.status_code == 409
    assert "not ended" in early.json()["message"]


async def test_a_failed_run_is_retried(api: Api) -> None:
    sha = await api.push({".kube-ci/ci.yaml": steps("echo one", "exit 3")})
    run_id = await api.built(sha)
    assert (await api.ended(run_id))["run"]["conclusion"] == "failure"
    late = await api("POST", f"/runs/{run_id}/cancel")
    assert late.status_code == 409
    retried = await api("POST", f"/runs/{run_id}/retry")
    assert retried.status_code == 200, retried.text
    assert retried.json()["run"]["id"] == run_id
    assert "again" in retried.json()["message"]
    async with asyncio.timeout(20):
        while len(check_runs(api, sha)) < 2:
            await asyncio.sleep(0.05)
    assert (await api.ended(run_id))["run"]["conclusion"] == "failure"


async def test_what_cannot_be_built_anew_is_not_retried(still: Api) -> None:
    sha = await still.push({"README.md": "none"})
    run = (await still.run(sha, ci_context={"ci.yaml": steps("true")}, run=True)).json()["run"]
    patch = {"status": {"phase": "Failed", "finishedAt": "2026-01-01T12:00:00Z"}}
    still.stack.cluster.objects.merge_patch(WORKFLOWS, NAMESPACE, run["workflow"]["name"], patch)
    await still.ended(run["id"])
    refused = await still("POST", f"/runs/{run['id']}/retry")
    assert (refused.status_code, refused.json()["message"]) == (409, "the commit has no CI definition")


async def test_a_list_shows_what_the_token_reaches_page_by_page(still: Api) -> None:
    shas = []
    for number in range(3):
        shas.append(await still.push({"README.md": str(number)}))
        answer = await still.run(shas[-1], ci_context={"ci.yaml": steps("true")}, run=True)
        assert answer.status_code == 201, answer.text
    await still.built(await still.push(DEFINITION, OTHER), OTHER)
    seen, before = [], None
    for _ in range(2):
        params = {"limit": 2} | ({"before": before} if before else {})
        page = (await still("GET", "/runs", by="reader", params=params)).json()
        seen += [run["sha"] for run in page["runs"]]
        before = page["next"]
    assert seen == shas[::-1]
    assert before is None
    everything = (await still("GET", "/runs")).json()["runs"]
    assert {run["repository"] for run in everything} == {REPOSITORY, OTHER}
    only = await still("GET", "/runs", params={"repository": OTHER})
    assert {run["repository"] for run in only.json()["runs"]} == {OTHER}


async def test_a_run_of_a_repository_out_of_reach_is_not_there(still: Api) -> None:
    run_id = await still.built(await still.push(DEFINITION, OTHER), OTHER)
    for method, end in (("GET", ""), ("GET", "/logs?node=x"), ("POST", "/cancel"), ("POST", "/retry")):
        hidden = await still(method, f"/runs/{run_id}{end}", by="reader")
        unknown = await still(method, f"/runs/{SHA}{end}", by="reader")
        assert (hidden.status_code, hidden.text) == (unknown.status_code, unknown.text)
        assert hidden.status_code == 404


async def test_when_the_pod_is_gone_its_last_lines_are_given(api: Api) -> None:
    run_id = await api.built(await api.push({".kube-ci/ci.yaml": steps("echo kept; exit 3")}))
    [step] = (await api.ended(run_id))["steps"]
    path = f"/runs/{run_id}/logs"
    live = await api("GET", path, params={"node": step["id"]})
    assert (live.headers["x-kubeci-log"], live.text) == ("live", "kept\n")
    objects = api.stack.cluster.objects
    for pod in objects.list(PODS, NAMESPACE):
        objects.delete(PODS, NAMESPACE, pod["metadata"]["name"])
    kept = await api("GET", path, params={"node": step["id"], "follow": "true"})
    assert (kept.status_code, kept.headers["x-kubeci-log"], kept.text) == (200, "kept", "kept\n")
    for workflow in objects.list(WORKFLOWS, NAMESPACE):
        objects.delete(WORKFLOWS, NAMESPACE, workflow["metadata"]["name"])
    kept = await api("GET", path, params={"node": step["id"]})
    assert (kept.headers["x-kubeci-log"], kept.text) == ("kept", "kept\n")
