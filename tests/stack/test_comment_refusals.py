"""Comments that are refused with a reason, and those that ask for nothing."""

from __future__ import annotations

from pathlib import Path

from talk_kit import Talk
from tests_stack import PASSING

from kubeci.local.github import git

ON_A_FORK = [
    ("/kube-ci run zzz", "the sha of the head"),
    ("/kube-ci run abc", "at least 7 digits"),
    ("/kube-ci run 0123456", "the head is not `0123456`"),
    ("/kube-ci deploy a b", "please specify one environment"),
    ("/kube-ci deploy", "what is deployed must be in this one"),
    ("/kube-ci setup go", "the pull request comes from another repository"),
    ("/kube-ci retry", "nothing has failed"),
    ("/kube-ci cancel", "nothing is running"),
    ("/kube-ci rum", "did you mean `/kube-ci run`?"),
    ("/kube-ci run 'a", "a quote is not closed"),
]


async def test_what_is_refused_on_a_forks_pull_request(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, sha = await talk.fork()
    for text, answer in ON_A_FORK:
        told, reactions = await talk.told(pull, text)
        assert (answer in told, reactions) == (True, ["confused"]), told
    assert talk.built(sha) == []
    repository = talk.github.state.repository(talk.repository)
    assert list(await git.refs(repository.path, "refs/heads/")) == ["refs/heads/main"]


async def test_what_is_no_command_costs_nothing(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, sha = await talk.fork()
    talk.github.requests.clear()
    for text in ("```\n/kube-ci run\n```", "> /kube-ci run", "see /kube-ci run"):
        assert await talk.told(pull, text) == ("", [])
    comment = await talk.say(pull, "Hello")
    await talk.github.edit_comment(talk.repository, comment.id, "/kube-ci run", by="ada")
    await talk.quiet()
    asked = [each.path for each in talk.github.requests]
    assert [path for path in asked if "/acme-" not in path or f"/{talk.owner}/" in path] == []
    assert talk.built(sha) == []


ON_AN_ISSUE = [
    ("/kube-ci setup", "please specify one template"),
    ("/kube-ci setup gp", "unknown template `gp`"),
    ("/kube-ci setup lost", "the operator's setting `templates` is wrong"),
    ("/kube-ci setup none", "the operator's setting `templates` is wrong"),
    ("/kube-ci setup big", "the operator's setting `templates` is wrong"),
    ("/kube-ci setup binary", "the operator's setting `templates` is wrong"),
    ("/kube-ci run", "run is only valid on PR comments"),
    ("/kube-ci cancel", "cancel is only valid on PR comments"),
    ("/kube-ci retry", "retry is only valid on PR comments"),
    ("/kube-ci deploy", "no template deploys"),
    ("/kube-ci deploy staging --template ci", "is not a deployment template"),
]


async def test_what_is_refused_on_an_issue(talk: Talk, templates: Path) -> None:
    sha = await talk.push(PASSING)
    issue = await talk.github.open_issue(talk.repository, "CI", "", by="ada")
    for text, answer in ON_AN_ISSUE:
        told, reactions = await talk.told(issue, text)
        assert (answer in told, reactions) == (True, ["confused"]), told
        assert str(templates) not in told
    repository = talk.github.state.repository(talk.repository)
    assert (await git.refs(repository.path, "refs/heads/"))["refs/heads/main"] == sha
    text, reactions = await talk.told(issue, "/kube-ci")
    assert reactions == ["+1"]
    assert "- `/kube-ci deploy [ENV] [--template NAME]`: " in text
    assert "- `go`: `For @everyone who writes Go`" in text


async def test_bots_give_no_commands(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, sha = await talk.fork()
    for bot in ("renovate[bot]", f"{talk.github.state.app.slug}[bot]"):
        comment = await talk.say(pull, "/kube-ci run", by=bot)
        assert talk.reactions(comment) == []
    assert talk.built(sha) == []
    assert [reason for _, _, reason in talk.deliveries("done") if "bots" in reason]


async def test_an_issue_without_text_asks_for_nothing(talk: Talk) -> None:
    await talk.github.open_issue(talk.repository, "CI", "", by="ada")
    await talk.quiet()
    assert [reason for event, _, reason in talk.deliveries("done") if event == "issues"] == ["no command"]
