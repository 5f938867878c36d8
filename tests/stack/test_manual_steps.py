"""Steps that wait for a person: they are offered once, run on their own, and skipped by whom the table lets."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from shared_stacks import Stacks
from tests_stack import REPOSITORY, Scene, SharedScene, workflow

from kubeci.local.github.faults import Fault
from kubeci.local.github.state import CheckRun
from kubeci.local.stack import StackSettings, local_stack
from kubeci.model.trust import Answer, What, Who
from kubeci.settings.config import Config
from kubeci.settings.pattern import Pattern
from kubeci.workflow import metadata

LONG = "publish-the-documentation-of-this-release"
EXTRAS = ("smoke", "sign-off", LONG)


def definition(**annotations: str) -> dict[str, str]:
    """One default step, and templates beside it that nothing calls."""
    found: dict[str, Any] = yaml.safe_load(workflow(["true"]))
    found["metadata"] = {"annotations": {metadata.PREFIX + key: text for key, text in annotations.items()}}
    found["spec"]["templates"] += [
        {"name": name, "container": {"image": "alpine", "command": ["echo", name]}} for name in EXTRAS
    ]
    return {".kube-ci/ci.yaml": yaml.safe_dump(found)}


MANUAL = StackSettings(
    config=Config(
        build_branches=Pattern("."),
        manual_templates=Pattern("^(smoke|sign-off|publish.*)$"),
        essential_templates=Pattern("^sign-off$"),
        non_interactive_branches=Pattern("^bot/"),
    )
)


@pytest_asyncio.fixture(loop_scope="session")
async def manual(stacks: Stacks) -> SharedScene:
    return await stacks.scene(MANUAL)


def latest(scene: Scene, sha: str, name: str) -> CheckRun:
    return [run for run in scene.runs(sha) if run.name == f"Workflow - {name}"][-1]


async def offered(scene: SharedScene, files: dict[str, str], branch: str = "topic") -> str:
    sha = await scene.push(files, branch=branch)
    await scene.concluded(sha, count=1 + len(EXTRAS))
    return sha


async def test_steps_are_offered_after_the_default_entrypoint_succeeded(manual: SharedScene) -> None:
    sha = await offered(manual, definition())
    seen = {run.name: (run.conclusion, run.external_id, run.output["title"]) for run in manual.runs(sha)[1:]}
    assert seen == {
        "Workflow - smoke": ("neutral", "smoke", "Manual Step"),
        "Workflow - sign-off": ("action_required", "sign-off", "Manual Step"),
        f"Workflow - {LONG}": ("neutral", LONG, "Manual Step"),
    }
    assert [action["identifier"] for action in manual.runs(sha)[1].actions] == ["run", "skip"]


async def test_run_starts_the_template_with_a_check_run_of_its_own(manual: SharedScene) -> None:
    sha = await offered(manual, definition())
    before = len(manual.runs(sha))
    await manual.stack.github.press(latest(manual, sha, LONG).id, "run")
    run = await manual.concluded(sha, count=before + 1)
    assert (run.name, run.conclusion, run.external_id) == (f"Workflow - {LONG}", "success", LONG)
    # Its own success offers nothing anew, and neither does another run of the default entrypoint.
    await manual.stack.github.rerequest(manual.runs(sha)[0].id)
    again = await manual.concluded(sha, count=before + 2)
    await manual.quiet()
    assert (again.name, again.conclusion) == ("Workflow - ci", "success")
    assert len(manual.runs(sha)) == before + 2


async def test_a_rerun_repeats_the_entrypoint_of_its_check_run(manual: SharedScene) -> None:
    sha = await offered(manual, definition())
    await manual.stack.github.press(latest(manual, sha, "smoke").id, "run")
    run = await manual.concluded(sha, count=5)
    await manual.stack.github.rerequest(run.id)
    again = await manual.concluded(sha, count=6)
    assert (again.name, again.conclusion, again.id != run.id) == ("Workflow - smoke", "success", True)


async def test_skip_says_who_skipped(manual: SharedScene) -> None:
    sha = await offered(manual, definition())
    for name in ("smoke", "sign-off"):
        await manual.stack.github.press(latest(manual, sha, name).id, "skip")
        run = await manual.until(
            lambda name=name: (
                latest(manual, sha, name).output["title"] == "Manual Step - Skipped"
                and latest(manual, sha, name)
            )
        )
        assert (run.conclusion, run.output["summary"]) == (
            "neutral",
            "User octocat skipped this manual action",
        )
    # It can still be run.
    assert [action["identifier"] for action in latest(manual, sha, "smoke").actions] == ["run"]


async def test_a_step_that_was_run_is_not_skipped_any_more(manual: SharedScene) -> None:
    sha = await offered(manual, definition())
    offer = latest(manual, sha, "sign-off")
    await manual.stack.github.press(offer.id, "run")
    await manual.concluded(sha, count=5)
    await manual.stack.github.press(offer.id, "skip")
    await manual.until(lambda: "the step was run already" in str(offer.output["summary"]))
    assert offer.conclusion == "action_required"


async def test_a_step_whose_run_the_cluster_refused_may_be_skipped(manual: SharedScene) -> None:
    sha = await offered(manual, definition())
    offer = latest(manual, sha, "sign-off")
    manual.stack.cluster.faults.add("POST", "/workflows?", status=422)
    await manual.stack.github.press(offer.id, "run")
    await manual.until(lambda: [run for run in manual.runs(sha) if run.conclusion == "failure"])
    await manual.quiet()
    await manual.stack.github.press(offer.id, "skip")
    await manual.until(lambda: "octocat skipped this" in str(offer.output))


async def test_what_was_run_before_is_not_offered(manual: SharedScene) -> None:
    """A newer check-run that is neutral would stand for one that failed."""
    found = yaml.safe_load(definition()[".kube-ci/ci.yaml"])
    found["spec"]["templates"] = [
        {**each, "container": {"image": "alpine", "command": ["false"]}} if each["name"] == "smoke" else each
        for each in found["spec"]["templates"]
    ]
    files = {".kube-ci/ci.yaml": yaml.safe_dump(found)}
    sha = await offered(manual, files)
    await manual.stack.github.press(latest(manual, sha, "smoke").id, "run")
    await manual.concluded(sha, count=5)
    with closing(sqlite3.connect(manual.stack.options.store_url.removeprefix("sqlite:///"))) as store:
        store.execute(
            "DELETE FROM builds WHERE state = 'offered' AND entrypoint = 'smoke' AND owner = ?",
            (manual.owner,),
        )
        store.commit()
    await manual.stack.github.rerequest(manual.runs(sha)[0].id)
    await manual.concluded(sha, count=6)
    await manual.quiet()
    assert latest(manual, sha, "smoke").conclusion == "failure"


async def test_two_builds_that_succeed_together_offer_once(manual: SharedScene) -> None:
    manual.stack.github.latency_seconds = 0.1
    sha = await manual.push(definition(), branch="topic")
    await manual.until(lambda: manual.runs(sha))
    await manual.stack.github.rerequest_suite(manual.runs(sha)[0].suite.id)
    await manual.concluded(sha, count=5)
    await manual.quiet()
    assert [run.name for run in manual.runs(sha)].count("Workflow - smoke") == 1


async def test_an_offer_that_is_refused_leaves_the_build_ended(manual: SharedScene) -> None:
    files = {".kube-ci/ci.yaml": definition()[".kube-ci/ci.yaml"].replace("- 'true'", "- sleep\n      - '1'")}
    sha = await manual.push(files, branch="topic")
    await manual.until(lambda: manual.runs(sha))
    manual.stack.github.faults.add(Fault("POST", f"/{manual.owner}/.*/check-runs$", status=422))
    await manual.concluded(sha, count=3)
    await manual.quiet()
    names = [run.name for run in manual.runs(sha)]
    assert (len(names), "Workflow - smoke" in names) == (3, False)


async def test_whom_the_table_does_not_let_changes_nothing(tmp_path: Path) -> None:
    nobody = dict.fromkeys(Who, Answer.IGNORE)
    config = Config(
        build_branches=Pattern("."),
        manual_templates=Pattern("^sign-off$"),
        essential_templates=Pattern("."),
        trust={What.SKIP_ESSENTIAL: nobody, What.RUN: nobody},
    )
    async with local_stack(tmp_path, StackSettings(config=config)) as stack:
        await stack.github.create_repository(REPOSITORY)
        scene = Scene(stack)
        sha = await scene.push(definition(), branch="topic")
        run = await scene.concluded(sha, count=2)
        for button, told in (("skip", "pressed Skip"), ("run", "may not have this built")):
            await stack.github.press(run.id, button)
            await scene.until(lambda told=told: told in str(run.output["summary"]))
            assert run.conclusion == "action_required"
        # Re-run on a step that nobody has run is its Run.
        await stack.github.rerequest(run.id)
        await scene.quiet()
        assert len(scene.runs(sha)) == 2


@pytest.mark.parametrize(
    ("branch", "annotations"),
    [
        ("main", {}),
        ("bot/update", {}),
        ("topic", {"nonInteractiveBranches": "^topic$"}),
        ("topic", {"manualTemplates": "^$"}),
    ],
)
async def test_no_steps_are_offered(manual: SharedScene, branch: str, annotations: dict[str, str]) -> None:
    sha = await manual.push(definition(**annotations), branch=branch)
    await manual.concluded(sha)
    await manual.quiet()
    assert [run.name for run in manual.runs(sha)] == ["Workflow - ci"]


async def test_annotations_choose_other_steps(manual: SharedScene) -> None:
    files = definition(manualTemplates="^smoke$", essentialTemplates="smoke")
    sha = await manual.push(files, branch="topic")
    await manual.concluded(sha, count=2)
    assert (latest(manual, sha, "smoke").conclusion, len(manual.runs(sha))) == ("action_required", 2)


async def test_a_bad_pattern_is_told_at_its_place(manual: SharedScene) -> None:
    sha = await manual.push(definition(manualTemplates="("), branch="topic")
    run = await manual.concluded(sha)
    assert (run.name, run.conclusion) == ("Default Workflow", "failure")
    assert "manualTemplates" in str(run.output["summary"])


async def test_nothing_is_offered_after_a_failure(manual: SharedScene) -> None:
    files = definition()
    text = files[".kube-ci/ci.yaml"].replace("- 'true'", "- 'false'")
    sha = await manual.push({".kube-ci/ci.yaml": text}, branch="topic")
    run = await manual.concluded(sha)
    await manual.quiet()
    assert (run.conclusion, len(manual.runs(sha))) == ("failure", 1)
