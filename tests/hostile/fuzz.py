"""Fuzzing of what reads foreign input: each target is a name, a strategy and a property.

A property takes one value, and raises when something is wrong: an error that is none of ours, a law that does not hold,
more processor time than `MAX_SECONDS`.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fuzz_inputs import (
    MANIFEST,
    changed,
    deliveries,
    json_objects,
    odd_bytes,
    odd_text,
    unicode_text,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kubeci.definition.addresses import MAX_ADDRESS, Address, check, context_address, resolve
from kubeci.definition.definition import Definition
from kubeci.definition.starlark_errors import read_error
from kubeci.definition.starlark_source import prepare as prepare_source
from kubeci.definition.yaml_reader import read_yaml
from kubeci.errors import DefinitionError, Invalid, KubeCIError, Location
from kubeci.fetch.addresses import is_public
from kubeci.github import signature
from kubeci.github.events import decode
from kubeci.github.payload import payload_of
from kubeci.model.build import Build
from kubeci.model.context import Entry, EntryKind, assemble
from kubeci.model.event import about
from kubeci.model.repository import Commit, Ref, Repository
from kubeci.model.slack import SlackCommand
from kubeci.policy.asks import Own, refusals
from kubeci.policy.asks_told import problems_of
from kubeci.policy.commands import Command, parse_commands
from kubeci.policy.paths import PathRules, parse_globs, skip_reason
from kubeci.policy.skips import skip_of
from kubeci.policy.slack import wish_of
from kubeci.redaction import MASK, Redaction
from kubeci.report.annotations import AnnotationParser
from kubeci.report.errors import annotation_of, definition_failed
from kubeci.report.markdown import code, cut, fence
from kubeci.report.mrkdwn import escape, of_markdown
from kubeci.report.plain import one_line, plain
from kubeci.service.examine import examine
from kubeci.service.plan import plan_of
from kubeci.service.step_logs import LINE_BYTES, LogTail
from kubeci.settings.asks import RESTRICTED
from kubeci.settings.config import Config
from kubeci.slack.commands import read_command
from kubeci.workflow.cache import plan_cache
from kubeci.workflow.canonical import canonical
from kubeci.workflow.claims import claim_name
from kubeci.workflow.decorate import Surroundings, decorate
from kubeci.workflow.names import LABEL_LIMIT, label_safe, workflow_name
from kubeci.workflow.references import Run
from kubeci.workflow.status import nodes_with_logs, read_state

MAX_SECONDS = 1.0
"""Processor time of one value; the largest has some ten thousand characters."""
_LABEL = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?")
_HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\ud800-\udfff]")
_HERE = Repository("acme", "widgets", 1)
_BUILD = Build(
    "b" * 40,
    Commit(_HERE, "a" * 40),
    Ref("main"),
    "",
    "Workflow - ci",
    "argo",
    "widgets.main.x1",
    datetime(2026, 1, 1, tzinfo=UTC),
)

Property = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Target:
    """What is fuzzed."""

    name: str
    values: st.SearchStrategy[Any]
    holds: Property


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of fuzzing one target; `finding` is empty when all held."""

    name: str
    cases: int
    finding: str = ""


def fuzz(target: Target, examples: int) -> Tried:
    """Try so many values; gives how many were tried, and the first finding in its smallest form."""
    cases = 0

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(target.values)
    def law(value: Any) -> None:
        nonlocal cases
        cases += 1
        tried(target, value)

    try:
        law()
    except Exception as error:  # noqa: BLE001 - a finding is whatever comes out
        return Tried(target.name, cases, f"{type(error).__name__}: {error}"[:2_000])
    return Tried(target.name, cases)


def tried(target: Target, value: Any) -> None:
    """Hold one value against a target's property and the time that it may take; errors of ours are answers."""
    started = time.thread_time()
    with suppress(KubeCIError):
        target.holds(value)
    took = time.thread_time() - started
    assert took < MAX_SECONDS, f"{target.name} took {took:.1f} s"


def _delivery(value: tuple[str, bytes]) -> None:
    event, payload = value
    with suppress(Invalid):
        repository, sha = about(decode(event, payload))
        assert isinstance(repository + sha, str)


def _form(value: tuple[str, bytes]) -> None:
    document = payload_of(*value)
    assert isinstance(document, bytes)


def _signature(value: tuple[bytes, str]) -> None:
    body, header = value
    assert not signature.verify(b"secret", body, header)
    assert signature.verify(b"secret", body, signature.sign(b"secret", body))


