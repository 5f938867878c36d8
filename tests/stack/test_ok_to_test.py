"""`/kube-ci ok-to-test`: the automatic build of a stranger's commit, let in by somebody who may."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml
from shared_stacks import Stacks
from talk_kit import PACE, Talk, heard_later, held
from tests_stack import PASSING, workflow

from kubeci.local.github.repositories import push_ref
from kubeci.local.stack import StackSettings
from kubeci.settings.config import Config
from kubeci.settings.pattern import Pattern
from kubeci.workflow import metadata

SETTINGS = StackSettings(config=Config(build_branches=Pattern("^main$")), engine=False)
RUNNING = StackSettings(config=Config(build_branches=Pattern("^main$"), manual_templates=Pattern("^ship$")))
OK = "/kube-ci ok-to-test"


@pytest_asyncio.fixture(loop_scope="session")
async def talk(stacks: Stacks) -> Talk:
    scene = await stacks.scene(SETTINGS, PACE)
    scene.stack.github.member(scene.owner, "ada")
    return Talk(scene.stack, scene.repository)


def names(talk: Talk, sha: str) -> dict[str, str | None]:
    return {run.name: run.conclusion for run in talk.runs(sha)}


async def test_the_withheld_build_happens_once_and_a_later_push_asks_again(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, sha = await talk.fork()
    [refusal] = talk.runs(sha)
    assert f"`{OK}`" in str(refusal.output["summary"])
    assert await talk.told(pull, f"Looks good.\n\n{OK}") == ("", ["+1"])
    [built] = talk.built(sha)
    assert metadata.annotations_of(built)[metadata.PR_URL].endswith(f"/pull/{pull.number}")
    assert names(talk, sha) == {"Default Workflow": "neutral", "Workflow - ci": None}
    [row] = talk.stored(f"SELECT what, actor FROM builds WHERE workflow_uid != '' AND sha = '{sha}'")
    assert row == ("command", "ada")
    [[kept]] = talk.stored(
        "SELECT body FROM outcomes JOIN builds ON id = build_id "
        f"WHERE sha = '{sha}' AND superseded_by = 'Workflow - ci'"
    )
    assert b'"conclusion":"neutral"' in kept
    text, reactions = await talk.told(pull, OK)
    assert ("`Workflow - ci` runs for" in text, reactions) == (True, ["+1"])
    await talk.github.close_pull_request(pull)
    await talk.github.reopen_pull_request(pull)
    await talk.heard()
    assert len(talk.built(sha)) == 1
    newer = await talk.push_to_fork({"y": "2"})
    await talk.heard()
    assert talk.built(newer) == []
    assert names(talk, newer) == {"Default Workflow": "action_required"}
    assert await talk.told(pull, OK) == ("", ["+1"])
    assert len(talk.built(newer)) == 1


async def test_it_is_for_the_commit_that_was_seen(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, seen = await talk.fork()
    comment = await held(talk, pull, OK)
    sha = await talk.push_to_fork({"evil": "1"})
    talk.github.faults.clear()
    await talk.quiet()
    assert talk.built(seen) == talk.built(sha) == []
    [text] = talk.said(pull)
    assert f"write `{OK} {sha}`" in text
    assert talk.reactions(comment) == ["confused"]
    heard_later(talk)
    for written, reaction in ((seen, "confused"), (sha[:12], "confused"), (sha, "+1")):
        said = await talk.say(pull, f"{OK} {written}")
        assert talk.reactions(said) == [reaction]
    assert (len(talk.built(sha)), talk.built(seen)) == (1, [])


@pytest.mark.parametrize("command", [OK, "/kube-ci run"])
async def test_a_push_back_to_an_older_head_after_the_look_is_not_built(talk: Talk, command: str) -> None:
    await talk.push(PASSING)
    pull, evil = await talk.fork({"evil": "1"})
    looked_at = await talk.push_to_fork({"harmless": "1"})
    await talk.heard()
    comment = await held(talk, pull, command)
    fork = talk.github.state.repository(talk.fork_name)
    await push_ref(fork.path, f"+{evil}", "refs/heads/patch", "stranger")
    await talk.until(lambda: talk.sent("pull_request")[-1].payload["pull_request"]["head"]["sha"] == evil)
    talk.github.faults.clear()
    await talk.quiet()
    assert talk.built(evil) == talk.built(looked_at) == []
    assert talk.reactions(comment) == ["confused"]


async def test_what_was_begun_goes_on_whatever_is_pushed(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, seen = await talk.fork()
    talk.stack.cluster.faults.add("POST", "/workflows", status=500, times=100)
    comment = await talk.github.comment(talk.repository, pull.number, OK, by="ada")
    await talk.until(lambda: [run for run in talk.runs(seen) if run.name == "Workflow - ci"])
    sha = await talk.push_to_fork({"evil": "1"})
    talk.stack.cluster.faults.clear()
    await talk.quiet()
    assert (len(talk.built(seen)), talk.built(sha)) == (1, [])
    assert talk.reactions(comment) == ["+1"]


async def test_strangers_and_bots_let_nothing_in(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, sha = await talk.fork()
    text, reactions = await talk.told(pull, f"{OK} {sha}", by="stranger")
    assert ("you must be an organisation member" in text, reactions) == (True, ["-1"])
    assert await talk.told(pull, OK, by="renovate[bot]") == ("", [])
    assert talk.built(sha) == []
    assert names(talk, sha) == {"Default Workflow": "action_required"}


async def test_the_definition_is_the_bases_and_its_policy_a_strangers(talk: Talk) -> None:
    await talk.push({".kube-ci/ci.yaml": workflow(["echo", "ours"])})
    pull, sha = await talk.fork({".kube-ci/ci.yaml": workflow(["echo", "theirs"])})
    assert await talk.told(pull, OK) == ("", ["+1"])
    [built] = talk.built(sha)
    assert [each["container"]["command"] for each in built["spec"]["templates"][1:]] == [["echo", "ours"]]


async def test_a_broken_definition_of_the_base_is_told_and_builds_once_it_is_mended(talk: Talk) -> None:
    await talk.push({".kube-ci/ci.star": "workflow = missing\n"})
    pull, sha = await talk.fork()
    for _ in range(2):
        text, reactions = await talk.told(pull, OK)
        assert "The definition of `main` is broken: ``.kube-ci/ci.star:1" in text
        assert ("mend it there, then write the command again" in text, reactions) == (True, ["confused"])
    assert "`/kube-ci run` builds" not in text
    assert [run.conclusion for run in talk.runs(sha)] == ["neutral", "failure"]
    await talk.push({**PASSING, ".kube-ci/ci.star": None})
    assert await talk.told(pull, OK) == ("", ["+1"])
    assert len(talk.built(sha)) == 1
    assert [(run.name, run.conclusion) for run in talk.runs(sha)] == [
        ("Default Workflow", "neutral"),
        ("Default Workflow", "neutral"),
        ("Workflow - ci", None),
    ]
    text, reactions = await talk.told(pull, OK)
    assert ("`Workflow - ci` runs for" in text, reactions) == (True, ["+1"])
    assert len(talk.built(sha)) == 1


async def test_a_run_of_a_broken_definition_is_no_build_that_makes_the_ok_needless(talk: Talk) -> None:
    await talk.push({".kube-ci/ci.star": "workflow = missing\n"})
    pull, sha = await talk.fork()
    text, _ = await talk.told(pull, "/kube-ci run")
    assert "Default Workflow: failure: .kube-ci/ci.star:1" in text
    await talk.push({**PASSING, ".kube-ci/ci.star": None})
    assert await talk.told(pull, OK) == ("", ["+1"])
    assert len(talk.built(sha)) == 1


async def test_other_events_of_a_broken_definition_leave_its_one_check_run(talk: Talk) -> None:
    await talk.push(PASSING)
    _, sha = await talk.branch({".kube-ci/ci.star": "workflow = missing\n"})
    assert [run.conclusion for run in talk.runs(sha)] == ["failure"]
    why = "Default Workflow: failure: .kube-ci/ci.star:1:12: Variable `missing` not found"
    told = [reason for _, _, reason in talk.deliveries("done") if "ci.star" in reason]
    again = f"the definition failed already ({why}); Re-run on its check-run tries it anew"
    assert (set(told), told.count(why), len(told) > 1) == ({why, again}, 1, True)


async def test_path_rules_hold_where_run_overrides_them(talk: Talk) -> None:
    rules = {metadata.RUN_IF_CHANGED: "src/**"}
    await talk.push({".kube-ci/ci.yaml": workflow(["true"], annotations=rules)})
    pull, sha = await talk.fork({"README.md": "x"})
    text, reactions = await talk.told(pull, OK)
    assert ("skipped" in text, reactions, talk.built(sha)) == (True, ["+1"], [])
    assert names(talk, sha) == {"Default Workflow": "neutral", "Workflow - ci": "skipped"}
    assert await talk.told(pull, "/kube-ci run") == ("", ["+1"])
    assert len(talk.built(sha)) == 1


async def refused(talk: Talk, pull: Any, why: str, sha: str = "") -> None:
    text, reactions = await talk.told(pull, f"{OK} {sha}")
    assert (why in text, reactions) == (True, ["confused"]), text


async def test_drafts_and_other_bases_still_wait(talk: Talk) -> None:
    await talk.push(PASSING)
    await talk.push({"README": "x"}, branch="other")
    github = talk.github
    await github.fork(talk.repository, "stranger")
    draft_sha = await talk.push_to_fork({"x": "1"})
    draft = await github.open_pull_request(talk.repository, head=f"{talk.fork_name}:patch", draft=True)
    await talk.heard()
    await refused(talk, draft, "auto checks Draft PRs are disabled")
    github.user = "stranger"
    sha = await github.push(talk.fork_name, {"y": "1"}, branch="elsewhere")
    github.user = "octocat"
    elsewhere = await github.open_pull_request(
        talk.repository, head=f"{talk.fork_name}:elsewhere", base="other"
    )
    await talk.heard()
    await refused(talk, elsewhere, "do not match")
    assert talk.built(draft_sha) == talk.built(sha) == []


async def test_where_there_is_nothing_to_let_in(talk: Talk) -> None:
    pull, sha = await talk.branch(PASSING)
    text, reactions = await talk.told(pull, OK)
    assert ("`Workflow - ci` runs for" in text, reactions) == (True, ["+1"])
    assert len(talk.built(sha)) == 1
    issue = await talk.github.open_issue(talk.repository, "CI", "", by="ada")
    for thread, line, why in (
        (issue, OK, "ok-to-test is only valid on PR comments"),
        (pull, f"{OK} zzz", "write `/kube-ci ok-to-test`"),
        (pull, f"{OK} {sha} x", "write `/kube-ci ok-to-test`"),
        (pull, f"{OK} 0123456", "the head is not `0123456`"),
    ):
        text, reactions = await talk.told(thread, line)
        assert (why in text, reactions) == (True, ["confused"]), text
    await talk.github.close_pull_request(pull)
    await talk.quiet()
    await refused(talk, pull, "the pull request is closed")


async def test_a_pull_request_without_a_definition_is_told_so(talk: Talk) -> None:
    await talk.push({"README": "x"})
    pull, sha = await talk.fork(PASSING)
    await refused(talk, pull, "the commit has no CI definition", sha)
    assert talk.built(sha) == []


async def test_on_the_page_from_the_comment_to_the_green_check(stacks: Stacks) -> None:
    scene = await stacks.scene(RUNNING, PACE)
    talk = Talk(scene.stack, scene.repository)
    base = talk.github.base_url
    definition = yaml.safe_load(workflow(["true"]))
    definition["spec"]["templates"].append(
        {"name": "ship", "container": {"image": "alpine", "command": ["true"]}}
    )
    ours = await talk.push({".kube-ci/ci.yaml": yaml.safe_dump(definition)})
    await talk.until(lambda: names(talk, ours).get("Workflow - ci") == "success")
    pull, sha = await talk.fork()
    async with httpx.AsyncClient(trust_env=False, base_url=f"{base}/{talk.repository}") as browser:
        before = (await browser.get(f"/pull/{pull.number}")).text
        sent = await browser.post(f"/issues/{pull.number}/comments", data={"body": OK})
        assert ("Default Workflow" in before, "Workflow - ci" in before, sent.status_code) == (
            True,
            False,
            303,
        )
        await talk.until(lambda: names(talk, sha).get("Workflow - ci") == "success")
        await talk.until(lambda: names(talk, sha).get("Workflow - ship") == "neutral")
        await talk.quiet()
        after = (await browser.get(f"/pull/{pull.number}")).text
    assert names(talk, sha)["Default Workflow"] == "neutral"
    assert ("Workflow - ci" in after, "👍 1" in after) == (True, True)
