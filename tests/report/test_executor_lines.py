from __future__ import annotations

import pytest

from kubeci.report.annotations import AnnotationParser
from kubeci.report.executor_lines import is_executors


@pytest.mark.parametrize(
    "line",
    [
        'time=2026-11-21T08:56:32.066Z level=INFO msg="waiting for signals" argo=true signalPath=/var/run/argo/ctr/main/signal',
        'time=2026-11-21T08:56:32.067Z level=INFO msg="sub-process exited" argo=true error="exit status 3"',
        'time="2023-04-02T10:00:00Z" level=info msg="capturing logs" argo=true',
        'time="2023-04-02T10:00:00.000Z" level=info msg="/tmp/out -> /var/run/argo/outputs/parameters//tmp/out.tgz" argo=true',
        '{"time":"2026-11-21T08:56:32Z","level":"INFO","msg":"sub-process exited","argo":true,"error":null}',
        '{"argo":true,"level":"info","msg":"capturing logs","time":"2023-04-02T10:00:00Z"}',
    ],
)
def test_lines_of_argos_executor_are_known(line: str) -> None:
    assert is_executors(line)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "argo=true",
        "set argo=true in time=2026-11-21T08:56:32Z level=INFO",
        'time=2026-11-21T08:56:32Z level=INFO msg="our own service started" port=80',
        'time=2026-11-21T08:56:32Z level=INFO msg="x" cargo=true',
        'time=2026-11-21T08:56:32Z level=INFO msg="x" argo=truest',
        "Error: exit status 3",
        'time=2026-11-21T08:56:32Z level=ERROR msg="cannot save parameter /out/version, does not exist" argo=true',
        'time="2023-04-02T10:00:00Z" level=warning msg="cannot save artifact /out/app" argo=true',
        '{"time":"2026-11-21T08:56:32Z","level":"ERROR","msg":"cannot save parameter","argo":true}',
        '{"argo":true}',
        '{"level":"info","msg":"argo","time":"2023-04-02T10:00:00Z"}',
    ],
)
def test_lines_of_commands_stay(line: str) -> None:
    assert not is_executors(line)


def test_they_are_neither_the_end_of_a_log_nor_counted() -> None:
    log = b"""\
time=2026-11-21T08:56:32.066Z level=INFO msg="capturing logs" argo=true
a.py:1: look
time=2026-11-21T08:56:32.067Z level=INFO msg="sub-process exited" argo=true error="exit status 3"
Error: exit status 3
"""
    parser = AnnotationParser()
    found = parser.feed(log)
    assert parser.tail == ("a.py:1: look", "Error: exit status 3")
    assert parser.lines == 2
    assert len(found) == 1
