"""From the files of a CI context to the definition in them (contract, section 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kubeci.definition.definition import Definition, EvaluationFailed
from kubeci.definition.module_reader import ModuleReader
from kubeci.definition.protocol import Fault, Request
from kubeci.definition.reading import ReadingRules
from kubeci.definition.sandbox import Sandbox
from kubeci.errors import DefinitionError, Location
from kubeci.model.context import MAX_FILE_BYTES, MAX_TOTAL_BYTES, kept_out
from kubeci.model.json import JsonObject

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What Starlark sees as `input`: a struct of these fields, those that are None left out.

    `repo` and `event` are dicts all the way down, as in the original (`input.repo["name"]`), without null members.
    """

    ref: str
    ref_type: str
    sha: str
    repo: JsonObject | None = None
    event: JsonObject | None = None
    changed_files: tuple[str, ...] | None = None
    now: datetime = EPOCH
    """The time of the event, what `now()` of `builtin:///time` gives; no field of `input`."""
    reading: ReadingRules | None = None
    """What may be loaded from other repositories and the web; None: nothing. No field of `input`."""

    def members(self) -> dict[str, Any]:
        """List the fields by name."""
        return {
            "ref": self.ref,
            "ref_type": self.ref_type,
            "sha": self.sha,
            "repo": self.repo,
            "event": self.event,
            "changed_files": None if self.changed_files is None else list(self.changed_files),
        }


@dataclass(frozen=True, slots=True)
class ContextNames:
    """The configured names of the CI folder and of the definitions in it."""

    folder: str = ".kube-ci"
    yaml_file: str = "ci.yaml"
    starlark_file: str = "ci.star"


async def load_definition(
    files: Mapping[str, str],
    inputs: Inputs,
    names: ContextNames,
    sandbox: Sandbox,
    *,
    problems: Sequence[str] = (),
) -> Definition | None:
    """Evaluate the definition of a CI context.

    `files` maps paths relative to the folder to text, `problems` are those of the read (`CommitSource.problems`):
    a definition that was kept out is an error, not an absence. Starlark wins over YAML unless it sets
    `workflow = None`. None: the context holds no definition. DefinitionError carries the place, its path with the folder;
    when Starlark printed before, it is an EvaluationFailed with the lines. UpstreamError when GitHub does not answer now.
    """
    reader = ModuleReader(sandbox.sources, inputs.reading)
    prints: tuple[str, ...] = ()
    for path, starlark in ((names.starlark_file, True), (names.yaml_file, False)):
        if path not in files:
            reason = kept_out(problems, path)
            if reason:
                raise DefinitionError(reason, where=Location(f"{names.folder}/{path}"))
            continue
        _check_size(files, path, names)
        request = Request(
            path=path,
            files=dict(files) if starlark else {path: files[path]},
            starlark=starlark,
            kept_out=tuple(problems),
            inputs=inputs.members() if starlark else {},
            now=(inputs.now - EPOCH) // timedelta(microseconds=1) * 1_000,
            cpu_seconds=sandbox.limits.cpu_seconds,
            owner=inputs.reading.repository.owner if inputs.reading else "",
        )
        outcome = await sandbox.evaluate(request, reader.answer)
        prints += outcome.prints
        if outcome.fault:
            where = _place(outcome.fault, path, files, names)
            raise EvaluationFailed(outcome.fault.message, where=where, hint=outcome.fault.hint, prints=prints)
        if outcome.manifest is not None:
            return Definition(outcome.manifest, path, prints, outcome.positions, reader.loaded)
    return None


def _check_size(files: Mapping[str, str], path: str, names: ContextNames) -> None:
    where = Location(f"{names.folder}/{path}")
    if len(files[path]) > MAX_FILE_BYTES:
        raise DefinitionError(f"has more than {MAX_FILE_BYTES:,} bytes", where=where)
    if sum(map(len, files.values())) > MAX_TOTAL_BYTES:
        raise DefinitionError(
            f"the files of the folder have more than {MAX_TOTAL_BYTES:,} bytes together", where=where
        )


def _place(fault: Fault, path: str, files: Mapping[str, str], names: ContextNames) -> Location:
    file = fault.file or path
    return Location(f"{names.folder}/{file}" if file in files else file, fault.line, fault.column)
