"""What a definition says reaches a terminal as text alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from kubeci.cli import cli

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202ewrong"
DEFINITION = f'print("{ESCAPES}")\nfail("{ESCAPES}")\n'


@pytest.fixture
def tree(tmp_path: Path) -> str:
    (tmp_path / ".kube-ci").mkdir()
    (tmp_path / ".kube-ci" / "ci.star").write_text(DEFINITION)
    return str(tmp_path)


@pytest.mark.parametrize("output", ["text", "json", "sarif"])
def test_lint_writes_no_escapes(output: str, tree: str) -> None:
    found = CliRunner().invoke(cli, ["lint", tree, "-o", output])
    assert found.exit_code == 1
    assert "wrong" in found.stdout
    assert "wrong" in found.stderr
    written = (found.stdout + found.stderr).splitlines()
    assert [line for line in written if not line.isprintable()] == []


def test_json_keeps_the_words(tree: str) -> None:
    [problem] = json.loads(CliRunner().invoke(cli, ["lint", tree, "-o", "json"]).stdout)
    assert ESCAPES in problem["message"]
