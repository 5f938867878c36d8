"""From a commit's CI files to the workflow that would be submitted; `kubeci render` and the server share it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from kubeci.definition.definition import Definition
from kubeci.definition.loader import ContextNames, Inputs, load_definition
from kubeci.definition.reading import ReadingRules
from kubeci.definition.sandbox import Sandbox
from kubeci.errors import ConfigurationError, DefinitionError, Location
from kubeci.model.build import Build, BuildRequest
from kubeci.model.cache import CacheClaim
from kubeci.model.context import kept_out
from kubeci.model.json import JsonObject
from kubeci.model.repository import RefType
from kubeci.model.source import CommitSource
from kubeci.policy.asks import Own, is_untrusted, refusals
from kubeci.policy.asks_told import problems_of
from kubeci.policy.decide import is_foreign
from kubeci.policy.paths import PathRules, parse_globs, skip_reason
from kubeci.ports import Workflows
from kubeci.service.examine import NotAllowed, examine, referenced_template
from kubeci.service.noted import decided, evaluated, failure_noted
from kubeci.service.plan import at, plan_of, to_deploy, with_cache
from kubeci.settings.asks import rules_of
from kubeci.settings.config import Config
from kubeci.workflow import metadata
from kubeci.workflow.cache import plan_cache
from kubeci.workflow.canonical import canonical
from kubeci.workflow.decorate import PARAMETERS, Surroundings, decorate, parameters
from kubeci.workflow.names import workflow_name
from kubeci.workflow.references import Run
from kubeci.workflow.schema import Problem

DEFAULT_CHECK_NAME = "Default Workflow"
DEPLOYMENT_MARK = " (deployment)"
TITLE_LIMIT = 300
NOTES_LIMIT = 50  # warnings and printed lines kept of one definition


@dataclass(frozen=True, slots=True)
class Tools:
    """What a definition is evaluated and checked with."""

    sandbox: Sandbox
    config: Config
    workflows: Workflows | None = None
    """The cluster, for templates that definitions refer to; None: they are not looked at."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A definition that was evaluated and found right: the build's record and the author's canonical manifest."""

    build: Build
    manifest: JsonObject
    around: Surroundings
    wanted_at: datetime
    """Since when the build is wanted."""
    skip: str = ""
    """Why nothing needs to run for the files that changed; empty: it runs."""
    warnings: tuple[Problem, ...] = ()
    """What the checks of the manifest found."""
    cache: CacheClaim | None = None
    path: str = ""
    """The file of the definition."""
    positions: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Where in it things stand, as in `Definition`."""


def context_names(config: Config) -> ContextNames:
    """Give the names of the CI files as the configuration sets them."""
    return ContextNames(config.ci_context_path, config.ci_yaml_file, config.ci_starlark_file)


def has_definition(source: CommitSource, config: Config) -> bool:
    """Say whether a commit holds a CI definition at all, be it one that was kept out for its size or its kind."""
    names = (config.ci_starlark_file, config.ci_yaml_file)
    files = source.files
    return files is not None and any(name in files or kept_out(source.problems, name) for name in names)


def new_build(
    request: BuildRequest, config: Config, now: datetime, *, check_name: str = DEFAULT_CHECK_NAME
) -> Build:
    """Give the record that a request begins with."""
    commit = request.commit
    return Build(
        id=request.id,
        commit=commit,
        ref=request.ref,
        entrypoint=request.entrypoint,
        check_name=check_name,
        namespace=config.namespace,
        workflow_name=workflow_name(commit.repository.name, request.ref.name, request.id, request.entrypoint),
        created_at=now,
        head_repository=request.head_repository,
        what=request.what,
        actor=_login(request),
        title=request.title or (request.pull_request.title[:TITLE_LIMIT] if request.pull_request else ""),
        environment=request.deployment.environment if request.deployment else "",
        deployment_id=request.deployment.id if request.deployment else 0,
        delivery_id=request.delivery_id,
    )


async def prepare(
    request: BuildRequest, source: CommitSource, tools: Tools, now: datetime
) -> Prepared | None:
    """Evaluate a commit's definition and check it.

    None: the definition says that there is nothing to run. Raises `DefinitionError` with the place and the reason.
    """
    with failure_noted():
        return await _prepare(request, source, tools, now)


async def _prepare(
    request: BuildRequest, source: CommitSource, tools: Tools, now: datetime
) -> Prepared | None:
    config = tools.config
    began = time.monotonic()
    definition = await load_definition(
        source.files or {},
        _inputs(request, source, config, now),
        context_names(config),
        tools.sandbox,
        problems=source.problems,
    )
    evaluated(definition, request.commit, time.monotonic() - began)
    if definition is None:
        return None
    asked = _Asked(request, source, config, now, definition)
    # A megabyte of manifest takes a second to look through: other work goes on meanwhile.
    manifest = await asyncio.to_thread(canonical, definition.manifest)
    if not _wanted(manifest, request.ref.type, asked.where) and request.automatic:
        return None
    template = await referenced_template(manifest, asked.where, config.namespace, tools.workflows)
    return await asyncio.to_thread(_checked, asked, manifest, template)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A definition that was evaluated, and what for."""

    request: BuildRequest
    source: CommitSource
    config: Config
    now: datetime
    definition: Definition

    @property
    def where(self) -> Location:
        return Location(f"{self.config.ci_context_path}/{self.definition.path}")


