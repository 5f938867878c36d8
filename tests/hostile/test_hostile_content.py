"""What strangers write (logs, names, titles, what a definition prints and how it fails) is text wherever it is shown."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from markdown_it import MarkdownIt
from markdown_it.token import Token

from kubeci.errors import DefinitionError, Location
from kubeci.model.build import Build
from kubeci.model.check_run import CheckRun, Conclusion, Status
from kubeci.model.deployment import DeploymentState
from kubeci.model.report import NodeLog
from kubeci.model.repository import Commit, Ref, Repository
from kubeci.policy.commands import parse_commands
from kubeci.policy.paths import PathRules, parse_globs, skip_reason
from kubeci.report import errors
from kubeci.report.check_run import Subject, report
from kubeci.report.news import news_of_build, news_of_deployment
from kubeci.service.answer import refused
from kubeci.service.commands.reply import reply_to
from kubeci.telemetry import configure_logging
from kubeci.workflow.status import WorkflowState, read_state

WORDS = [
    "EVIL @acme/EVIL @EVIL",
    "EVIL#1 GH-1 acme/EVIL#1 fixes #2 closes https://github.com/acme/EVIL/issues/3",
    "EVIL " + "0123456789abcdef" * 2 + "01234567",
    "<img src='https://EVIL/beacon.png' onerror=x>",
    "![EVIL](https://EVIL/beacon.png) [EVIL](javascript:EVIL)",
    "https://EVIL.example www.EVIL.example EVIL@example.org",
    "<!-- EVIL",
    "</details></pre></code> EVIL",
    "- [ ] EVIL",
    "# EVIL\n===\nEVIL",
    "`EVIL` ``EVIL`` ```EVIL",
    "```\nEVIL @acme/EVIL\n```",
    "~~~~\nEVIL\n~~~~\nEVIL",
    "````````````````\n@acme/EVIL",
    "\n\n@acme/EVIL\n\n",
    "| EVIL | @EVIL |\n| --- | --- |\n\\| EVIL \\\\| EVIL",
    "\\`@EVIL\\` \\\\`EVIL",
    "`@EVIL",
    "@EVIL`",
    "EVIL\r\n```\r@acme/EVIL",
    "\x1b]0;EVIL\x07\x1b[2J\x9b31mEVIL",
    "\u202eEVIL\u2066\u200b\ufeff\U000e0041",
    "$EVIL$ $$EVIL$$ :EVIL: [^EVIL]",
    "&lt;EVIL&gt; &#64;EVIL",
    "EVIL\x00\u2028@EVIL\u2029@EVIL\x85@EVIL",
]
SEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\u200b\ufeff\U000e0000-\U000e007f]")
HERE = Repository("acme", "widgets", 1)
BUILD = Build(
    "b",
    Commit(HERE, "a" * 40),
    Ref("main"),
    "ci",
    "Workflow - ci",
    "ci",
    "wf",
    datetime(2026, 1, 1, tzinfo=UTC),
)


def state_of(words: str, phase: str = "Failed", node_phase: str = "Failed") -> WorkflowState:
    names = {"name": f"wf.{words}", "displayName": words, "templateName": words, "message": words}
    times = {"startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:01Z"}
    nodes: dict[str, Any] = {
        "wf": {
            "name": "wf",
            "displayName": "wf",
            "type": "Steps",
            "phase": node_phase,
            "children": ["n", "m", words],
        },
        "n": names | times | {"type": "Pod", "phase": node_phase},
        "m": names | {"type": "Pod", "phase": words, "message": f"child '{words}' failed"},
        words: names | {"type": words, "phase": "Error", "message": f"x: Error (exit code 1): {words}"},
    }
    status = {"phase": phase, "message": words, "nodes": nodes}
    return read_state({"metadata": {"name": "wf", "namespace": "ci"}, "status": status})


def check_runs(words: str) -> Iterator[CheckRun]:
    subject = Subject(
        "Workflow - ci", "ci", "", warnings=(words,), prints=tuple(words.split("\n")), loaded=(words,)
    )
    log = NodeLog("n", tail=(*words.split("\n"), words), missing=words, refused=True)
    for phase in ("Failed", "Error", "Running", "Pending", "Succeeded", words):
        for node_phase in ("Failed", "Running", "Succeeded"):
            yield report(subject, state_of(words, phase, node_phase), {"n": log, words: log})
    yield report(replace(subject, superseded_by=words), state_of(words), {})
    yield report(subject, replace(state_of(words, words), deleted=True), {})
    for error in (
        DefinitionError(words, where=Location(".kube-ci/ci.star", 3)),
        DefinitionError("x", where=Location(words, 1), hint=words),
        DefinitionError(f"x\n{words}\n{words}"),
    ):
        yield errors.definition_failed(error, prefix="unable to parse workflow, ")
    waiting = errors.definition_failed(DefinitionError("x"), prefix="")
    yield errors.waiting(waiting, words)
    yield replace(waiting, summary=errors.unfollowed(words))
    yield errors.refusal_superseded(words)
    globs = parse_globs(words.replace("{", "").replace("}", ""))
    for rules, changed in ((PathRules(run_if_changed=globs), ["x"]), (PathRules((), ("**", *globs)), ["x"])):
        yield errors.skipped("Workflow - ci", "ci", skip_reason(rules, changed))


def loose(tokens: list[Token]) -> Iterator[Token]:
    """Give the parts of a document where foreign text does not belong: all but code."""
    for token in tokens:
        if token.children:
            yield from loose(token.children)
        elif token.type not in {"code_inline", "fence", "code_block", "inline"}:
            yield token


def assert_neutral(markdown: str) -> None:
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown)
    for token in loose(tokens):
        assert "EVIL" not in f"{token.content}{token.attrs}", (token.type, token.content, markdown)
        assert token.type not in {"html_inline", "html_block", "link_open", "image"}, (
            token.content,
            markdown,
        )
    assert not SEEN.search(markdown), ascii(markdown)


@pytest.mark.parametrize("words", WORDS, ids=range(len(WORDS)))
def test_on_check_runs_it_is_code(words: str) -> None:
    shown = 0
    for check in check_runs(words):
        for markdown in (check.summary, check.text):
            assert_neutral(markdown)
            shown += "EVIL" in markdown
        assert "EVIL" not in check.title + check.name
        assert len(check.summary.encode()) <= 65_535
    assert shown > 10


@pytest.mark.parametrize("words", WORDS, ids=range(len(WORDS)))
def test_in_comments_it_is_code(words: str) -> None:
    for text in (f"/kube-ci {words}", f"/kube-ci run '{words}'"):
        lines = parse_commands(text)
        reply = reply_to(lines, [refused("no")] * len(lines))
        assert_neutral(reply.text)
        assert_neutral(reply_to((*lines, *lines), [refused("no")] * 2 * len(lines)).text)


@pytest.mark.parametrize(
    "words", [*WORDS, "<!channel> <!subteam^S1> <@U1> @here @channel EVIL", "<https://EVIL|EVIL>"]
)
def test_in_slack_it_is_text(words: str) -> None:
    check = next(each for each in check_runs(words) if each.conclusion is Conclusion.FAILURE)
    build = replace(BUILD, title=words, ref=Ref(words), actor=words, check_run_id=1)
    news = news_of_build(build, check, None, "https://github.com")
    told = news_of_deployment(build, words, DeploymentState.FAILURE, "javascript:EVIL", "https://github.com")
    assert news
    assert told
    for text in (news.text, told.text):
        assert not SEEN.search(text.replace("\u2060", "")), ascii(text)
        assert not re.search(r"@(here|channel|everyone)\b", text)
        links = re.findall(r"<([^>|]*)", text)
        assert all(link.startswith("https://github.com/acme/widgets/") for link in links), text
        outside = "".join(text.replace("\n", " ").split("`")[::2])
        assert "EVIL" not in re.sub(r"<[^>]*>", "", outside), text


@pytest.mark.parametrize("words", WORDS, ids=range(len(WORDS)))
def test_in_the_servers_log_it_commands_no_terminal(words: str) -> None:
    before = structlog.get_config()
    try:
        for form in ("console", "json"):
            with redirect_stderr(io.StringIO()) as said:
                configure_logging("json" if form == "json" else "console", level=logging.INFO)
                structlog.get_logger().warning("a delivery failed", error=words, title=words.replace(" ", ""))
            line = said.getvalue()
            assert line.count("\n") == 1
            assert not SEEN.search(line), ascii(line)
    finally:
        structlog.configure(**before)


def test_an_annotation_says_what_the_log_says_without_what_hides() -> None:
    error = DefinitionError("\x1b[2J\u202eno", where=Location(".kube-ci/ci.yaml", 3), hint="\u200bno")
    annotation = errors.annotation_of(error)
    assert annotation
    assert annotation.message == "[U+202E]no; [U+200B]no"
    assert Status.COMPLETED is errors.definition_failed(error, prefix="").status
