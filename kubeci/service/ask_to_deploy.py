"""Create the GitHub deployment that asks for a run; its event then starts it (contract, sections 7 and 8)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kubeci.errors import DefinitionError, Location, NotFound
from kubeci.model.build import BuildRequest
from kubeci.model.deployment import Deployment
from kubeci.model.json import JsonObject
from kubeci.model.repository import RefType
from kubeci.policy.decide import is_foreign
from kubeci.report.markdown import code
from kubeci.report.plain import one_line
from kubeci.service.answer import Answer, refused
from kubeci.service.examine import referenced_template
from kubeci.service.prepare import Tools, has_definition, prepare
from kubeci.service.rooms import Rooms
from kubeci.service.sources import read_source
from kubeci.settings.pattern import Pattern
from kubeci.workflow import metadata
from kubeci.workflow.deploy import deployment_templates, for_deployment

STAGING = "staging"
MAX_ENVIRONMENT = 255  # characters
FORK = "the commit comes from another repository, and what is deployed must be in this one"


@dataclass(frozen=True, slots=True)
class _Definition:
    """What a commit's definition says of deployments."""

    manifest: JsonObject
    templates: JsonObject
    """The manifest that holds the templates."""
    pattern: Pattern


async def ask_to_deploy(
    request: BuildRequest, environment: str, template: str, rooms: Rooms, wish_id: str
) -> Answer:
    """Create a deployment of a request's commit to an environment, empty: staging, by a template.

    Without a template it is the only one that deploys; where there are several, they are listed. A wish that is handled
    again finds its deployment by `wish_id`. Raises `UpstreamError` where GitHub does not do it.
    """
    environment = environment or STAGING
    if len(environment) > MAX_ENVIRONMENT or one_line(environment, MAX_ENVIRONMENT) != environment:
        return refused(f"{code(environment)} is no name of an environment")
    try:
        definition = await _definition_of(request, rooms)
        if isinstance(definition, Answer):
            return definition
        task = _task(definition, environment, template, rooms)
    except DefinitionError as error:
        return refused(code(str(error), 500))
    if isinstance(task, Answer):
        return task
    number = await _deployment(request, environment, task, rooms, wish_id)
    what = f"{code(request.commit.sha[:7])} to {code(environment)} by {code(task)}"
    return Answer(f"deploying {what} (deployment {number})", shown=True)


async def _definition_of(request: BuildRequest, rooms: Rooms) -> _Definition | Answer:
    config, workflows = rooms.config, rooms.cluster.workflows
    source = await read_source(request, rooms.github.commits, config)
    # A branch or tag of this repository is its own, whoever opens a pull request with the same commit.
    if request.head_repository or (not request.ref.name and is_foreign(request, source)):
        return refused(FORK)
    if not has_definition(source, config):
        return refused("the commit has no CI definition")
    plain = replace(request, entrypoint="", deployment=None)
    prepared = await prepare(plain, source, Tools(rooms.sandbox, config, workflows), rooms.clock())
    if prepared is None:
        return refused("the definition says that there is nothing to run")
    manifest = prepared.manifest
    where = Location(config.ci_context_path)
    referenced = await referenced_template(manifest, where, config.namespace, workflows)
    pattern = metadata.pattern(manifest, metadata.DEPLOY_TEMPLATES, config.deploy_templates)
    return _Definition(manifest, manifest if referenced is None else referenced, pattern)


def _task(definition: _Definition, environment: str, template: str, rooms: Rooms) -> str | Answer:
    parameter = rooms.config.environment_parameter
    found = deployment_templates(definition.templates, definition.pattern, parameter)
    if not template and len(found) > 1:
        names = ", ".join(map(code, found[:20]))
        return refused(f"several templates deploy: {names}; name one of them")
    if not template and not found:
        return refused(
            "no template deploys: its name must match `deployTemplates`, and it must have the "
            f"input parameter {code(parameter)}"
        )
    task = template or found[0]
    for_deployment(
        definition.manifest,
        task,
        environment,
        pattern=definition.pattern,
        parameter=parameter,
        templates=definition.templates,
    )
    return task


async def _deployment(request: BuildRequest, environment: str, task: str, rooms: Rooms, wish_id: str) -> int:
    """Find or create the deployment; gives its id."""
    repository, sha = request.commit.repository, request.commit.sha
    ref = await _ref(request, rooms)
    wish = {
        "run": True,
        "ref_type": request.ref.type.value,
        "ref_name": request.ref.name,
        "sha": sha,
        "wish": wish_id,
    }
    deployment = Deployment(
        ref=ref,
        task=task,
        environment=environment,
        payload={"kube_ci": wish},
        production=rooms.config.production_environments.search(environment),
        description=f"asked for by {request.actor.login}" if request.actor else "",
    )
    for earlier in dict.fromkeys((ref, request.ref.name, sha)):
        if earlier and (
            known := await rooms.github.deployments.find(repository, replace(deployment, ref=earlier))
        ):
            return known
    return await rooms.github.deployments.create(repository, deployment)


async def _ref(request: BuildRequest, rooms: Rooms) -> str:
    """Give the branch or tag while it stands at the commit, else the sha."""
    ref, commit = request.ref, request.commit
    if not ref.name:
        return commit.sha
    folder = "tags" if ref.type is RefType.TAG else "heads"
    try:
        now = await rooms.github.commits.resolve(commit.repository, f"{folder}/{ref.name}")
    except NotFound:
        return commit.sha
    return ref.name if now == commit.sha else commit.sha
