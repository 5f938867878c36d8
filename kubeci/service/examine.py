"""Hold a definition against the workflow schema, and against itself and the cluster's template it refers to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kubeci.definition.definition import Definition
from kubeci.errors import DefinitionError, EntrypointError, Forbidden, Invalid, Location, NotFound
from kubeci.model.json import JsonObject
from kubeci.ports import Workflows
from kubeci.workflow.references import Run, find_entrypoint, reference_problems
from kubeci.workflow.schema import Problem, place, problems
from kubeci.workflow.template_ref import template_ref, with_template


class Rejected(DefinitionError):
    """A definition with errors; `problems` are all that was found, the first error in front."""

    def __init__(self, found: Sequence[Problem]) -> None:
        first, *rest = found
        super().__init__(first.message, where=first.where, hint=first.hint, others=rest)
        self.problems = tuple(found)


class NotAllowed(Rejected):
    """A definition that asks for what its build may not have."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A definition without errors: the template to start with, and what its author should know."""

    entrypoint: str
    warnings: tuple[Problem, ...]


def examine(definition: Definition, path: str, run: Run, *, strict: bool) -> Examined:
    """Find everything that is wrong with a definition; `path` is its file, with `strict` unknown fields are errors.

    Raises `Rejected` with all of it when there is an error, `EntrypointError` when there is none but the entrypoint.
    """
    schema = problems(definition.manifest, definition.positions, path)
    references = reference_problems(definition.manifest, definition.positions, path, run)
    found = [_strictly(each) if strict else each for each in (*schema, *references)]
    found.sort(key=_in_order)
    whole = with_template(definition.manifest, run.template) if run.template else definition.manifest
    errors = [each for each in found if each.severity == "error"]
    entrypoint = ""
    try:
        entrypoint = find_entrypoint(whole, run.entrypoint)
    except DefinitionError as error:
        where = place(("spec", "entrypoint"), definition.positions, path)
        if not errors:
            raise EntrypointError(error.message, where=where, hint=error.hint, others=found) from error
        found.insert(len(errors), Problem("error", where, error.message, error.hint, "entrypoint"))
    if errors:
        raise Rejected(found)
    return Examined(entrypoint, tuple(found))


def _in_order(problem: Problem) -> tuple[str, int, int]:
    return problem.severity, problem.where.line, problem.where.column


async def referenced_template(
    manifest: JsonObject, where: Location, namespace: str, workflows: Workflows | None
) -> JsonObject | None:
    """Read the WorkflowTemplate that a manifest refers to as a whole; None: it refers to none, or there is no cluster.

    Raises `EntrypointError` when it is not there or must not be read.
    """
    ref = template_ref(manifest)
    if ref is None or workflows is None:
        return None
    try:
        return await workflows.template(namespace, ref.name, cluster_scope=ref.cluster_scope)
    except (NotFound, Invalid) as error:
        where_to = "the cluster" if ref.cluster_scope else f"the namespace `{namespace}`"
        message = f"{where_to} has no {ref.kind} `{ref.name[:100]}`"
        raise EntrypointError(
            message, where=where, hint="it must be there before a build refers to it"
        ) from error
    except Forbidden as error:
        message = f"the {ref.kind} `{ref.name[:100]}` may not be read"
        hint = error.public if error.grantable else "the server's role needs `get` of it"
        raise EntrypointError(message, where=where, hint=hint) from error


def _strictly(problem: Problem) -> Problem:
    return replace(problem, severity="error") if problem.rule == "unknown-field" else problem
