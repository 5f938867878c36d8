"""What kube-ci v0.12.5 takes by a name is taken by it still."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec
import pytest
from original_kit import (
    ANSWER,
    BUTTONS,
    CHECK_RUNS,
    GIVEN,
    INPUT,
    KEYS,
    LABELS,
    MODULES,
    OPTIONS,
    READ,
    REQUEST,
    SETTINGS,
    SLACK,
    SLASH,
    STEP,
    WRITTEN,
    starting,
)

from kubeci.cli.argv import ORIGINAL_OPTIONS, normalise
from kubeci.definition.loader import ContextNames, Inputs, load_definition
from kubeci.definition.sandbox import Sandbox
from kubeci.model.slack import SlackCommand
from kubeci.policy.commands import Command, parse_commands
from kubeci.policy.slack import SlackWish, wish_of
from kubeci.report import errors
from kubeci.service.commands.verbs import VERBS
from kubeci.service.prepare import DEFAULT_CHECK_NAME
from kubeci.settings.config import Config, load_config
from kubeci.web.api.shapes import Rendering, RunRequest
from kubeci.workflow import metadata
from kubeci.workflow.decorate import PARAMETERS


@pytest.mark.parametrize(("name", "default"), OPTIONS.items())
def test_every_option_keeps_its_name_and_default(name: str, default: str | None) -> None:
    [option] = [each for each in starting.params if f"--{name}" in each.opts]
    assert (option.default if isinstance(option.default, str) else None) == default
    assert normalise([f"-{name}=1"]) == ["serve", f"--{name}=1"]
    assert name in ORIGINAL_OPTIONS


def test_every_key_is_read_and_counts() -> None:
    loaded = load_config(SETTINGS, source="config.yaml", strict=True)
    assert loaded.warnings == ()
    unset = [
        field.name
        for field in msgspec.structs.fields(Config)
        if field.encode_name in {key.partition(".")[0] for key in KEYS}
        and getattr(loaded.config, field.name) == getattr(Config(), field.name)
    ]
    assert unset == []
    assert [key for key in KEYS if f"{key.rpartition('.')[2]}:" not in SETTINGS] == []
    assert loaded.config.tolerations[0]["tolerationSeconds"] == 60


def test_every_annotation_and_label_keeps_its_name() -> None:
    known = {value for name, value in vars(metadata).items() if name.isupper() and isinstance(value, str)}
    assert {metadata.PREFIX + name for name in (*READ, *WRITTEN)} - known == set()
    assert {metadata.PREFIX + name for name in WRITTEN} - metadata.OURS == set()
    assert set(LABELS) - known == set()
    assert metadata.PREFIX == "kube-ci.qutics.com/"


def test_every_parameter_is_given() -> None:
    assert set(GIVEN) - PARAMETERS == set()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as opened:
        yield opened


async def test_every_builtin_is_brought_by_load(sandbox: Sandbox) -> None:
    loads = [
        f'load("builtin://{module}", {", ".join(f"{prefix}{name} = {name!r}" for name in names.split())})'
        for number, (module, names) in enumerate(MODULES.items())
        for prefix in [f"m{number}_"]
    ]
    uses = [f"input.{name}" for name in INPUT] + ['loadFile("a.txt")', "print"]
    source = "\n".join(
        [
            *loads,
            f"print({', '.join(uses[:-1])})",
            "workflow = {'apiVersion': 'argoproj.io/v1alpha1', 'kind': 'Workflow'}",
        ]
    )
    inputs = Inputs(
        "master", "branch", "a" * 40, {"id": 1}, {"number": 2}, now=datetime(2026, 1, 1, tzinfo=UTC)
    )
    definition = await load_definition({"ci.star": source, "a.txt": "\tx"}, inputs, ContextNames(), sandbox)
    assert definition
    assert "master branch" in definition.prints[0]


@pytest.mark.parametrize(("usage", "verb"), SLASH.items())
def test_every_slash_command_is_obeyed(usage: str, verb: str) -> None:
    assert verb in VERBS
    [command] = parse_commands(usage)
    assert isinstance(command, Command)
    assert command.name == verb


@pytest.mark.parametrize("usage", SLACK)
def test_every_slack_command_is_understood(usage: str) -> None:
    command, _, text = usage.partition(" ")
    given = SlackCommand(command, re.sub(r"[\[\]]", "", text), "U1", "ada", "C1", "T1", "", "")
    assert isinstance(wish_of(given), SlackWish)


def test_every_field_of_the_api_is_taken_and_given() -> None:
    asked = msgspec.json.decode(msgspec.json.encode(REQUEST), type=RunRequest)
    assert msgspec.to_builtins(asked) == REQUEST
    assert {field.encode_name for field in msgspec.structs.fields(Rendering)} >= set(ANSWER)


def test_check_runs_say_what_people_know() -> None:
    assert {known: said for known, said in CHECK_RUNS.items() if known != said} == {}
    assert DEFAULT_CHECK_NAME == errors.DEFAULT_NAME
    assert {known: said for known, said in BUTTONS.items() if known != said} == {}
    assert [action.description for action in STEP.actions] == [
        "run this workflow template manually",
        "mark as complete without running",
    ]
