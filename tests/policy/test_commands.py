from __future__ import annotations

import shlex
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.policy.commands import MAX_COMMANDS, MAX_LINE, Command, Malformed, parse_commands

RUN = Command("run", (), "/kube-ci run")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/kube-ci run", ("run",)),
        ("   /kube-ci \t run  ", ("run",)),
        ("/kube-ci", ("help",)),
        ("Thanks!\r\n/kube-ci run abc\r\nBye", ("run", "abc")),
        ('/kube-ci setup \'a b\' "c \\"d" e\\ f', ("setup", "a b", 'c "d', "e f")),
        ("/kube-ci deploy $HOME `id` *", ("deploy", "$HOME", "`id`", "*")),
        ("- a list\n/kube-ci run", ("run",)),
        ("```x`\n/kube-ci run", ("run",)),
        ("```\ncode\n```\n/kube-ci run", ("run",)),
        ("> a quote\n\n/kube-ci run", ("run",)),
        ("> ```\n> code\n/kube-ci run", ("run",)),
        ("> # a heading\n/kube-ci run", ("run",)),
        ("<!-- hint -->\n/kube-ci run", ("run",)),
        ("see <!-- this\n\n/kube-ci run", ("run",)),
        ("- ```\n  code\n/kube-ci run", ("run",)),
        ("<pre>\nx\n</pre>\n/kube-ci run", ("run",)),
    ],
)
def test_what_is_a_command(text: str, expected: tuple[str, ...]) -> None:
    [found] = parse_commands(text)
    assert isinstance(found, Command)
    assert (found.name, *found.args) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/kube-cix",
        "/kube-ci-run",
        "/Kube-ci run",
        "please /kube-ci run",
        "`/kube-ci run`",
        "    /kube-ci run",
        "\t/kube-ci run",
        " \t/kube-ci run",
        "> /kube-ci run",
        ">/kube-ci run",
        "> somebody said\n/kube-ci run",
        "- > said\n/kube-ci run",
        "```\n/kube-ci run\n```",
        "```\n/kube-ci run",
        "````\n```\n/kube-ci run\n````",
        "~~~ sh\n```\n/kube-ci run\n~~~",
        "  ```\n  /kube-ci run\n  ```",
        "- ```\n  /kube-ci run\n  ```",
        "1. so:\n\n   ```\n   /kube-ci run\n   ```",
        "- so:\n\n  ```\n  a\nb\n```\n/kube-ci run\n```",
        "<!--\n/kube-ci run\n-->",
        "<!-- /kube-ci\n/kube-ci run -->",
        "a <!-- remark\n/kube-ci run\n-->",
        "<pre>\n/kube-ci run\n</pre>",
        "a line\u2028/kube-ci run",
    ],
)
def test_what_is_none(text: str) -> None:
    assert parse_commands(text) == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("/kube-ci deploy 'prod", "a quote is not closed"),
        ('/kube-ci deploy "prod', "a quote is not closed"),
        ("/kube-ci run \\", "nothing follows the last backslash"),
        ("/kube-ci run " + "x" * MAX_LINE, f"at most {MAX_LINE} characters"),
    ],
)
def test_what_cannot_be_read(text: str, reason: str) -> None:
    [found] = parse_commands(text)
    assert isinstance(found, Malformed)
    assert reason in found.reason
    assert len(found.line) <= MAX_LINE


def test_several_run_in_order_up_to_a_bound() -> None:
    assert parse_commands("/kube-ci run\n\n/kube-ci cancel") == (
        RUN,
        Command("cancel", (), "/kube-ci cancel"),
    )
    found = parse_commands("/kube-ci run\n" * (MAX_COMMANDS + 5))
    assert found[:-1] == (RUN,) * MAX_COMMANDS
    assert isinstance(found[-1], Malformed)
    assert str(MAX_COMMANDS) in found[-1].reason


words = st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=20)
lines = st.sampled_from(
    ["/kube-ci run", " /kube-ci", "> x", "- a", "", "<!--", "-->", "``", "~~", "\t- ", "1. b", "<pre>"]
)


@given(words, st.lists(words, max_size=6))
def test_what_is_quoted_is_read_back(name: str, args: list[str]) -> None:
    [found] = parse_commands(f"/kube-ci {shlex.join([name, *args])}")
    assert isinstance(found, Command)
    assert (found.name, found.args) == (name, tuple(args))


@given(
    st.lists(lines, max_size=8),
    st.sampled_from(["```", "~~~", "`````", "~~~~"]),
    st.sampled_from(["", " ", "   "]),
    st.booleans(),
)
def test_fences_never_yield_commands(inside: list[str], mark: str, indent: str, closed: bool) -> None:
    block = [f"{indent}{mark} sh", *inside, *([mark] if closed else [])]
    assert parse_commands("\n".join(["Look:", *block])) == ()
    assert parse_commands("\n".join([*block, "", "/kube-ci run"])) == ((RUN,) if closed else ())


@given(st.lists(lines, max_size=8))
def test_quotes_never_yield_commands(inside: list[str]) -> None:
    assert parse_commands("\n".join(f"> {line}" for line in inside)) == ()


@pytest.mark.parametrize(
    "piece",
    [
        "> ",
        ">",
        "- ",
        "`",
        "~",
        "<!--",
        "-->",
        "\t",
        " ",
        "a <!-- \n",
        "/kube-ci '\n",
        "\r",
        "```\n",
        "*\n",
        "1. ",
    ],
)
def test_a_hostile_comment_takes_no_time(piece: str) -> None:
    text = piece * (1_000_000 // len(piece)) + "\n/kube-ci run"
    started = time.process_time()
    parse_commands(text)
    assert time.process_time() - started < 2
