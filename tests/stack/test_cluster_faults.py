"""What the cluster does wrong, and what is done in it behind our back."""

from __future__ import annotations

from typing import Any

import pytest
from tests_stack import PASSING, REPOSITORY
from world import BORED, NAMESPACE, Step, World

from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.workflow import metadata

POST_RUN = ("POST", "/check-runs$")
POST_WORKFLOW = ("POST", r"/workflows\?")
LINES = "".join(f"src/a.py:{n}: line {n}\n" for n in range(1, 121))

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
    ("403 once", {"status": 403}, 120),
    ("403 for ever", {"status": 403, "times": 1000}, 0),
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


async def test_a_pull_request_closed_before_its_workflow_was_there_ends_all_the_same(world: World) -> None:
    github = world.stack.github
    await world.push({"README.md": "x"})
    await world.kill()
    sha = await world.push(PASSING, branch="topic")
    pull = await github.open_pull_request(REPOSITORY, head="topic", base="main")
    await github.settled()
    await world.start()
    world.stack.cluster.faults.add(*POST_WORKFLOW, status=500, delay_seconds=0.5)
    # What a pull request began, it ends, on a branch that is built by itself too.
    await github.convert_to_draft(pull)
    await github.ready_for_review(pull)
    await world.until(lambda: world.runs(sha))
    await github.close_pull_request(pull)
    await github.settled()
    assert (await world.finished(sha)).conclusion == "cancelled"
    await world.quiet()
    assert world.workflows() == []


async def test_a_build_that_ends_before_its_submission_does_stays_finished(world: World) -> None:
    await world.push(PASSING)
    older = await world.submitted()
    await world.quiet()
    world.stack.cluster.faults.add("PATCH", f"/workflows/{older}", delay_seconds=0.5)
    sha = await world.push(PASSING | {"x": "y"})
    newer = next(each for each in await both(world) if each != older)
    world.status(newer, "Succeeded")
    await world.concluded(sha)
    await world.quiet()
    states = dict(world.stored("SELECT workflow_name, state FROM builds"))
    assert states[newer] == "finished"


async def both(world: World) -> list[str]:
    await world.submitted(2)
    return [each["metadata"]["name"] for each in world.workflows()]