def _annotations(value: tuple[bytes, int]) -> None:
    log, size = value
    whole, parts = AnnotationParser(), AnnotationParser()
    found = [*whole.feed(log), *whole.close()]
    again = [each for at in range(0, len(log), size) for each in parts.feed(log[at : at + size])]
    assert [*again, *parts.close()] == found
    assert parts.tail == whole.tail
    for each in found:
        assert not each.path.startswith("/")
        assert ".." not in each.path.split("/")
        assert "\\" not in each.path
        assert 0 < each.line < 1 << 31
        assert each.level in {"notice", "warning", "failure"}
    for text in (*whole.tail, *(each.path + each.message for each in found)):
        assert not _HIDDEN.search(text), ascii(text)


def _log_tail(value: tuple[bytes, int]) -> None:
    log, size = value
    whole, parts = LogTail(), LogTail()
    whole.feed(log)
    for at in range(0, len(log), size):
        parts.feed(log[at : at + size])
    whole.close()
    parts.close()
    assert whole.lines() == parts.lines()
    assert all(len(line.encode()) <= 8 * LINE_BYTES for line in whole.lines())


def _names(value: tuple[str, str, str]) -> None:
    repository, ref, entrypoint = value
    for name in (label_safe(*value), workflow_name(repository, ref, "b" * 40, entrypoint)):
        assert len(name) <= LABEL_LIMIT
        assert _LABEL.fullmatch(name), name
    claim = claim_name(Repository(repository, ref, 1), entrypoint)
    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", claim), claim


def _commands(text: str) -> None:
    for found in parse_commands(text):
        assert found.line.startswith("/kube-ci")
        assert not isinstance(found, Command) or found.name
    skip_of(text)


def _slack(value: tuple[str, str, bytes]) -> None:
    command, text, body = value
    wish_of(SlackCommand(command, text, "U1", "ada", "C1", "T1", "https://hooks.slack.com/x", "1"))
    read_command(body, slack_url="https://slack.com")


_BASES = (
    context_address("a/ci.star"),
    Address("github", "widgets.acme", "/ci/a.star", "v1"),
    Address("https", "example.org", "/dir/a.star", "x=1"),
)


def _address(value: tuple[int, str]) -> None:
    base, text = value
    try:
        found = resolve(_BASES[base], text, "acme")
    except ValueError:
        return
    assert check(found) == found
    assert found.path.startswith("/")
    assert not {"", ".", ".."} & set(found.path[1:].split("/"))
    assert found.path.isprintable()
    if found.scheme == "https":
        assert found.url.isascii()
        assert "@" not in found.host
        assert not set(found.url) & set(" \r\n\t\\")
        assert len(found.url) > MAX_ADDRESS or resolve(_BASES[0], found.url).url == found.url


def _public(text: str) -> None:
    assert not (is_public(text) and text.startswith(("127.", "10.", "169.254.", "0.", "::")))


def _globs(value: tuple[str, str, list[str]]) -> None:
    one, two, files = value
    skip_reason(PathRules(parse_globs(one), parse_globs(two)), files)


def _redaction(value: tuple[str, str]) -> None:
    before, after = value
    secret = "s3cr3t-of-the-server"
    told = Redaction([secret])(f"{before}{secret}{after}")
    assert secret not in told
    assert MASK in told


def _markdown(text: str) -> None:
    for written in (code(text), fence(text.split("\n")), cut(text, 100), one_line(text), plain(text)):
        assert not _HIDDEN.search(written.replace("\r", "")) or written == cut(text, 100)
    span = code(text)
    assert "\n" not in span
    ticks = len(span) - len(span.lstrip("`"))
    assert not span or (span.endswith("`" * ticks) and "`" * ticks not in span[ticks:-ticks])
    opening, *inside, closing = fence(text.split("\n")).split("\n")
    assert opening == f"{closing}text"
    assert not any(line.strip().startswith(closing) for line in inside)


def _mrkdwn(text: str) -> None:
    for written in (escape(text), of_markdown(text)):
        assert "<" not in written
        assert not re.search(r"@(here|channel|everyone)\b", written, re.IGNORECASE)


def _yaml(text: str) -> None:
    read_yaml(text, "ci.yaml")


def _source(text: str) -> None:
    prepare_source(text, "ci.star")


def _star_error(text: str) -> None:
    error = read_error(text, "ci.star", lambda _file, _line, column: column)
    check_run = definition_failed(error, prefix="")
    annotation = annotation_of(error)
    for told in (check_run.summary, annotation.message if annotation else ""):
        assert not _HIDDEN.search(told), ascii(told)


def _manifest(document: dict[str, Any]) -> None:
    manifest = canonical(document)
    config = Config()
    plan_of(manifest, None, _BUILD, "main", config)
    plan_cache(manifest, _BUILD, config)
    refused = refusals(manifest, RESTRICTED, Own("argo"))
    problems_of(refused, {}, "ci.yaml", untrusted=True)
    examine(
        Definition(document, "ci.yaml"), "ci.yaml", Run(frozenset(), "", "environment", None), strict=False
    )
    decorate(manifest, _BUILD, Surroundings({}), config)


