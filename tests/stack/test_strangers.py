"""What strangers try: another definition, another base, a check that passes without a run, a workflow made ahead."""

from __future__ import annotations

from typing import Any

from tests_stack import PASSING, SharedScene, workflow

from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.github.state import CheckRun
from kubeci.model.repository import Commit, Ref, Repository
from kubeci.service.identity import automatic_build_id
from kubeci.workflow import metadata
from kubeci.workflow.names import workflow_name

DEFINITION = ".kube-ci/ci.yaml"
EVIL = {DEFINITION: workflow(["sh", "-c", "echo stolen"])}


def workflows(scene: SharedScene, sha: str) -> list[dict[str, Any]]:
    return [each for each in scene.workflows() if metadata.annotations_of(each)[metadata.SHA] == sha]


def named(scene: SharedScene, sha: str, name: str) -> list[CheckRun]:
    return [run for run in scene.runs(sha) if run.name == name]


async def stranger_opens(scene: SharedScene, files: dict[str, str], base: str = "main") -> tuple[Any, str]:
    github = scene.stack.github
    await github.fork(scene.repository, "stranger")
    github.user = "stranger"
    sha = await github.push(scene.fork_name, files, branch="patch", message="Mine")
    return await github.open_pull_request(scene.repository, head=f"{scene.fork_name}:patch", base=base), sha


async def test_a_rerun_of_a_closed_forks_commit_does_not_run_its_definition(strict: SharedScene) -> None:
    await strict.concluded(await strict.push(PASSING))
    pull, sha = await stranger_opens(strict, EVIL)
    await strict.until(lambda: strict.runs(sha))
    github = strict.stack.github
    await github.close_pull_request(pull)
    suite = strict.runs(sha)[0].suite
    for user in ("stranger", "octocat"):  # nobody, and somebody who may write
        github.user = user
        await github.rerequest_suite(suite.id)
    await strict.quiet()
    assert workflows(strict, sha) == []
    assert named(strict, sha, "Workflow - ci") == []


async def test_a_stranger_does_not_choose_whose_definition_counts(strict: SharedScene) -> None:
    await strict.concluded(await strict.push(PASSING))
    await strict.push({DEFINITION: workflow(["echo", "lax"])}, branch="lax")
    await stranger_opens(strict, {"x": "y"}, base="lax")
    github = strict.stack.github
    await github.open_pull_request(strict.repository, head=f"{strict.fork_name}:patch")
    [pull] = [
        each
        for each in github.state.pull_requests
        if each.base_ref == "main" and each.base.full_name == strict.repository
    ]
    sha = str(strict.sent("pull_request")[-1].payload["pull_request"]["head"]["sha"])
    run = await strict.until(
        lambda: [each for each in strict.runs(sha) if each.conclusion == "action_required"]
    )
    github.user = "octocat"
    await github.press(run[0].id, "run")
    await strict.until(lambda: workflows(strict, sha))
    [built] = workflows(strict, sha)
    commands = [each["container"]["command"] for each in built["spec"]["templates"] if "container" in each]
    assert (commands, pull.base_ref) == ([["true"]], "main")


async def test_with_several_built_bases_nothing_runs_until_one_is_left(scene: SharedScene) -> None:
    await scene.concluded(await scene.push(PASSING))
    await scene.push({"lax": "1"}, branch="lax")
    _, sha = await stranger_opens(scene, {"x": "y"}, base="lax")
    await scene.stack.github.open_pull_request(scene.repository, head=f"{scene.fork_name}:patch")
    run = await scene.until(
        lambda: [each for each in scene.runs(sha) if each.conclusion == "failure"] or None
    )
    assert "go into lax, main" in str(run[0].output["summary"])
    assert workflows(scene, sha) == []


