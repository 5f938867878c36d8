from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.errors import DefinitionError
from kubeci.policy.paths import PathRules, glob_expression, parse_globs, skip_reason
from kubeci.policy.skips import Skip, skip_of


@pytest.mark.parametrize(
    ("message", "skip"),
    [
        ("Fix it", Skip.NOTHING),
        ("Fix it [skip ci]", Skip.CI),
        ("Fix it\n\nmore [CI SKIP] words", Skip.CI),
        ("[skipci]", Skip.NOTHING),
        ("Fix it\n\n\nskip-checks: true", Skip.CHECKS),
        ("Fix it\r\n\r\nskip-checks:true\r\nSigned-off-by: me", Skip.CHECKS),
        ("skip-checks: true\n\nwas said above", Skip.NOTHING),
        ("Fix it\n\nskip-checks: false", Skip.NOTHING),
        ("Fix [skip ci]\n\nskip-checks: true", Skip.CHECKS),
        ("", Skip.NOTHING),
    ],
)
def test_what_a_message_leaves_out(message: str, skip: Skip) -> None:
    assert skip_of(message) is skip


@pytest.mark.parametrize(
    ("glob", "matching", "other"),
    [
        ("*.md", ["a.md", "docs/b.md"], ["a.mdx", "md"]),
        ("docs/", ["docs/a", "docs/b/c", "x/docs/y"], ["docs", "adocs/x"]),
        ("docs/*.md", ["docs/a.md"], ["docs/b/c.md", "x/docs/a.md"]),
        ("docs/**/*.md", ["docs/a.md", "docs/b/c/d.md"], ["docs/a.txt"]),
        ("/Makefile", ["Makefile"], ["x/Makefile"]),
        ("src/**", ["src/a", "src/b/c"], ["src"]),
        ("a?c", ["abc", "x/abc"], ["ac", "a/c"]),
        ("*.{go,mod}", ["x/a.go", "go.mod"], ["a.gomod"]),
        ("a+b(c)", ["a+b(c)"], ["aab", "a+bc"]),
    ],
)
def test_globs(glob: str, matching: list[str], other: list[str]) -> None:
    expression = re.compile(glob_expression(glob), re.DOTALL)
    assert [file for file in matching if not expression.fullmatch(file)] == []
    assert [file for file in other if expression.fullmatch(file)] == []


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_glob_is_a_regular_expression(glob: str, file: str) -> None:
    assert skip_reason(PathRules(run_if_changed=(glob or "x",)), [file]) is not None


RUN = PathRules(run_if_changed=("src/**",))
SKIP = PathRules(skip_if_only_changed=("*.md", "docs/"))


@pytest.mark.parametrize(
    ("rules", "changed", "skipped"),
    [
        (RUN, ["src/a", "README.md"], False),
        (RUN, ["README.md"], True),
        (RUN, [], True),
        (RUN, None, False),
        (SKIP, ["README.md", "docs/x"], True),
        (SKIP, ["README.md", "src/a"], False),
        (SKIP, [], False),
        (SKIP, None, False),
        (PathRules(), ["a"], False),
        (PathRules(("src/",), ("*.md",)), ["src/a.md"], True),
    ],
)
def test_skipping(rules: PathRules, changed: list[str] | None, skipped: bool) -> None:
    assert bool(skip_reason(rules, changed)) is skipped


def test_globs_are_parted_by_commas_and_lines() -> None:
    assert parse_globs("a, b/**\n  *.{go,mod},") == ("a", "b/**", "*.{go,mod}")


@pytest.mark.parametrize("glob", ["{a,b", "a}", "{a,{b,c}}", "x/{"])
def test_a_glob_with_half_a_brace_is_refused(glob: str) -> None:
    """Else it would match nothing for ever, and a skipped check passes."""
    with pytest.raises(DefinitionError, match="brace"):
        parse_globs(glob)