def _checked(asked: _Asked, manifest: JsonObject, template: JsonObject | None) -> Prepared:
    """Check a canonical manifest, with the cluster's template that it refers to as a whole."""
    request, source, config, definition = asked.request, asked.source, asked.config, asked.definition
    where = asked.where
    build = new_build(request, config, asked.now)
    with at(where):
        if request.deployment:
            manifest = to_deploy(manifest, template, request, config)
        cache = plan_cache(manifest, build, config, foreign=is_foreign(request, source))
        plan = with_cache(plan_of(manifest, template, build, _default_branch(request), config), cache)
    pull_request = source.pull_requests[0] if source.pull_requests else None
    around = Surroundings(request.repository_object or {}, pull_request, cache.name if cache else "")
    given = _given(asked, manifest, frozenset(parameters(build, around, config)))
    run = Run(given, request.entrypoint, config.environment_parameter, template)
    examined = examine(definition, where.path, run, strict=config.strict_workflows)
    _hold_to_policy(asked, manifest, cached=cache is not None)
    warnings = (*source.problems, *map(str, examined.warnings))
    build = replace(
        build,
        check_name=f"Workflow - {examined.entrypoint}{DEPLOYMENT_MARK if request.deployment else ''}",
        entrypoint=examined.entrypoint,
        plan=plan,
        warnings=warnings[:NOTES_LIMIT],
        prints=definition.prints[:NOTES_LIMIT],
        loaded=tuple(f"{each.address} at {each.sha}" for each in definition.loaded),
        pull_request=pull_request.number if pull_request else 0,
    )
    skip = _skip_reason(request, manifest, where)
    decided(build, skip)
    return Prepared(
        build=build,
        manifest=manifest,
        around=around,
        wanted_at=request.wanted_at or asked.now,
        skip=skip,
        warnings=examined.warnings,
        cache=cache,
        path=where.path,
        positions=definition.positions,
    )


def _given(asked: _Asked, manifest: JsonObject, given: frozenset[str]) -> frozenset[str]:
    """Say which parameters a definition may use: those that are given, and some that would be elsewhere."""
    # One for tags alone may use `tag`, even where somebody has it rendered for a branch.
    if not _wanted(manifest, asked.request.ref.type, asked.where):
        given |= PARAMETERS
    if asked.request.deployment:
        given |= {asked.config.environment_parameter}
    return given


def _hold_to_policy(asked: _Asked, manifest: JsonObject, *, cached: bool) -> None:
    """Raise `NotAllowed` where a workflow asks for what its build may not have."""
    untrusted = is_untrusted(asked.request, asked.source)
    rules = rules_of(asked.config.workflow_policy, untrusted=untrusted)
    if refused := refusals(manifest, rules, Own(asked.config.namespace, cache=cached)):
        raise NotAllowed(
            problems_of(refused, asked.definition.positions, asked.where.path, untrusted=untrusted)
        )


def render(prepared: Prepared, config: Config) -> JsonObject:
    """Give the workflow to submit; `DefinitionError` when it is larger than a cluster takes."""
    with at(Location(prepared.path)):
        return decorate(prepared.manifest, prepared.build, prepared.around, config)


def _login(request: BuildRequest) -> str:
    """Give who asked, or who made the event happen that is judged by nobody's person."""
    if request.actor:
        return request.actor.login
    sender = (request.event or {}).get("sender")
    return str(sender.get("login") or "") if isinstance(sender, dict) else ""


def title_of(source: CommitSource) -> str:
    """Give what people know a commit by: the title of its pull request, else the first line of its message."""
    title = source.pull_requests[0].title if source.pull_requests else source.message.partition("\n")[0]
    return title[:TITLE_LIMIT]


def _default_branch(request: BuildRequest) -> str:
    return str((request.repository_object or {}).get("default_branch") or "main")


def _inputs(request: BuildRequest, source: CommitSource, config: Config, now: datetime) -> Inputs:
    trusted = config.definition_from_base or not is_foreign(request, source)
    return Inputs(
        ref=request.ref.name,
        ref_type=request.ref.type.value,
        sha=request.commit.sha,
        repo=request.repository_object,
        event=request.event,
        changed_files=request.changed_files,
        now=now,
        reading=ReadingRules(request.commit.repository, config.module_repositories, trusted=trusted),
    )


def _wanted(manifest: JsonObject, ref_type: RefType, where: Location) -> bool:
    try:
        if ref_type is RefType.TAG:
            return metadata.switch(manifest, metadata.RUN_FOR_TAG, default=False)
        return metadata.switch(manifest, metadata.RUN_FOR_BRANCH, default=True)
    except DefinitionError as error:
        raise DefinitionError(error.message, where=where, hint=error.hint) from error


def _skip_reason(request: BuildRequest, manifest: JsonObject, where: Location) -> str:
    """Say why the path rules let nothing run; what somebody asked for always runs."""
    if not request.automatic:
        return ""
    written = metadata.annotations_of(manifest)
    try:
        rules = PathRules(
            parse_globs(written.get(metadata.RUN_IF_CHANGED, "")),
            parse_globs(written.get(metadata.SKIP_IF_ONLY_CHANGED, "")),
        )
        return skip_reason(rules, request.changed_files)
    except (DefinitionError, ConfigurationError) as error:
        raise DefinitionError(f"path rules: {error}", where=where) from error
