"""What a definition says of what comes beside and after its workflow: manual steps, deployments, the cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from kubeci.errors import DefinitionError, EntrypointError, Location
from kubeci.model.build import Build, BuildRequest, Plan
from kubeci.model.cache import CacheClaim
from kubeci.model.json import JsonObject
from kubeci.model.repository import Ref
from kubeci.settings.config import Config
from kubeci.workflow import metadata
from kubeci.workflow.cache import FAILED
from kubeci.workflow.deploy import for_deployment
from kubeci.workflow.manual import MANUAL_LIMIT, is_interactive, manual_steps
from kubeci.workflow.outline import Outline, text
from kubeci.workflow.template_ref import with_template

NO_TEMPLATES = frozenset({"", "^$"})
"""Patterns that no template's name matches."""


@contextmanager
def at(where: Location) -> Iterator[None]:
    """Give errors of a definition that know no place this one."""
    try:
        yield
    except EntrypointError:
        raise
    except DefinitionError as error:
        if error.where or error.message.startswith(FAILED):  # people know what a cache's errors begin with
            raise
        raise DefinitionError(error.message, where=where, hint=error.hint, others=error.others) from error


def plan_of(
    manifest: JsonObject, template: JsonObject | None, build: Build, default_branch: str, config: Config
) -> Plan:
    """Give the plan of a build, without its cache; `template` is the cluster's template that the manifest refers to.

    Manual steps follow the default entrypoint alone, and no deployment. Raises `DefinitionError` for an annotation that
    is no regular expression.
    """
    whole = with_template(manifest, template) if template else manifest
    entrypoint = text(Outline(manifest).spec.get("entrypoint"))
    default = build.entrypoint in {"", entrypoint} and not build.deployment_id
    steps = manual_steps(manifest, whole, config)
    offers = default and is_interactive(manifest, build.ref, default_branch, config)
    deploy = metadata.pattern(manifest, metadata.DEPLOY_TEMPLATES, config.deploy_templates).source
    return Plan(
        manual=steps[:MANUAL_LIMIT] if offers else (),
        deploy_templates="" if deploy in NO_TEMPLATES else deploy,
        default_branch=build.ref == Ref(default_branch) and not build.head_repository,
    )


def with_cache(plan: Plan, cache: CacheClaim | None) -> Plan:
    """Add a build's cache to its plan."""
    if cache is None:
        return plan
    return replace(plan, cache_claim=cache.name, cache_scope=cache.scope)


def to_deploy(
    manifest: JsonObject, template: JsonObject | None, request: BuildRequest, config: Config
) -> JsonObject:
    """Give the manifest that deploys to the environment that a GitHub deployment names.

    Raises `DefinitionError` when its task is no deployment template, or takes no environment.
    """
    assert request.deployment
    pattern = metadata.pattern(manifest, metadata.DEPLOY_TEMPLATES, config.deploy_templates)
    return for_deployment(
        manifest,
        request.entrypoint,
        request.deployment.environment,
        pattern=pattern,
        parameter=config.environment_parameter,
        templates=with_template(manifest, template) if template else manifest,
    )
