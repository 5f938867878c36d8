"""What is fuzzed of the texts that are shown and kept: logs, names, messages."""

from __future__ import annotations

import re

from fuzz_inputs import odd_bytes, odd_text, unicode_text
from fuzz_target import HIDDEN, Target
from hypothesis import strategies as st

from kubeci.errors import DefinitionError, Location
from kubeci.model.repository import Repository
from kubeci.redaction import MASK, Redaction
from kubeci.report.annotations import AnnotationParser
from kubeci.report.errors import definition_failed
from kubeci.report.markdown import code, cut, fence
from kubeci.report.mrkdwn import escape, of_markdown
from kubeci.report.plain import one_line, plain
from kubeci.service.step_logs import LINE_BYTES, LogTail
from kubeci.workflow.claims import claim_name
from kubeci.workflow.names import LABEL_LIMIT, label_safe, workflow_name

_LABEL = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?")


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
        assert not HIDDEN.search(text), ascii(text)


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


def _redaction(value: tuple[str, str]) -> None:
    before, after = value
    secret = "s3cr3t-of-the-server"
    told = Redaction([secret])(f"{before}{secret}{after}")
    assert secret not in told
    assert MASK in told


def _markdown(text: str) -> None:
    for written in (code(text), fence(text.split("\n")), cut(text, 100), one_line(text), plain(text)):
        assert not HIDDEN.search(written.replace("\r", "")) or written == cut(text, 100)
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


def _error(value: tuple[str, str, int]) -> None:
    message, path, line = value
    error = DefinitionError(message, where=Location(path, line))
    summary = definition_failed(error, prefix="unable to parse workflow, ").summary
    assert len(summary.encode()) <= 65_535
    assert not HIDDEN.search(summary), ascii(summary)


_log_lines = st.lists(
    odd_bytes
    | st.tuples(unicode_text, st.integers(), unicode_text).map(lambda t: f"{t[0]}:{t[1]}: {t[2]}".encode()),
    max_size=12,
).map(b"\n".join)
_logs = st.tuples(_log_lines, st.integers(1, 50))
TEXTS: tuple[Target, ...] = (
    Target("annotations of logs", _logs, _annotations),
    Target("logs as they are shown", _logs, _log_tail),
    Target("labels and names", st.tuples(unicode_text, unicode_text, unicode_text), _names),
    Target("redaction", st.tuples(odd_text, odd_text), _redaction),
    Target("Markdown", odd_text, _markdown),
    Target("Slack's Markdown", odd_text, _mrkdwn),
    Target("errors on check-runs", st.tuples(odd_text, odd_text, st.integers(-1, 9)), _error),
)