async def test_what_was_skipped_for_one_base_is_run_for_another(scene: SharedScene) -> None:
    github = scene.stack.github
    definition = {DEFINITION: workflow(["true"], annotations={metadata.RUN_IF_CHANGED: "src/**"})}
    base = await scene.push(definition)
    await scene.concluded(base)
    await github.push(scene.repository, {"src/a": "1"}, branch="other", base=base)
    other = str(scene.sent("push")[-1].payload["after"])
    await scene.concluded(other)
    sha = await github.push(
        scene.repository, {"README.md": "x"}, branch="docs", base=other, message="Docs\n\nskip-checks: true"
    )
    pull = await github.open_pull_request(scene.repository, head="docs", base="other")
    await scene.quiet()
    assert scene.runs(sha) == [], "its message asks for nothing"
    sha = await github.push(scene.repository, {"NEWS.md": "x"}, branch="docs")
    skipped = await scene.concluded(sha)
    assert skipped.conclusion == "skipped"
    await github.edit_pull_request(pull, base="main")
    run = await scene.concluded(sha, count=2)
    assert (run.name, run.conclusion) == ("Workflow - ci", "success")
    assert run.id != skipped.id


async def test_a_draft_that_becomes_ready_and_is_skipped_asks_for_nothing_any_more(
    strict: SharedScene,
) -> None:
    github = strict.stack.github
    definition = {DEFINITION: workflow(["true"], annotations={metadata.RUN_IF_CHANGED: "src/**"})}
    await strict.concluded(await strict.push(definition))
    sha = await strict.push({"README.md": "x"}, branch="docs")
    pull = await github.open_pull_request(strict.repository, head="docs", draft=True)
    await strict.until(lambda: [each for each in strict.runs(sha) if each.conclusion == "action_required"])
    await github.ready_for_review(pull)
    await strict.until(
        lambda: [each for each in named(strict, sha, "Workflow - ci") if each.conclusion == "skipped"]
    )
    await strict.until(lambda: named(strict, sha, "Default Workflow")[0].conclusion == "neutral")


async def test_a_tag_goes_on_when_a_pull_request_of_its_commit_is_closed(scene: SharedScene) -> None:
    github = scene.stack.github
    slow = workflow(["sleep", "60"], annotations={metadata.RUN_FOR_TAG: "true"})
    base = await scene.push({"README.md": "x"})
    sha = await github.push(scene.repository, {DEFINITION: slow}, branch="release", base=base)
    pull = await github.open_pull_request(scene.repository, head="release")
    await github.tag(scene.repository, "v1", sha)
    await scene.until(lambda: len(workflows(scene, sha)) == 2)
    await scene.quiet()
    await github.close_pull_request(pull)
    await scene.quiet()
    [tagged] = [each for each in workflows(scene, sha) if each["metadata"]["labels"]["branch"] == "v1"]
    assert "shutdown" not in tagged["spec"]


async def test_a_workflow_that_was_made_ahead_of_us_is_not_taken_for_ours(still: SharedScene) -> None:
    github = still.stack.github
    github.webhook_url, address = "", github.webhook_url
    sha = await still.push(PASSING)
    await github.settled()
    owner, _, name = still.repository.partition("/")
    repository = Repository(owner, name, github.installation(still.repository).id)
    guessed = automatic_build_id(Commit(repository, sha), Ref("main"))
    forged = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {
            "name": workflow_name(name, "main", guessed),
            "namespace": "argo",
            "labels": {"managedBy": "kube-ci"},
            "annotations": {metadata.BUILD_ID: guessed, metadata.SHA: sha},
        },
        "spec": {"entrypoint": "ci", "templates": []},
        "status": {"phase": "Succeeded"},
    }
    still.stack.cluster.objects.create(WORKFLOWS, "argo", forged)
    github.webhook_url = address
    for each in still.sent():
        github.deliveries.add(each.event, each.payload, guid=each.guid)
    run = await still.concluded(sha)
    assert (run.name, run.conclusion) == ("Workflow - ci", "failure")
    assert str(run.output["summary"]).startswith("argo workflow creation failed, ")
