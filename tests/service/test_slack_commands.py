"""Slack commands the whole way: signed by the local Slack, stored, carried out, answered."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import pytest
from slack_kit import EVE, REPOSITORY, SlackScene, commands_of, config_for, scene_in, without_access, workflow

from kubeci.errors import UpstreamError
from kubeci.local.github.faults import Fault
from kubeci.local.slack.commands import form_of
from kubeci.model.slack import SlackCommand
from kubeci.settings.pattern import Pattern
from kubeci.settings.slack import SlackAccess, SlackVerb

BUILT = re.compile(r"`acme/widgets`: submitted argo/\S+ — <http://127\.0\.0\.1:\d+/workflows/argo/\S+\|Argo>")

PAYLOAD = msgspec.json.encode(
    SlackCommand("/ci-build", "acme/widgets", "U0ADA", "", "C00000001", "T1", "https://x/", "t")
)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[SlackScene]:
    async with scene_in(tmp_path) as made:
        yield made


async def push(scene: SlackScene, *, deploying: bool = False, branch: str = "main") -> str:
    return await scene.around.github.push(
        REPOSITORY, {".kube-ci/ci.yaml": workflow(deploying=deploying)}, branch=branch
    )


async def test_a_build_is_begun_and_its_result_told_with_a_link(scene: SlackScene) -> None:
    await push(scene)
    sha = await push(scene, branch="next")
    assert await scene.give("/ci-build", "acme/widgets next") == (
        "building `acme/widgets` at `next` for <@U0ADA>…"
    )
    _, result = await scene.told()
    assert BUILT.fullmatch(result)
    assert [said.only_to for said in scene.slack.messages("builds")] == ["", ""]
    [made] = scene.workflows()
    assert sha in str(made["metadata"])
    [build] = await scene.rooms.builds.newest()
    assert (build.what, build.actor) == ("slack", "slack:U0ADA")


async def test_without_a_ref_the_default_branch_is_built(scene: SlackScene) -> None:
    sha = await push(scene)
    assert "at its default branch" in await scene.give("/ci-build", "acme/widgets")
    assert BUILT.fullmatch((await scene.told())[1])
    assert sha in str(scene.workflows()[0]["metadata"])


async def test_a_deployment_is_created_and_set_up_writes_the_template(scene: SlackScene) -> None:
    await push(scene, deploying=True)
    assert await scene.give("/ci-deploy", "acme/widgets production") == (
        "deploying `acme/widgets` to `production` for <@U0ADA>…"
    )
    assert re.fullmatch(
        r"`acme/widgets`: deploying `\w{7}` to `production` by `deploy` \(deployment \d+\)",
        (await scene.told())[1],
    )
    assert await scene.give("/ci-setup", "acme/widgets plain") == (
        "setting up `acme/widgets` with the template `plain` on its default branch for <@U0ADA>…"
    )
    assert "`.kube-ci/ci.yaml` on `main` now is the template `plain`" in (await scene.told(4))[3]
    await scene.done()
    assert await scene.give("/ci-deploy", "acme/widgets") == "deploying `acme/widgets` for <@U0ADA>…"
    assert "no template deploys" in (await scene.told(6))[5]
    assert scene.slack.messages("builds")[5].only_to == "U0ADA"


async def test_without_a_template_they_are_listed_at_once(scene: SlackScene) -> None:
    assert await scene.give("/ci-setup", "acme/widgets") == (
        "There are these templates:\n• `empty`\n• `plain` for &lt;all&gt;"
    )
    assert scene.stored() == []


TOLD_AT_ONCE = [
    ("/ci-build", "", "usage: /ci-build org/repo [ref]"),
    ("/ci-build", "widgets", "usage: /ci-build org/repo [ref]"),
    ("/ci-build", "acme/widgets main more", "usage: /ci-build org/repo [ref]"),
    ("/ci-build", "acme/..", "usage: /ci-build org/repo [ref]"),
    ("/ci-build", f"acme/widgets {'x' * 300}", "usage: /ci-build org/repo [ref]"),
    ("/ci-setup", "acme/widgets a b c", "usage: /ci-setup org/repo [template [branch]]"),
    ("/ci-deploy", "<!channel>", "usage: /ci-deploy org/repo [env]"),
    (
        "/ci-fly",
        "acme/widgets",
        "unknown command /ci-fly; there are /ci-setup, /ci-build, /ci-deploy",
    ),
    (
        "/ci-build",
        "evil/widgets",
        "you may not build evil/widgets from here: ask the operator to add you to `slack.access` (user U0ADA, channel C00000001)",
    ),
]


async def test_what_is_not_done_is_told_to_its_author_alone(scene: SlackScene) -> None:
    for command, text, answer in TOLD_AT_ONCE:
        assert await scene.give(command, text) == answer
    assert {said.only_to for said in scene.slack.messages("builds")} == {"U0ADA"}
    assert scene.stored() == []


async def test_a_stranger_may_do_nothing(scene: SlackScene) -> None:
    await push(scene)
    for command in ("/ci-build", "/ci-setup", "/ci-deploy"):
        answer = await scene.give(command, "acme/widgets plain", user=EVE)
        assert answer.startswith("you may not ")
        assert "U0EVE" in answer
    assert scene.stored() == []
    assert scene.workflows() == []


async def test_what_was_allowed_is_asked_again_before_it_is_done(scene: SlackScene) -> None:
    await push(scene)
    late = commands_of(without_access(scene.rooms), Silent())
    outcome = await late.handle(PAYLOAD, "d", datetime.now(UTC))
    assert outcome.startswith("you may not build acme/widgets")
    assert scene.workflows() == []


async def test_the_rule_is_asked_for_the_name_that_github_has(tmp_path: Path) -> None:
    all_but_one = SlackAccess((Pattern("acme/[^w].*|acme/W.*"),), (SlackVerb.BUILD,), channels=("C00000001",))
    async with scene_in(tmp_path, config_for(tmp_path, all_but_one)) as scene:
        await push(scene)
        assert (await scene.give("/ci-build", "acme/Widgets")).startswith("building")
        assert "you may not build acme/Widgets" in (await scene.told())[1]
        assert scene.workflows() == []


async def test_a_repository_that_is_not_served_is_left_alone(scene: SlackScene) -> None:
    await push(scene)
    outcome = await commands_of(scene.rooms, Silent(), owners="^other$").handle(
        PAYLOAD, "d", datetime.now(UTC)
    )
    assert outcome == "acme/widgets is not served here: owner `acme` does not match -orgs"
    assert scene.workflows() == []


UNKNOWN = [
    ("acme/nowhere", "there is no repository acme/nowhere that the GitHub App is installed in"),
    ("acme/widgets nothing", "nothing"),
    ("acme/widgets <!here>", "&lt;!here&gt;"),
]


async def test_a_repository_or_ref_that_is_not_there(scene: SlackScene) -> None:
    await push(scene)
    for number, (text, words) in enumerate(UNKNOWN):
        await scene.give("/ci-build", text)
        result = (await scene.told(2 * number + 2))[-1]
        assert words in result
        assert "<!" not in result
        assert scene.slack.messages("builds")[-1].only_to == "U0ADA"
    assert [state for state, _ in await scene.done()] == ["done"] * len(UNKNOWN)


async def test_the_same_trigger_twice_is_one_build(scene: SlackScene) -> None:
    await push(scene)
    channel = scene.slack.workspace.find("builds")
    assert channel
    form = form_of(scene.slack.workspace, scene.slack.base_url, channel, "U0ADA", "/ci-build acme/widgets")
    body = urlencode(form).encode()
    assert (await scene.slack.send("builds", "U0ADA", body)).startswith("building")
    assert await scene.slack.send("builds", "U0ADA", body) == "this command was taken already"
    await scene.told(3)
    await scene.give("/ci-build", "acme/widgets")
    await scene.told(5)
    assert len(await scene.done()) == len(scene.workflows()) == 2


async def test_slack_is_answered_while_github_hangs(scene: SlackScene) -> None:
    await push(scene)
    scene.github_fault("*", ".", delay_seconds=60.0, times=1000)
    answer = await scene.give("/ci-build", "acme/widgets")
    assert answer.startswith("building")
    scene.around.github.faults.clear()
    assert BUILT.fullmatch((await scene.told())[1])


async def test_the_last_failure_is_told(scene: SlackScene) -> None:
    await push(scene)
    scene.github_fault("*", ".", status=502, times=10_000)
    await scene.give("/ci-build", "acme/widgets")
    assert "`acme/widgets`: given up: " in (await scene.told())[1]
    [(state, reason)] = await scene.done()
    assert state == "parked"
    assert "502" in reason


async def test_an_answer_is_tried_again_and_the_build_not_repeated(scene: SlackScene) -> None:
    await push(scene)
    scene.slack.faults.add(Fault("POST", "/commands/", 503, body="{}", times=2))
    await scene.give("/ci-build", "acme/widgets")
    assert BUILT.fullmatch((await scene.told())[1])
    scene.slack.faults.add(Fault("POST", "/commands/", 503, body="{}", times=3))
    await scene.give("/ci-build", "acme/widgets")
    await scene.until(lambda: len(scene.workflows()) == 2)
    state, reason = (await scene.done())[1]
    assert state == "done"
    assert re.search(r"submitted argo/\S+; not told: Slack answered 503", reason)
    assert len(scene.texts()) == 3


async def test_what_is_handled_again_after_a_crash_is_one_build(scene: SlackScene) -> None:
    await push(scene)
    commands = commands_of(scene.rooms, Silent())
    outcomes = [await commands.handle(PAYLOAD, "d", datetime.now(UTC)) for _ in range(2)]
    assert outcomes[0].startswith("submitted ")
    assert outcomes[1].startswith("already built ")
    assert len(scene.workflows()) == 1


async def test_an_outage_is_raised_until_the_last_attempt(scene: SlackScene) -> None:
    await push(scene)
    silent = Silent()
    commands = commands_of(scene.rooms, silent)
    scene.github_fault("*", ".", status=502, times=10_000)
    for last, told in ((False, 0), (True, 1)):
        with pytest.raises(UpstreamError):
            await commands.handle(PAYLOAD, "d", datetime.now(UTC), last_attempt=last)
        assert len(silent.texts) == told


class Silent:
    """Slack, where nobody listens."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def respond(self, response_url: str, text: str, *, public: bool) -> None:
        assert response_url == "https://x/"
        self.texts.append(f"{public} {text}")
