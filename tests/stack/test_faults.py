"""What GitHub and the cluster do wrong: nothing is doubled, nothing is lost, nobody is hammered."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests_stack import PASSING
from world import BORED, NAMESPACE, Step, World

from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.workflow import metadata

POST_RUN, PATCH_RUN = ("POST", "/check-runs$"), ("PATCH", "/check-runs/")
POST_WORKFLOW = ("POST", r"/workflows\?")
LINES = "".join(f"src/a.py:{n}: line {n}\n" for n in range(1, 121))
SECONDARY = '{"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}'
FORBIDDEN = '{"message": "Resource not accessible by integration"}'

CREATION = [
    # name of the case, what POST check-runs meets, requests it may take
    ("500 before", {"status": 500}, 2),
    ("lost before", {"delay_seconds": 0.01, "status": 502}, 2),
    ("lost after the effect", {"after": True}, 1),
    ("500 after the effect", {"after": True, "status": 500}, 1),
    ("later than we wait", {"after": True, "delay_seconds": 1.0}, 1),
    ("late", {"delay_seconds": 0.3}, 1),
    ("secondary limit without a time", {"status": 403, "body": SECONDARY}, 2),
    ("secondary limit with a time", {"status": 403, "body": SECONDARY, "headers": {"retry-after": "1"}}, 2),
    ("429", {"status": 429, "headers": {"retry-after": "1"}}, 2),
    ("401", {"status": 401, "body": '{"message": "Bad credentials"}'}, 2),
]


@pytest.mark.parametrize(("how", "requests"), [c[1:] for c in CREATION], ids=[c[0] for c in CREATION])
async def test_a_check_run_is_created_once(world: World, how: dict[str, Any], requests: int) -> None:
    world.github_fault(*POST_RUN, **how)
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.status(name, "Succeeded")
    await world.concluded(sha)
    await world.quiet()
    assert len(world.runs(sha)) == len(world.workflows()) == 1
    assert len(world.api_calls("POST", "/check-runs")) == requests


UPDATE = [
    ("500 before", {"status": 500}),
    ("lost after the effect", {"after": True}),
    ("500 after the effect", {"after": True, "status": 500}),
    ("twice lost after the effect", {"after": True, "times": 2}),
    ("429", {"status": 429, "headers": {"retry-after": "1"}}),
    ("403 secondary limit", {"status": 403, "body": SECONDARY}),
    ("later than we wait", {"after": True, "delay_seconds": 1.0}),
]


@pytest.mark.parametrize("how", [case[1] for case in UPDATE], ids=[case[0] for case in UPDATE])
async def test_each_annotation_arrives_once(world: World, how: dict[str, Any]) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.github_fault(*PATCH_RUN, **how)
    world.status(name, "Failed", Step("a", "Failed", log=LINES))
    run = await world.finished(sha)
    assert run.conclusion == "failure"
    assert [each["start_line"] for each in run.annotations] == list(range(1, 121))


async def test_annotations_that_github_refuses_do_not_hold_up_the_conclusion(world: World) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.github_fault(*PATCH_RUN, status=422, body='{"message": "Invalid request"}')
    world.status(name, "Failed", Step("a", "Failed", log=LINES))
    run = await world.finished(sha)
    assert run.conclusion == "failure"
    assert [each["start_line"] for each in run.annotations] == list(range(51, 121))


async def test_a_token_that_was_revoked_is_replaced(world: World) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.stack.github.state.tokens.clear()
    world.status(name, "Succeeded")
    assert (await world.concluded(sha)).conclusion == "success"


async def test_what_the_app_may_not_do_is_parked_with_the_reason(world: World) -> None:
    world.github_fault(*POST_RUN, status=403, body=FORBIDDEN, times=1000)
    sha = await world.push(PASSING)
    await world.quiet()
    assert {
        (state, "not accessible by integration" in reason) for _, state, reason in world.deliveries()
    } == {("parked", True)}
    assert len(world.api_calls("POST", "/check-runs")) == len(world.deliveries())
    assert world.runs(sha) == world.workflows() == []


async def test_progress_that_the_app_may_not_write_is_not_hammered(world: World) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.github_fault(*PATCH_RUN, status=403, body=FORBIDDEN, times=1000)
    for number in range(10):
        steps = [Step(f"s{each}") for each in range(number)]
        world.status(name, "Running", *steps)
        await asyncio.sleep(0.03)  # each state is seen
    world.status(name, "Succeeded", Step("last"))
    sentinel = await world.push(PASSING, branch="other")
    await world.submitted(2)
    await world.quiet()
    await world.until(lambda: len(world.api_calls("PATCH", "/check-runs/")) >= 2)
    await asyncio.sleep(0.3)  # longer than any backoff here
    assert len(world.api_calls("PATCH", "/check-runs/")) == 2
    assert [run.status for run in world.runs(sha)] == ["queued"]
    assert len(world.runs(sentinel)) == 1


GRAPHQL = [
    ("500", {"status": 500}, "built"),
    ("502 three times", {"status": 502, "times": 3}, "built"),
    ("lost", {"after": True}, "built"),
    ("slow", {"delay_seconds": 0.3}, "built"),
    ("no data", {"status": 200, "body": '{"data": {"repository": null}}'}, "built"),
    ("no JSON", {"status": 200, "body": "<html>"}, "built"),
    (
        "errors that may pass",
        {"status": 200, "body": json.dumps({"errors": [{"message": "timeout"}]})},
        "built",
    ),
    (
        "forbidden",
        {
            "status": 200,
            "body": json.dumps({"errors": [{"type": "FORBIDDEN", "message": "no", "path": ["x"]}]}),
        },
        "parked",
    ),
    (
        "commit gone",
        {"status": 200, "body": json.dumps({"errors": [{"type": "NOT_FOUND", "message": "no"}]})},
        "parked",
    ),
]


@pytest.mark.parametrize(("how", "outcome"), [c[1:] for c in GRAPHQL], ids=[c[0] for c in GRAPHQL])
async def test_reading_a_commit(world: World, how: dict[str, Any], outcome: str) -> None:
    parked = outcome == "parked"
    world.github_fault("POST", "/graphql", **{**how, **({"times": 1000} if parked else {})})
    await world.push(PASSING)
    if parked:
        await world.quiet()
        assert {state for _, state, _ in world.deliveries()} == {"parked"}
        assert len(world.api_calls("POST", "/graphql")) == len(world.deliveries())
    else:
        await world.submitted()
        await world.quiet()
        assert {state for _, state, _ in world.deliveries()} == {"done"}


# The cluster.

SUBMISSION = [
    ("500 before", {"status": 500}),
    ("429", {"status": 429}),
    ("503", {"status": 503}),
    ("lost before", {"drop": True}),
    ("lost after the effect", {"drop": True, "after": True}),
    ("500 after the effect", {"status": 500, "after": True}),
    ("504 after the effect, twice", {"status": 504, "after": True, "times": 2}),
    ("cut in the middle of the answer", {"cut_body": True}),
    ("late", {"delay_seconds": 0.3}),
]


@pytest.mark.parametrize("how", [case[1] for case in SUBMISSION], ids=[case[0] for case in SUBMISSION])
async def test_a_workflow_is_created_once(world: World, how: Any) -> None:
    world.stack.cluster.faults.add(*POST_WORKFLOW, **how)
    sha = await world.push(PASSING)
    name = await world.submitted()
    await world.quiet()
    world.status(name, "Succeeded")
    assert (await world.concluded(sha)).conclusion == "success"
    assert len(world.runs(sha)) == len(world.workflows()) == 1


async def test_a_workflow_of_somebody_else_has_the_name(world: World) -> None:
    world.stack.cluster.faults.add(*POST_WORKFLOW, status=500, delay_seconds=0.5)
    sha = await world.push(PASSING)
    [run] = await world.until(lambda: world.runs(sha))
    name = run.details_url.rpartition("/")[2]
    world.stack.cluster.objects.create(WORKFLOWS, NAMESPACE, foreign(name))
    await world.concluded(sha)
    assert run.conclusion == "failure"
    assert str(run.output["summary"]).startswith("argo workflow creation failed, ")
    assert "already exists" in str(run.output["summary"])
    [found] = world.workflows()
    assert "annotations" not in found["metadata"]


def foreign(name: str, **more: Any) -> dict[str, Any]:
    spec = {"entrypoint": "ci", "templates": [{"name": "ci", "container": {"image": "alpine"}}]}
    labels = {"managedBy": "kube-ci"}
    return {"metadata": {"name": name, "labels": labels, **more}, "spec": spec, "kind": "Workflow"}


WATCH = ["cut", "restart", "http 410", "list 500", "error event"]


@pytest.mark.parametrize("trouble", WATCH)
async def test_what_happens_while_the_watch_is_broken_is_reported(world: World, trouble: str) -> None:
    cluster = world.stack.cluster
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.status(name, "Running", Step("a", "Running"))
    await world.until(lambda: [run for run in world.runs(sha) if run.status == "in_progress"])
    if trouble == "http 410":
        cluster.faults.add("GET", "watch=true", status=410, times=2)
    elif trouble == "list 500":
        cluster.faults.add("GET", "watch=true", status=410)
        cluster.faults.add("GET", "limit=", status=500, times=3)
    elif trouble == "error event":
        cluster.faults.add("GET", "watch=true", status=500, times=3)
    if trouble in {"restart", "error event"}:
        cluster.restart()
    else:
        cluster.cut_watches()
    world.status(name, "Succeeded", Step("a"))
    cluster.objects.compact()
    assert (await world.concluded(sha)).conclusion == "success"


async def test_a_silent_watch_is_left(world: World) -> None:
    await world.kill()
    await world.start(BORED)
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.status(name, "Running", Step("a", "Running"))
    await world.until(lambda: [run for run in world.runs(sha) if run.status == "in_progress"])
    world.stack.cluster.silence()
    world.status(name, "Succeeded", Step("a"))
    assert (await world.concluded(sha)).conclusion == "success"


LOGS = [
    # name of the case, what the log's request meets, annotations
    ("404", {"status": 404}, 0),
    ("500 once", {"status": 500}, 120),
    ("500 for ever", {"status": 500, "times": 1000}, 0),
    ("429", {"status": 429}, 120),
    ("400", {"status": 400}, 0),
    ("403", {"status": 403}, 0),
    ("slow", {"delay_seconds": 0.3}, 120),
    ("cut in the middle", {"cut_body": True}, 120),
    ("cut in the middle for ever", {"cut_body": True, "times": 1000}, 0),
    ("no answer", {"drop": True, "times": 3}, 120),
]


@pytest.mark.parametrize(("how", "found"), [c[1:] for c in LOGS], ids=[c[0] for c in LOGS])
async def test_a_log_that_cannot_be_read(world: World, how: Any, found: int) -> None:
    world.stack.cluster.faults.add("GET", "/log", **how)
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.status(name, "Failed", Step("a", "Failed", log=LINES))
    run = await world.finished(sha)
    assert run.conclusion == "failure"
    assert len(run.annotations) == found
    assert ("No log" in str(run.output["summary"])) == (not found)


async def test_a_workflow_that_lost_its_label_is_reported_to_its_end(world: World) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.status(name, "Running", Step("a", "Running"))
    await world.until(lambda: [run for run in world.runs(sha) if run.status == "in_progress"])
    world.patch(name, {"metadata": {"labels": {"managedBy": None}}})
    world.status(name, "Succeeded", Step("a"))
    assert (await world.concluded(sha)).conclusion == "success"


@pytest.mark.parametrize("away", [False, True])
async def test_another_workflow_of_the_same_name_is_not_reported(world: World, *, away: bool) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.status(name, "Running", Step("a", "Running"))
    await world.until(lambda: [run for run in world.runs(sha) if run.status == "in_progress"])
    await world.quiet()
    if away:
        await world.kill()
    copied = world.workflows()[0]["metadata"]
    world.delete(name)
    more = {"annotations": copied["annotations"]}
    world.stack.cluster.objects.create(WORKFLOWS, NAMESPACE, foreign(name, **more))
    world.status(name, "Succeeded", Step("forged"))
    if away:
        await world.start()
    run = await world.finished(sha)
    assert run.conclusion == "cancelled"
    assert "forged" not in str(run.output)
    assert metadata.ANNOTATIONS_PUBLISHED not in world.workflows()[0]["metadata"]["annotations"]


async def test_a_resubmitted_copy_is_ignored_and_patched_annotations_lead_nowhere(world: World) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    victim_sha = await world.push(PASSING | {"x": "victim"}, branch="victim")
    await world.submitted(2)
    await world.quiet()
    [victim] = world.runs(victim_sha)
    ours = next(each for each in world.workflows() if each["metadata"]["name"] == name)["metadata"]
    copy = foreign("resubmitted", annotations=dict(ours["annotations"]))
    world.stack.cluster.objects.create(WORKFLOWS, NAMESPACE, copy)
    world.status("resubmitted", "Succeeded", Step("copy"))
    stolen = {metadata.CHECK_RUN_ID: str(victim.id), metadata.SHA: victim_sha, metadata.CHECK_RUN_NAME: "x"}
    world.patch(name, {"metadata": {"annotations": stolen}})
    world.status(name, "Failed", Step("a", "Failed"))
    await world.until(lambda: [run for run in world.runs(sha) if run.status == "completed"])
    [run] = world.runs(sha)
    assert (run.name, run.conclusion) == ("Workflow - ci", "failure")
    assert victim.status == "queued"
    assert len(world.runs(victim_sha)) == 1


async def test_a_retried_workflow_gets_a_new_check_run_and_the_first_stays_failed(world: World) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    kept = Step("kept", log="src/k.py:1: kept\n")
    world.status(name, "Failed", kept, Step("a", "Failed", log="src/a.py:1: one\nsrc/a.py:2: two\n"))
    first = await world.finished(sha)
    world.github_fault(*POST_RUN, after=True)
    world.status(name, "", kept)
    await world.until(lambda: len(world.runs(sha)) == 2)
    world.status(name, "Running", kept, Step("a", "Running"))
    world.status(name, "Succeeded", kept, Step("a", log="src/a.py:3: three\n", attempt=1))
    second = await world.finished(sha, count=2)
    assert (first.name, first.conclusion) == ("Workflow - ci", "failure")
    assert (second.name, second.conclusion) == ("Workflow - ci", "success")
    assert [(each["path"], each["start_line"]) for each in second.annotations] == [
        ("src/k.py", 1),
        ("src/a.py", 3),
    ]
    assert len(world.runs(sha)) == 2


async def test_a_stop_that_fails_is_tried_again_and_the_newer_build_lives(world: World) -> None:
    await world.push(PASSING)
    older = await world.submitted()
    world.status(older, "Running")
    world.stack.cluster.faults.add("PATCH", "/workflows/", status=500, times=3)
    sha = await world.push(PASSING | {"x": "y"})
    await world.submitted(2)
    await world.until(lambda: [each for each in world.workflows() if "shutdown" in each["spec"]])
    await world.quiet()
    assert [run.status for run in world.runs(sha)] == ["queued"]
