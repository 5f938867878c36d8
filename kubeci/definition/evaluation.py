"""One evaluation, from request to outcome: what runs inside the sandbox, without the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from kubeci.definition.addresses import Address
from kubeci.definition.builtins import builtins
from kubeci.definition.payload import without_nulls
from kubeci.definition.protocol import Answer, Fault, Outcome, Request
from kubeci.definition.starlark_modules import Modules, Surroundings
from kubeci.definition.starlark_result import read_workflow, workflow_line
from kubeci.definition.yaml_reader import read_yaml
from kubeci.definition.yaml_scalars import json_number
from kubeci.errors import DefinitionError, Location
from kubeci.model.context import kept_out

MAX_MANIFEST_BYTES = 1 << 20
API_VERSION = "argoproj.io/v1alpha1"
KIND = "Workflow"


Elsewhere = Callable[[Address], Answer]
"""Gives a file that is not of the context."""


def nowhere(address: Address) -> Answer:
    """Refuse every file from elsewhere."""
    return Answer(refused=f"{address.scheme}:// addresses cannot be read here")


def evaluate(request: Request, elsewhere: Elsewhere = nowhere) -> Outcome:
    """Evaluate a CI file: Starlark leaves its workflow in a global, YAML is the workflow.

    Never raises for what the author did: the outcome then carries a fault, with what was printed until then.
    """
    return _starlark(request, cache(elsewhere)) if request.starlark else _yaml(request)


def _yaml(request: Request) -> Outcome:
    try:
        manifest, positions = read_yaml(request.files[request.path], request.path)
        _check_kind(manifest, request.path, positions)
        _check_size(manifest, request.path)
    except DefinitionError as error:
        return Outcome(fault=_fault(error))
    return Outcome(manifest=manifest, positions=positions)


def _starlark(request: Request, elsewhere: Elsewhere) -> Outcome:
    def context(address: Address) -> Answer:
        path = address.path.removeprefix("/")
        text = request.files.get(path)
        reason = kept_out(request.kept_out, path) if text is None else ""
        return Answer(text, refused=f"`{path}` {reason}" if reason else "")

    inputs = {name: without_nulls(value) for name, value in request.inputs.items() if value is not None}
    readers = {"context": context, "github": elsewhere, "https": elsewhere}
    around = Surroundings(readers, builtins(request.now), request.owner)
    modules = Modules(around, inputs, request.cpu_seconds)
    try:
        main = modules.main(request.path)
        text = request.files[request.path]
        value = read_workflow(main, request.path, text)
        manifest = _numbers(value)
        if manifest is not None:
            _check_kind(manifest, request.path, {"": (workflow_line(text), 0)})
            _check_size(manifest, request.path)
    except DefinitionError as error:
        return Outcome(prints=tuple(modules.prints), fault=_fault(error))
    return Outcome(manifest=manifest, prints=tuple(modules.prints))


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return json_number(value) if isinstance(value, float) else value


def _check_kind(manifest: Any, path: str, positions: dict[str, tuple[int, int]]) -> None:
    """Refuse what is no Workflow; the original's typed decoding asks for both fields, too."""
    if not isinstance(manifest, dict):
        what = {list: "a list", type(None): "nothing"}.get(type(manifest), "a single value")
        raise DefinitionError(
            f"holds {what}; it must hold one Workflow", where=Location(path, *positions.get("", (0, 0)))
        )
    for field, expected in (("apiVersion", API_VERSION), ("kind", KIND)):
        found = manifest.get(field)
        if found == expected:
            continue
        where = Location(path, *positions.get(f"/{field}", positions.get("", (0, 0))))
        if found is None:
            raise DefinitionError(f"`{field}` is missing", where=where, hint=f"write `{field}: {expected}`")
        raise DefinitionError(f"`{field}` is `{found!s:.100}`; only `{expected}` can be run", where=where)


def _check_size(manifest: Any, path: str) -> None:
    size = len(msgspec.json.encode(manifest))
    if size > MAX_MANIFEST_BYTES:
        message = f"the workflow has {size:,} bytes as JSON; a cluster takes {MAX_MANIFEST_BYTES:,}"
        raise DefinitionError(message, where=Location(path))


def _fault(error: DefinitionError) -> Fault:
    where = error.where or Location("")
    return Fault(error.message, where.path, where.line, where.column, error.hint)
