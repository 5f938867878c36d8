"""`/kube-ci cancel` and `/kube-ci retry`, up to the workflow and the answer."""

from __future__ import annotations

from shared_stacks import Stacks
from talk_kit import PACE, Talk
from tests_stack import workflow

from kubeci.local.github.faults import Fault
from kubeci.local.stack import StackSettings

LONG = {".kube-ci/ci.yaml": workflow(["sleep", "60"])}
RUNNING_FAST = StackSettings()


async def test_several_commands_get_one_answer(talk: Talk) -> None:
    pull, sha = await talk.branch(LONG)
    text, reactions = await talk.told(
        pull, "/kube-ci cancel\r\n/kube-ci nonsense @ada\r\n\r\n/kube-ci run\r\n/kube-ci 'x"
    )
    assert reactions == ["confused"]
    assert [line.split("`")[1] for line in text.splitlines() if line.startswith("- ")] == [
        "/kube-ci cancel",
        "/kube-ci nonsense @ada",
        "/kube-ci run",
        "/kube-ci 'x",
    ]
    old, new = sorted(talk.built(sha), key=lambda each: int(each["metadata"]["resourceVersion"]))
    assert {old["spec"].get("shutdown"), new["spec"].get("shutdown")} == {"Stop", None}


async def test_cancel_stops_and_a_second_terminates(talk: Talk) -> None:
    pull, sha = await talk.branch(LONG)
    for wanted in ("Stop", "Terminate"):
        assert await talk.told(pull, "/kube-ci cancel") == ("", ["+1"])
        [running] = talk.built(sha)
        assert running["spec"]["shutdown"] == wanted


async def test_a_cancel_that_is_tried_again_does_not_terminate(talk: Talk) -> None:
    pull, sha = await talk.branch(LONG)
    # First the cluster does not stop it, then GitHub does not take the answer.
    [name] = [each["metadata"]["name"] for each in talk.built(sha)]
    talk.stack.cluster.faults.add("PATCH", f"/workflows/{name}", status=500, times=2)
    talk.github.faults.add(Fault("POST", f"/{talk.owner}/.*/reactions", status=502, times=3))
    comment = await talk.say(pull, "/kube-ci cancel")
    assert talk.reactions(comment) == ["+1"]
    [running] = talk.built(sha)
    assert running["spec"]["shutdown"] == "Stop"


async def test_retry_builds_what_failed(stacks: Stacks) -> None:
    scene = await stacks.scene(RUNNING_FAST, PACE)
    talk = Talk(scene.stack, scene.repository)
    pull, sha = await talk.branch({".kube-ci/ci.yaml": workflow(["false"])})
    await talk.concluded(sha)
    await talk.until(lambda: "failure" in {run.conclusion for run in talk.runs(sha)})
    unfinished = f"SELECT id FROM builds WHERE state != 'finished' AND owner = '{talk.owner}'"
    await talk.until(lambda: not talk.stored(unfinished))
    await talk.quiet()
    talk.github.faults.add(
        Fault("POST", f"/{talk.owner}/.*/reactions", status=502, times=3)
    )  # tried again, done once
    assert await talk.told(pull, "/kube-ci retry", by="octocat") == ("", ["+1"])
    again = await talk.concluded(sha, count=2)
    assert (again.name, again.conclusion) == ("Workflow - ci", "failure")
    assert len(talk.built(sha)) == 1, "its failed steps were retried"
