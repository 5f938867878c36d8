"""Write one of the operator's templates into a repository as its CI definition (contract, section 8, `setup`)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from kubeci.errors import Conflict, NotFound
from kubeci.model.repository import Commit, Repository
from kubeci.report.markdown import code
from kubeci.report.plain import one_line
from kubeci.service.answer import Answer, refused
from kubeci.service.named import Named
from kubeci.service.rooms import Rooms
from kubeci.settings.config import Config, TemplateFiles
from kubeci.workflow.flaws import nearest

MAX_BYTES = 1_000_000  # of a file of the CI folder: contract, section 3
STARLARK = ".star"

log = structlog.get_logger(__name__)


async def set_up(  # noqa: PLR0913, PLR0917 - the five things that the commit tells of, and the rooms
    named: Named, branch: str, template: str, by: str, via_url: str, rooms: Rooms
) -> Answer:
    """Commit the file of a template to a branch, empty: the default branch; `by` is told to have asked at `via_url`.

    Raises `UpstreamError` when GitHub does not take it. The path of the operator's file is shown to nobody.
    """
    config, repository = rooms.config, named.repository
    if template not in config.templates:
        near = nearest(template, config.templates)
        meant = f"; did you mean {code(near)}?" if near else ""
        return refused(f"unknown template {code(template)}{meant}\n\n{templates_of(config)}".strip())
    text = await _text_of(template, config.templates[template])
    if text is None:
        return refused(
            f"the file of the template {code(template)} cannot be read: the operator's setting `templates` is wrong"
        )
    branch = branch or named.default_branch
    starlark = config.templates[template].ci.endswith(STARLARK)
    name = config.ci_starlark_file if starlark else config.ci_yaml_file
    try:
        beside = await _beside(repository, branch, config, rooms, starlark=starlark)
    except NotFound:
        return refused(f"{code(repository.full_name)} has no branch {code(branch)}")
    path = f"{config.ci_context_path.strip('/')}/{name}"
    message = f"kube-ci configured by {one_line(by)} via {one_line(via_url)}"
    wrote = await rooms.github.contents.write(repository, branch, path, text, message)
    did = "now is" if wrote else "is already"
    return Answer(f"{code(path)} on {code(branch)} {did} the template {code(template)}{beside}")


def templates_of(config: Config) -> str:
    """List the templates that the operator offers, as Markdown."""
    if not config.templates:
        return "The operator offers no templates."
    rows = [
        f"- {code(name)}" + (f": {code(files.description)}" if files.description else "")
        for name, files in sorted(config.templates.items())
    ]
    return "\n".join(["Templates:", "", *rows])


async def _text_of(template: str, files: TemplateFiles) -> str | None:
    try:
        return await asyncio.to_thread(_read, Path(files.ci))
    except (OSError, ValueError) as error:
        log.warning("a template cannot be read", template=template, file=files.ci, error=str(error))
        return None


def _read(path: Path) -> str:  # an empty name is the working folder, and no file either
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES:,} bytes")
    return content.decode()


async def _beside(
    repository: Repository, branch: str, config: Config, rooms: Rooms, *, starlark: bool
) -> str:
    """Say what the branch's other definition means for the one to be written; `NotFound` when there is no such branch."""
    try:
        sha = await rooms.github.commits.resolve(repository, f"heads/{branch}")
        found = await rooms.github.commits.read(Commit(repository, sha), config.ci_context_path)
    except Conflict as error:
        raise NotFound(str(error), status=404) from error
    other = config.ci_yaml_file if starlark else config.ci_starlark_file
    if other not in (found.files or {}):
        return ""
    if starlark:
        return f"; {code(other)} beside it is not used any more"
    return f"; it is **not used** while {code(other)} stands beside it, which wins"
