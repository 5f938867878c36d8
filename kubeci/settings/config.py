"""The configuration file: what it may say, and what it says when it says nothing (contract, section 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from kubeci.errors import ConfigurationError
from kubeci.model.json import JsonObject
from kubeci.model.trust import Answer, What, Who
from kubeci.settings.api import Api, Pages
from kubeci.settings.asks import Level, WorkflowPolicy
from kubeci.settings.duration import Duration
from kubeci.settings.halves import contradictions
from kubeci.settings.pattern import Pattern
from kubeci.settings.reading import read_document
from kubeci.settings.slack import Slack
from kubeci.settings.unknown import unknown_keys

LabelValue = Annotated[str, Meta(pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")]
FileName = Annotated[str, Meta(pattern=r"^[^/\x00]+$")]
ContextPath = Annotated[str, Meta(pattern=r"^[^/:\x00][^:\x00]*$")]
Port = Annotated[int, Meta(ge=1, le=65535)]


class CacheDefaults(Struct, frozen=True, rename="camel"):
    """The cache volume of builds that do not ask for one themselves."""

    scope: str = "none"
    size: str = ""
    storage_class_name: str = ""


class TemplateFiles(Struct, frozen=True):
    """Files on the server that the `setup` command offers under a name."""

    description: str = ""
    ci: str = ""
    deploy: str = ""


class Config(Struct, frozen=True, rename="camel"):
    """The configuration file; each field's name there is its name here in camel case."""

    ci_context_path: ContextPath = ".kube-ci"
    """Folder of a repository that holds its CI files."""
    ci_yaml_file: FileName = field(default="ci.yaml", name="ciYAMLFile")
    """Name of the YAML definition in that folder."""
    ci_starlark_file: FileName = "ci.star"
    """Name of the Starlark definition; it wins when both exist."""
    namespace: Annotated[str, Meta(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")] = "argo"
    """Where workflows, pods and claims live."""
    managed_by: LabelValue = "kube-ci"
    """Value of the label `managedBy` that marks what this server owns."""
    tolerations: tuple[JsonObject, ...] = ()
    """Appended to every workflow's tolerations."""
    node_selector: dict[str, str] = {}
    """Merged into every workflow's node selector."""
    templates: dict[str, TemplateFiles] = {}
    """Definitions that the `setup` command offers."""
    cache_defaults: CacheDefaults | None = None
    """The cache volume of builds that do not ask for one."""
    build_draft_prs: bool = field(default=False, name="buildDraftPRs")
    """Build commits that are only in draft pull requests."""
    build_branches: Pattern = field(default_factory=lambda: Pattern("master"))
    """Searched in the pull request's base branch, or in the pushed branch when there is none."""
    manual_templates: Pattern = field(default_factory=lambda: Pattern("^$"))
    """Templates that are offered as manual steps."""
    essential_templates: Pattern = field(default_factory=lambda: Pattern("^$"))
    """Manual steps that block until somebody acts."""
    deploy_templates: Pattern = field(default_factory=lambda: Pattern("^$"))
    """Templates whose runs are deployments."""
    production_environments: Pattern = field(default_factory=lambda: Pattern("^production$"))
    """Environments that are marked as production."""
    environment_parameter: str = "environment"
    """The input parameter that names a deployment's environment."""
    environment_url_parameter: str = field(default="environmentURL", name="environmentURLParameter")
    """The output parameter with the address at which a deployment is seen, if a template has it."""
    non_interactive_branches: Pattern = field(default_factory=lambda: Pattern("^$"))
    """Head branches without manual steps."""
    extra_parameters: dict[str, str] = {}
    """Workflow parameters added to every run."""
    strict_workflows: bool = False
    """Treat a field that the workflow schema does not know as an error."""
    trust: dict[What, dict[Who, Answer]] = {}
    """Answers in place of those of the trust table: event → who → `build`, `ask` or `ignore`."""
    workflow_policy: WorkflowPolicy | Level = WorkflowPolicy()
    """What a workflow may ask of the cluster; one word is for all builds."""
    definition_from_base: bool = True
    """Take the definition of commits that come from forks from the base branch."""
    module_repositories: tuple[Pattern, ...] | None = None
    """Other repositories that definitions may load from, each matched with the whole of `owner/name`; without: the same owner's."""
    module_ports: tuple[Port, ...] = ()
    """Ports besides 443 that definitions may load from by https."""
    shared_claims: dict[str, tuple[Pattern, ...]] = {}
    """Claims that several repositories may name as their cache: name → patterns matched with the whole of `owner/name`."""
    api: Api = Api()
    """Settings of the HTTP API."""
    pages: Pages = Pages()
    """Who may see the server's pages beside the holders of tokens."""
    slack: Slack = Slack()
    """Who may give commands in Slack, and which channels are told of what."""
    sweep_interval: Duration = field(default_factory=lambda: Duration("5m"))
    """Time between two looks at what GitHub delivered; `0` for none."""
    retention: Duration = field(default_factory=lambda: Duration("720h"))
    """How long deliveries with their traces, and builds that are finished, are kept."""
    options: dict[str, str | int | bool] = {}
    """Server options by the names of the command line, for those not given there."""


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration and what the operator should be told about its file."""

    config: Config
    warnings: tuple[str, ...] = ()


def load_config(text: str, *, source: str, strict: bool = False) -> LoadedConfig:
    """Read the configuration file's text; `source` names it in messages.

    An unknown key is a warning with the nearest key, with `strict` an error. Anything else that is wrong is a
    `ConfigurationError` naming the key.
    """
    document = read_document(text, Config, source)
    if document is None:
        document = {}
    if not isinstance(document, dict):
        raise ConfigurationError(f"{source} must be a mapping of settings, not a {type(document).__name__}")
    warnings = tuple(f"{source}: {problem}" for problem in unknown_keys(document, Config))
    if strict and warnings:
        raise ConfigurationError("; ".join(warnings))
    document = {key: value for key, value in document.items() if value is not None}
    if isinstance(tolerations := document.get("tolerations"), list):
        document["tolerations"] = [_toleration(entry) for entry in tolerations]
    config = _convert(document, Config, source)
    return LoadedConfig(config, (*warnings, *(f"{source}: {problem}" for problem in contradictions(config))))


T = TypeVar("T")


def _convert(document: JsonObject, shape: type[T], source: str) -> T:
    try:
        return msgspec.convert(document, shape, dec_hook=_decode, str_keys=True)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$.")
        key = where.rstrip("`") or "?"
        raise ConfigurationError(f"{source}: `{key}`: {message}") from error


def _decode(shape: type[Any], value: Any) -> Any:
    if shape is Duration:
        try:
            return Duration(str(value))
        except ConfigurationError as error:
            raise ValueError(str(error)) from error
    if shape is Pattern:
        if not isinstance(value, str):
            raise ValueError(f"Expected a regular expression, got `{value}`")
        try:
            return Pattern(value)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error
    raise NotImplementedError(shape)


def _toleration(entry: Any) -> Any:
    """Accept old files' `tolerationseconds` beside Kubernetes' `tolerationSeconds`."""
    if isinstance(entry, dict) and "tolerationseconds" in entry:
        entry = dict(entry)
        entry["tolerationSeconds"] = entry.pop("tolerationseconds")
    return entry
