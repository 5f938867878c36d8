"""What is fuzzed of GitHub's and Slack's deliveries, and of the commands in them."""

from __future__ import annotations

from contextlib import suppress

from fuzz_inputs import deliveries, odd_bytes, odd_text, unicode_text
from fuzz_target import Target
from hypothesis import strategies as st

from kubeci.errors import Invalid
from kubeci.github import signature
from kubeci.github.events import decode
from kubeci.github.payload import payload_of
from kubeci.model.event import about
from kubeci.model.slack import SlackCommand
from kubeci.policy.commands import Command, parse_commands
from kubeci.policy.paths import PathRules, parse_globs, skip_reason
from kubeci.policy.skips import skip_of
from kubeci.policy.slack import wish_of
from kubeci.slack.commands import read_command


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


def _commands(text: str) -> None:
    for found in parse_commands(text):
        assert found.line.startswith("/kube-ci")
        assert not isinstance(found, Command) or found.name
    skip_of(text)


def _slack(value: tuple[str, str, bytes]) -> None:
    command, text, body = value
    wish_of(SlackCommand(command, text, "U1", "ada", "C1", "T1", "https://hooks.slack.com/x", "1"))
    read_command(body, slack_url="https://slack.com")


def _globs(value: tuple[str, str, list[str]]) -> None:
    one, two, files = value
    skip_reason(PathRules(parse_globs(one), parse_globs(two)), files)


GITHUB: tuple[Target, ...] = (
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
    Target(
        "path rules",
        st.tuples(
            unicode_text | st.text("a{},*?/\n", max_size=60),
            st.text("a{},*?/\n", max_size=60),
            st.lists(unicode_text, max_size=4),
        ),
        _globs,
    ),
)
