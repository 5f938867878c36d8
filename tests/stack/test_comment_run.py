"""`/kube-ci run` as people write it on the local GitHub, up to the workflow and the answer."""

from __future__ import annotations

from talk_kit import Talk, heard_later, held
from tests_stack import PASSING

from kubeci.local.github.faults import Fault
from kubeci.workflow import metadata

MEMBERS_ONLY = "you must be an organisation member to execute commands"


async def test_a_member_runs_a_forks_pull_request(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, sha = await talk.fork()
    assert talk.built(sha) == []
    assert await talk.told(pull, "Looks good.\n\n/kube-ci run") == ("", ["+1"])
    [built] = talk.built(sha)
    assert metadata.annotations_of(built)[metadata.PR_URL].endswith(f"/pull/{pull.number}")
    assert [run.name for run in talk.runs(sha) if run.status != "completed"] == ["Workflow - ci"]


async def test_a_stranger_is_told_so_and_nothing_runs(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, sha = await talk.fork()
    text, reactions = await talk.told(pull, "/kube-ci run\n/kube-ci deploy\n/kube-ci setup go", by="stranger")
    assert (text.splitlines()[0], reactions) == (MEMBERS_ONLY, ["-1"])
    assert talk.built(sha) == []
    assert not talk.deployments()


async def test_a_push_after_the_comment_is_not_built(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, seen = await talk.fork()
    # The comment is written, and the stranger pushes before its delivery is dealt with.
    fault = talk.github.faults.add(
        Fault("GET", f"/{talk.owner}/.*/pulls/{pull.number}$", status=502, times=100)
    )
    comment = await talk.github.comment(talk.repository, pull.number, "/kube-ci run", by="ada")
    await talk.until(lambda: fault.times < 100)
    sha = await talk.push_to_fork({"evil": "1"})
    talk.github.faults.clear()
    await talk.quiet()
    assert talk.built(seen) == talk.built(sha) == []
    [text] = talk.said(pull)
    assert f"`/kube-ci run {sha}`" in text
    assert talk.reactions(comment) == ["confused"]
    text, _ = await talk.told(pull, f"/kube-ci run {seen}")
    assert f"the head is not `{seen}`" in text
    assert await talk.told(pull, f"/kube-ci run {sha}") == ("", ["+1"])
    assert len(talk.built(sha)) == 1
    assert talk.built(seen) == []


async def test_without_an_answer_about_people_nobody_may(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, sha = await talk.fork()
    talk.github.installation(talk.repository).permissions.pop("members")
    talk.github.faults.add(
        Fault("GET", f"/{talk.owner}/members/", status=403, body='{"message": "No"}', times=1)
    )
    text, reactions = await talk.told(pull, "/kube-ci run")
    assert "GitHub does not say whether you may execute commands" in text
    assert (reactions, talk.built(sha)) == (["-1"], [])


async def test_a_build_that_was_begun_goes_on_whatever_is_pushed(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, seen = await talk.fork()
    talk.stack.cluster.faults.add("POST", "/workflows", status=500, times=100)
    comment = await talk.github.comment(talk.repository, pull.number, "/kube-ci run", by="ada")
    await talk.until(lambda: [run for run in talk.runs(seen) if run.name == "Workflow - ci"])
    sha = await talk.push_to_fork({"evil": "1"})
    talk.stack.cluster.faults.clear()
    await talk.quiet()
    assert (len(talk.built(seen)), talk.built(sha)) == (1, [])
    assert talk.reactions(comment) == ["+1"]


async def test_only_a_whole_sha_says_what_was_looked_at(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, sha = await talk.fork()
    heard_later(talk)
    for written, reaction in (("", "confused"), (sha[:12], "confused"), (sha, "+1")):
        comment = await talk.say(pull, f"/kube-ci run {written}")
        assert talk.reactions(comment) == [reaction]
    assert len(talk.built(sha)) == 1


async def test_an_answer_to_a_deleted_comment_is_let_go(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, sha = await talk.fork()
    comment = await held(talk, pull, f"/kube-ci run {sha}")
    await talk.github.delete_comment(talk.repository, comment.id, by="ada")
    talk.github.faults.clear()
    await talk.quiet()
    assert len(talk.built(sha)) == 1
    assert [reason for _, _, reason in talk.deliveries("done") if "GitHub does not take the answer" in reason]