def _state(document: dict[str, Any]) -> None:
    nodes_with_logs(read_state(document))


def _context(value: list[tuple[str, str, str]]) -> None:
    entries = [Entry(path, EntryKind(kind), text, len(text)) for path, kind, text in value]
    source = assemble(entries)
    for path in source.files or ():
        assert not path.startswith("/")
        assert not {"", ".", ".."} & set(path.split("/"))


def _error(value: tuple[str, str, int]) -> None:
    message, path, line = value
    error = DefinitionError(message, where=Location(path, line))
    summary = definition_failed(error, prefix="unable to parse workflow, ").summary
    assert len(summary.encode()) <= 65_535
    assert not _HIDDEN.search(summary), ascii(summary)


_log_lines = st.lists(
    odd_bytes
    | st.tuples(unicode_text, st.integers(), unicode_text).map(lambda t: f"{t[0]}:{t[1]}: {t[2]}".encode()),
    max_size=12,
).map(b"\n".join)
_logs = st.tuples(_log_lines, st.integers(1, 50))
_paths = st.lists(st.sampled_from(["a", "b", "..", ".", "", "/", "ci.star", "\x00", "é"]), max_size=5).map(
    "/".join
)
_addresses = st.lists(
    st.sampled_from(
        [
            "https:", "http:", "github:", "context:", "builtin:", "file:", "//", "/", "..", ".", "@", ":", "?ref=", "#",
            "%2e", "%00", "%0a", "\\", "example.org", "127.0.0.1", "[::1]", "widgets.acme", ":443", ":22", "main", "a.star",
            "\u3002", "ß", "xn--a",
        ]
    ),
    max_size=9,
).map("".join)  # fmt: skip

TARGETS: tuple[Target, ...] = (
    Target("webhooks", deliveries(), _delivery),
    Target(
        "webhook forms",
        st.tuples(
            st.sampled_from(["application/json", "application/x-www-form-urlencoded"]) | odd_text,
            odd_bytes | odd_bytes.map(lambda body: b"payload=" + body),
        ),
        _form,
    ),
    Target(
        "signatures", st.tuples(odd_bytes, odd_bytes.map(lambda header: header.decode("latin-1"))), _signature
    ),
    Target("annotations of logs", _logs, _annotations),
    Target("logs as they are shown", _logs, _log_tail),
    Target("labels and names", st.tuples(unicode_text, unicode_text, unicode_text), _names),
    Target(
        "commands",
        st.lists(
            odd_text | st.sampled_from(["/kube-ci ", "/kube-ci run '", "```", "> ", "<!--", "- ", "\n"])
        ).map("".join),
        _commands,
    ),
    Target(
        "Slack's commands",
        st.tuples(st.sampled_from(["/ci-build", "/ci-x"]) | odd_text, odd_text, odd_bytes),
        _slack,
    ),
    Target("addresses of modules", st.tuples(st.integers(0, 2), odd_text | _addresses), _address),
    Target("addresses of the internet", odd_text | st.ip_addresses().map(str), _public),
    Target(
        "path rules",
        st.tuples(
            unicode_text | st.text("a{},*?/\n", max_size=60),
            st.text("a{},*?/\n", max_size=60),
            st.lists(unicode_text, max_size=4),
        ),
        _globs,
    ),
    Target("redaction", st.tuples(odd_text, odd_text), _redaction),
    Target("Markdown", odd_text, _markdown),
    Target("Slack's Markdown", odd_text, _mrkdwn),
    Target("YAML", unicode_text | st.text(":-[]{}&*!|>'\"# \nab", max_size=80), _yaml),
    Target("Starlark's source", odd_text | st.text("()[]{}'\"\\#\t\n ab", max_size=200), _source),
    Target(
        "Starlark's errors", odd_text.map(lambda text: f"error: {text}\n --> ci.star:1:2\n  |"), _star_error
    ),
    Target("workflows", changed(MANIFEST) | json_objects, _manifest),
    Target("states of workflows", changed(MANIFEST) | json_objects, _state),
    Target(
        "CI folders",
        st.lists(
            st.tuples(_paths | unicode_text, st.sampled_from([kind.value for kind in EntryKind]), _paths),
            max_size=8,
        ),
        _context,
    ),
    Target("errors on check-runs", st.tuples(odd_text, odd_text, st.integers(-1, 9)), _error),
)


def main() -> int:
    """Fuzz every target with as many values as the argument says; 1 when there is a finding."""
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    ended = [fuzz(target, examples) for target in TARGETS]
    for each in ended:
        sys.stdout.write(f"{each.name:<28} {each.cases:>8} cases  {each.finding}\n")
    findings = sum(bool(each.finding) for each in ended)
    sys.stdout.write(f"{sum(each.cases for each in ended)} cases tried, {findings} findings\n")
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
