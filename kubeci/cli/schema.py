"""`kubeci schema`: the JSON schemas of the settings file and of a workflow, for editors."""

from __future__ import annotations

import ast
import inspect
from importlib import resources
from typing import Any

import click
import msgspec

from kubeci.model.json import JsonObject
from kubeci.settings.api import Api, ApiTokenEntry, Pages
from kubeci.settings.config import CacheDefaults, Config, TemplateFiles
from kubeci.settings.duration import Duration
from kubeci.settings.pattern import Pattern
from kubeci.settings.slack import Slack, SlackAccess, SlackNews

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@click.command(name="schema", context_settings={"max_content_width": 110})
@click.argument("what", type=click.Choice(["settings", "workflow"]))
def command(what: str) -> None:
    """Print the JSON schema of the server's settings file, or of ci.yaml.

    Editors complete and check files with it, such as those that use yaml-language-server.

    \b
    Examples:
      kubeci schema workflow > .vscode/ci.schema.json
      kubeci schema settings > settings.schema.json
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    schema = settings_schema() if what == "settings" else workflow_schema()
    click.echo(msgspec.json.format(msgspec.json.encode(schema), indent=2))


def workflow_schema() -> JsonObject:
    """Give the schema that definitions are held against, with a name and a dialect."""
    text = (resources.files("kubeci.workflow") / "workflow.schema.json").read_bytes()
    return {**msgspec.json.decode(text), "$schema": DIALECT, "title": "An Argo Workflow for kubeci"}


SHAPES: tuple[type[Any], ...] = (
    Config, CacheDefaults, TemplateFiles, Api, ApiTokenEntry, Pages, Slack, SlackAccess, SlackNews,
)  # fmt: skip


def settings_schema() -> JsonObject:
    """Give the schema of the settings file; each setting is described by its docstring."""
    schema = msgspec.json.schema(Config, schema_hook=_schema_of)
    shapes = schema["$defs"]
    for shape in SHAPES:
        described = _docstrings(shape)
        names = {field.encode_name: field.name for field in msgspec.structs.fields(shape)}
        for key, setting in shapes[shape.__name__]["properties"].items():
            if text := described.get(names[key]):
                setting["description"] = text
        shapes[shape.__name__]["additionalProperties"] = False
    return {"$schema": DIALECT, "title": "Settings of kubeci", **schema}


def _schema_of(shape: type[Any]) -> JsonObject:
    if shape is Pattern:
        return {"type": "string", "format": "regex", "description": "A regular expression (RE2), searched."}
    if shape is Duration:
        # As Go writes them; 0 alone needs no unit.
        unit = r"(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)"
        text = {"type": "string", "pattern": f"^(0|({unit})+)$", "examples": ["5m", "1h30m"]}
        return {"anyOf": [text, {"const": 0}]}
    raise NotImplementedError(shape)


def _docstrings(shape: type[Any]) -> dict[str, str]:
    """Read the docstrings below a class's fields, which Python does not keep."""
    [definition] = ast.parse(inspect.getsource(shape)).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            found[field.target.id] = " ".join(str(text.value.value).split())
    return found
