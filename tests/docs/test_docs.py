"""A test fails when the documents leave something out, lead nowhere, or say what does not work."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import click
import msgspec
import pytest
import yaml
from click.testing import CliRunner
from markdown_text import DOCUMENTS, ROOT, Block, anchors, blocks, links, prose, rows
from prometheus_client import Metric

from kubeci.cli import cli
from kubeci.cli.argv import normalise
from kubeci.model.trust import Answer, What, Who
from kubeci.settings.config import Config, load_config
from kubeci.settings.pattern import Pattern
from kubeci.telemetry import Metrics
from kubeci.workflow import metadata

SETTINGS, DEFINITIONS = ROOT / "docs" / "settings.md", ROOT / "docs" / "definitions.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"


def settings() -> Iterator[tuple[str, Any]]:
    """Give each key of the settings file with its default; `[]` stands for an entry of a list, `NAME` for a chosen key."""
    yield from keys_of(Config, "")


def keys_of(shape: type[msgspec.Struct], prefix: str) -> Iterator[tuple[str, Any]]:
    for field in msgspec.structs.fields(shape):
        key = f"{prefix}{field.encode_name}"
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        yield key, default
        yield from inner_keys(field.type, key)


def inner_keys(shape: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
        yield from keys_of(shape, f"{key}.")
    elif get_origin(shape) is dict:
        yield from inner_keys(get_args(shape)[1], f"{key}.NAME")
    elif get_origin(shape) is tuple:
        yield from inner_keys(get_args(shape)[0], f"{key}[]")
    else:
        for choice in get_args(shape):
            yield from inner_keys(choice, key)


def written(default: Any) -> str:
    if default is msgspec.NODEFAULT:
        return "required"
    if isinstance(default, tuple) and default:
        return ", ".join(f"`{each}`" for each in default)
    if isinstance(default, Pattern):
        return f"`{default.source}`"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if default in (None, "", (), {}) or isinstance(default, msgspec.Struct):
        return "none"
    return f"`{default}`"


@pytest.mark.parametrize(
    ("key", "default"), list(settings()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_setting_is_documented_with_its_default(key: str, default: Any) -> None:
    assert (f"`{key}`", written(default)) in {row[:2] for row in rows(SETTINGS)}


def test_no_setting_is_documented_that_is_not_there() -> None:
    known = {key for key, _ in settings()} | set(What)
    documented = {
        row[0].strip("`")
        for row in rows(SETTINGS)
        if len(row) == 3 and re.match(r"`[a-z]\w+((\[\])?\.\w+)*`", row[0])
    }
    assert documented - known == set()


def test_the_settings_file_of_the_documents_is_accepted() -> None:
    examples = [block.text for block in blocks(SETTINGS) if block.language == "yaml"]
    assert [load_config(text, source="docs", strict=True).warnings for text in examples] == [()] * len(
        examples
    )
    assert examples


def test_every_word_of_trust_is_documented() -> None:
    text = prose(ROOT / "docs" / "triggers.md")
    assert [word for words in (What, Who, Answer) for word in words if f"`{word}`" not in text] == []


def serve_options() -> list[click.Option]:
    command = cli.get_command(click.Context(cli), "serve")
    assert command
    return [each for each in command.params if isinstance(each, click.Option) and each.envvar]


@pytest.mark.parametrize("option", serve_options(), ids=lambda option: option.opts[0])
def test_every_option_is_documented(option: click.Option) -> None:
    default = option.default if isinstance(option.default, str) else ""
    plain = "required" if "required" in (option.help or "") else "off" if option.is_flag else "none"
    row = (f"`{option.opts[0]}`", f"`{default}`" if default else plain, f"`{option.envvar}`")
    assert row in {row[:3] for row in rows(SETTINGS)}


def test_every_command_is_documented() -> None:
    documented = {
        row[0].strip("`").split()[1] for row in rows(ROOT / "README.md") if row[0].startswith("`kubeci ")
    }
    assert documented == set(cli.list_commands(click.Context(cli)))


def test_every_metric_is_documented() -> None:
    found: list[Metric] = list(Metrics().registry.collect())
    names = {f"{metric.name}_total" if metric.type == "counter" else metric.name for metric in found}
    assert names == {row[0].strip("`") for row in rows(ROOT / "docs" / "operate.md")} & names


def written_keys() -> list[str]:
    return sorted(
        value for name, value in vars(metadata).items() if name.isupper() and isinstance(value, str)
    )


@pytest.mark.parametrize("key", [key for key in written_keys() if key != metadata.PREFIX])
def test_every_label_and_annotation_is_documented(key: str) -> None:
    assert (
        f"`{key.removeprefix(metadata.PREFIX)}`" in DEFINITIONS.read_text()
        or f"`{key}`" in DEFINITIONS.read_text()
    )


def test_every_package_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    wanted = {
        re.split(r"[\[<>=]", each)[0].lower() for each in (*project["dependencies"], *optional["local"])
    }
    explained = {name for row in rows(ROOT / "README.md") for name in row[0].lower().split(", ")}
    assert wanted - explained == {"hishel"}  # told beside githubkit
    assert "hishel" in (ROOT / "README.md").read_text()


def test_every_room_is_explained() -> None:
    rooms = {
        path.name.removesuffix(".py") for path in (ROOT / "kubeci").iterdir() if not path.name.startswith("_")
    }
    explained = {row[0].strip("`/").removesuffix(".py") for row in rows(ARCHITECTURE)}
    assert rooms - explained == {"py.typed"}


def test_every_file_of_the_use_cases_is_explained() -> None:
    folder = ROOT / "kubeci" / "service"
    files = {str(path.relative_to(folder)) for path in folder.rglob("*.py")}
    explained = [
        name for row in rows(ARCHITECTURE) if len(row) == 3 for name in re.findall(r"`([\w/]+\.py)`", row[1])
    ]
    assert sorted(explained) == sorted(files - {"__init__.py", "commands/__init__.py"})


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_paths_of_the_project_lead_somewhere(document: Path) -> None:
    named = re.findall(r"`((?:kubeci|tests|scripts|rbac|docs|examples|bench)/[\w./*-]+)`", prose(document))
    assert [path for path in named if not list(ROOT.glob(path.rstrip("/")))] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    broken = []
    for link in links(document):
        path, _, fragment = link.partition("#")
        target = document.parent / path if path else document
        if not target.exists() or (fragment and fragment not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_pictures_are_small() -> None:
    assert {
        path.name for path in (ROOT / "docs" / "images").iterdir() if path.stat().st_size > 200_000
    } == set()


def commands() -> Iterator[tuple[Block, list[str]]]:
    """Give the commands of blocks in `sh`, and of the help."""
    for document in DOCUMENTS:
        for block in blocks(document):
            if block.language == "sh":
                for line in block.text.replace("\\\n", " ").splitlines():
                    if words := shlex.split(line, comments=True):
                        yield block, words


@pytest.mark.parametrize(
    ("block", "words"), list(commands()), ids=lambda value: str(value) if isinstance(value, Block) else ""
)
def test_commands_work(block: Block, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    words = [word for word in words if not re.match(r"[A-Z_]+=", word)]
    match words:
        case ["make", target, *_]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), block
        case ["kubeci", "render", *_]:
            result = CliRunner().invoke(cli, words[1:], catch_exceptions=False)
            assert result.exit_code == 0, result.output
        case ["kubeci", *_]:
            name, *arguments = normalise(words[1:])
            command = cli.get_command(click.Context(cli), name)
            assert command
            command.make_context(name, arguments, parent=click.Context(cli)).close()
        case ["kubectl", "apply", *arguments]:
            files = [arguments[at + 1] for at, word in enumerate(arguments) if word == "--filename"]
            assert all(list(yaml.safe_load_all((ROOT / file).read_text())) for file in files)
        case _:
            assert words[0] in {"docker", "git", "cd", ".venv/bin/pytest"}, (
                f"{block}: nothing checks `{words[0]}`"
            )


@pytest.mark.parametrize("name", ["", *cli.list_commands(click.Context(cli))])
def test_help_fits_eighty_columns_and_has_an_example(name: str) -> None:
    result = CliRunner().invoke(
        cli, [*filter(None, [name]), "--help"], terminal_width=80, catch_exceptions=False
    )
    assert "Examples:" in result.output
    assert [line for line in result.output.splitlines() if len(line) > 80] == []
