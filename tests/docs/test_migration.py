"""docs/migration.md sets each name of kube-ci v0.12.5 beside ours, and what it names is still taken."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import httpx
import msgspec
import pytest
from click.testing import CliRunner
from markdown_text import ROOT, prose

from kubeci.app import running
from kubeci.cli.argv import ORIGINAL_OPTIONS, normalise
from kubeci.cli.options import Invocation, server_options
from kubeci.definition.loader import ContextNames, Inputs, load_definition
from kubeci.definition.sandbox import Sandbox
from kubeci.github.signature import sign
from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.github.auth import new_app
from kubeci.local.serving import serving
from kubeci.local.stack import StackSettings, local_stack
from kubeci.model.build import ManualStep
from kubeci.model.slack import SlackCommand
from kubeci.policy.commands import Command, parse_commands
from kubeci.policy.slack import SlackWish, wish_of
from kubeci.report import check_run, errors, manual
from kubeci.service.commands.verbs import VERBS
from kubeci.service.prepare import DEFAULT_CHECK_NAME, DEPLOYMENT_MARK
from kubeci.settings.config import Config, load_config
from kubeci.settings.options import Options
from kubeci.web.api.shapes import Rendering, RunRequest
from kubeci.workflow import metadata
from kubeci.workflow.cache import FAILED
from kubeci.workflow.decorate import PARAMETERS

PAGE = ROOT / "docs" / "migration.md"
JSON = {"Content-Type": "application/json"}
PERMISSIONS = {"checks": "write", "contents": "read", "metadata": "read"}
"""What an App has that was made for the original."""

OPTIONS = {
    "kubeconfig": None,
    "master": None,
    "grace.shutdown": "2s",
    "grace.requests": "1s",
    "config": None,
    "keyfile": "github-key",
    "secretfile": "webhook-secret",
    "github.appid": None,
    "idsfile": None,
    "orgs": None,
    "argo.ui.base": "http://argo",
    "slack.tokenfile": None,
    "slack.secretfile": None,
}
"""The original's options with their defaults."""

SETTINGS = """\
ciContextPath: .ci
ciYAMLFile: build.yaml
ciStarlarkFile: build.star
namespace: builds
managedBy: old-ci
tolerations:
  - {key: dedicated, operator: Equal, value: ci, effect: NoExecute, tolerationseconds: 60}
nodeSelector: {pool: ci}
templates:
  go:
    description: a Go service
    ci: /etc/kube-ci/go.yaml
    deploy: /etc/kube-ci/go-deploy.yaml
cacheDefaults: {scope: branch, size: 5Gi, storageClassName: fast}
buildDraftPRs: true
buildBranches: ^(master|release-.*)$
manualTemplates: ^(publish|sign-off)$
essentialTemplates: ^sign-off$
deployTemplates: ^deploy
productionEnvironments: ^(production|live)$
environmentParameter: env
nonInteractiveBranches: ^bot/
extraParameters: {registry: registry.example.com}
api: {defaultInstallID: 12}
"""
"""A settings file that says everything that the original reads."""

KEYS = (
    "ciContextPath",
    "ciYAMLFile",
    "ciStarlarkFile",
    "namespace",
    "managedBy",
    "tolerations",
    "nodeSelector",
    "templates",
    "templates.NAME.description",
    "templates.NAME.ci",
    "templates.NAME.deploy",
    "cacheDefaults",
    "cacheDefaults.scope",
    "cacheDefaults.size",
    "cacheDefaults.storageClassName",
    "buildDraftPRs",
    "buildBranches",
    "manualTemplates",
    "essentialTemplates",
    "deployTemplates",
    "productionEnvironments",
    "environmentParameter",
    "nonInteractiveBranches",
    "extraParameters",
    "api.defaultInstallID",
)
READ = (
    "runForBranch",
    "runForTag",
    "cacheScope",
    "cacheSize",
    "cacheStorageClassName",
    "cacheName",
    "manualTemplates",
    "essentialTemplates",
    "deployTemplates",
    "nonInteractiveBranches",
)
RESERVED = ("features", "lint")
"""Annotations without a behaviour, then and now."""
WRITTEN = (
    "sha",
    "branch",
    "repo",
    "org",
    "github-install-id",
    "check-run-name",
    "check-run-id",
    "annotations-published",
    "deployment-ids",
    "pr-url",
)
LABELS = ("managedBy", "org", "repo", "branch", "scope", "cacheHash")
GIVEN = (
    "repo",
    "repo_git_url",
    "repo_https_url",
    "repoName",
    "orgName",
    "revision",
    "refType",
    "refName",
    "branch",
    "tag",
    "repoDefaultBranch",
    "pullRequestID",
    "pullRequestBaseBranch",
    "cacheVolumeClaimName",
)
INPUT = ("ref", "ref_type", "sha", "repo", "event")
MODULES = {
    "/encoding/yaml": "yaml",
    "/encoding/json": "encode decode indent",
    "/re": "re compile match search findall split sub",
    "/math": "ceil floor copysign mod pow remainder atan2 hypot fabs round exp sqrt acos asin atan cos sin tan "
    "degrees radians acosh asinh atanh cosh sinh tanh gamma log e pi",
    "/time": "from_timestamp is_valid_timezone now parse_duration parse_time time "
    "nanosecond microsecond millisecond second minute hour",
}
"""What `load` brings of each builtin module."""
SLASH = {
    "/kube-ci run": "run",
    "/kube-ci setup TEMPLATE": "setup",
    "/kube-ci deploy [ENV]": "deploy",
}
SLACK = (
    "/ci-setup org/repo [template [branch]]",
    "/ci-build org/repo [ref]",
    "/ci-deploy org/repo [env]",
)
ROUTES = {
    "/webhooks/github": "POST",
    "/webhooks/slack/cmd": "POST",
    "/api/v1/run": "POST",
    "/metrics": "GET",
    "/status": "GET",
    "/": "GET",
}
REQUEST = {
    "org": "acme",
    "repo": "widgets",
    "ref": "master",
    "ref_type": "branch",
    "hash": "a" * 40,
    "ci_context": {"/ci.yaml": "{}"},
    "entrypoint": "ci",
    "run": True,
}
ANSWER = ("workflow", "debug")
STEP = manual.offered(ManualStep("publish"), "")
SKIPPED = manual.skipped(ManualStep("publish"), "", "LOGIN")
CHECK_RUNS = {
    "Workflow - ENTRYPOINT": manual.check_name_of("ENTRYPOINT"),
    "Workflow - ENTRYPOINT (deployment)": manual.check_name_of("ENTRYPOINT") + DEPLOYMENT_MARK,
    "Default Workflow": errors.DEFAULT_NAME,
    "Workflow Setup": check_run.SETUP_TITLE,
    "Creating workflow": check_run.SETUP_SUMMARY,
    "Manual Step": STEP.title,
    "Use the button above to manually trigger this workflow template": STEP.summary,
    "Manual Step - Skipped": SKIPPED.title,
    "User LOGIN skipped this manual action": SKIPPED.summary,
    "Run": STEP.actions[0].label,
    "Skip": STEP.actions[1].label,
    "Clear Cache": check_run.CLEAR_BUTTONS["branch"].label,
    "creation of cache volume failed, ": FAILED,
}
"""What check-runs say, then and in the code now."""
SAID = (
    "Workflow Run (NAMESPACE/NAME)",
    "unable to parse workflow, ",
    "error finding workflow endpoint, ",
    "argo workflow creation failed, ",
)
"""What the tests of the check-runs' texts hold."""
BUTTONS = {
    "run": STEP.actions[0].identifier,
    "skip": STEP.actions[1].identifier,
    "clearCacheBranch": check_run.CLEAR_BUTTONS["branch"].identifier,
    "clearCache": check_run.CLEAR_BUTTONS["project"].identifier,
}
EVENTS = (
    "check_suite",
    "check_run",
    "create",
    "push",
    "pull_request",
    "deployment",
    "issue_comment",
    "issues",
    "delete",
    "repository",
)
NAMES: dict[str, list[str]] = {
    "Command line": [f"-{name}" for name in OPTIONS],
    "Settings file": list(KEYS),
    "Annotations and labels": [
        *READ, *RESERVED, *WRITTEN, metadata.TITLE, *(f"label {name}" for name in LABELS)
    ],
    "Workflow parameters": list(GIVEN),
    "Starlark": [
        *(f"input.{name}" for name in INPUT),
        "print",
        "load",
        "loadFile",
        *(f"{module} {name}" for module, names in MODULES.items() for name in names.split()),
    ],
    "Slash commands": list(SLASH),
    "Slack": list(SLACK),
    "Routes": list(ROUTES),
    "HTTP API": [*(f"request {name}" for name in REQUEST), *(f"answer {name}" for name in ANSWER)],
    "Check-runs": [*CHECK_RUNS, *SAID],
    "Events": list(EVENTS),
}  # fmt: skip


def told(heading: str) -> Iterator[str]:
    """Give what the first column of a section's tables names; what stands before names in a cell goes with each of them."""
    text = re.split(r"^## ", prose(PAGE), flags=re.MULTILINE)
    [section] = [part for part in text if part.startswith(f"{heading}\n")]
    for line in section.splitlines():
        cell = line.split(" | ")[0].removeprefix("| ")
        if not line.startswith("| ") or "`" not in cell:
            continue
        names = re.findall(r"`([^`]+)`", cell)
        kind = cell.partition("`")[0].strip()
        if heading == "Starlark" and names[0].startswith("/"):
            yield from (f"{names[0]} {name}" for name in names[1:])
        elif kind in {"label", "request", "answer"}:
            yield from (f"{kind} {name}" for name in names)
        else:
            yield from names


@pytest.mark.parametrize("heading", NAMES)
def test_every_name_of_the_original_stands_on_the_page(heading: str) -> None:
    assert [name for name in NAMES[heading] if name not in set(told(heading))] == []


@pytest.mark.parametrize("heading", [each for each in NAMES if each != "Events"])
def test_the_tables_name_the_original_alone(heading: str) -> None:
    assert [name for name in told(heading) if name not in NAMES[heading]] == []


@click.command()
@server_options
def starting(invocation: Invocation) -> None:
    """Stand in for the server; gives what it would start with."""
    options, config, warnings = invocation.resolve()
    context = click.get_current_context()
    context.obj.update(options=options, config=config, warnings=warnings)


@pytest.mark.parametrize(("name", "default"), OPTIONS.items())
def test_every_option_keeps_its_name_and_default(name: str, default: str | None) -> None:
    [option] = [each for each in starting.params if f"--{name}" in each.opts]
    assert (option.default if isinstance(option.default, str) else None) == default
    assert normalise([f"-{name}=1"]) == ["serve", f"--{name}=1"]
    assert name in ORIGINAL_OPTIONS


def test_every_key_is_read_and_counts() -> None:
    loaded = load_config(SETTINGS, source="config.yaml", strict=True)
    assert loaded.warnings == ()
    unset = [
        field.name
        for field in msgspec.structs.fields(Config)
        if field.encode_name in {key.partition(".")[0] for key in KEYS}
        and getattr(loaded.config, field.name) == getattr(Config(), field.name)
    ]
    assert unset == []
    assert [key for key in KEYS if f"{key.rpartition('.')[2]}:" not in SETTINGS] == []
    assert loaded.config.tolerations[0]["tolerationSeconds"] == 60


def test_every_annotation_and_label_keeps_its_name() -> None:
    known = {value for name, value in vars(metadata).items() if name.isupper() and isinstance(value, str)}
    assert {metadata.PREFIX + name for name in (*READ, *WRITTEN)} - known == set()
    assert {metadata.PREFIX + name for name in WRITTEN} - metadata.OURS == set()
    assert set(LABELS) - known == set()
    assert metadata.PREFIX == "kube-ci.qutics.com/"


def test_every_parameter_is_given() -> None:
    assert set(GIVEN) - PARAMETERS == set()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as opened:
        yield opened


async def test_every_builtin_is_brought_by_load(sandbox: Sandbox) -> None:
    loads = [
        f'load("builtin://{module}", {", ".join(f"{prefix}{name} = {name!r}" for name in names.split())})'
        for number, (module, names) in enumerate(MODULES.items())
        for prefix in [f"m{number}_"]
    ]
    uses = [f"input.{name}" for name in INPUT] + ['loadFile("a.txt")', "print"]
    source = "\n".join(
        [
            *loads,
            f"print({', '.join(uses[:-1])})",
            "workflow = {'apiVersion': 'argoproj.io/v1alpha1', 'kind': 'Workflow'}",
        ]
    )
    inputs = Inputs(
        "master", "branch", "a" * 40, {"id": 1}, {"number": 2}, now=datetime(2026, 1, 1, tzinfo=UTC)
    )
    definition = await load_definition({"ci.star": source, "a.txt": "\tx"}, inputs, ContextNames(), sandbox)
    assert definition
    assert "master branch" in definition.prints[0]


@pytest.mark.parametrize(("usage", "verb"), SLASH.items())
def test_every_slash_command_is_obeyed(usage: str, verb: str) -> None:
    assert verb in VERBS
    [command] = parse_commands(usage)
    assert isinstance(command, Command)
    assert command.name == verb


@pytest.mark.parametrize("usage", SLACK)
def test_every_slack_command_is_understood(usage: str) -> None:
    command, _, text = usage.partition(" ")
    given = SlackCommand(command, re.sub(r"[\[\]]", "", text), "U1", "ada", "C1", "T1", "", "")
    assert isinstance(wish_of(given), SlackWish)


def test_every_field_of_the_api_is_taken_and_given() -> None:
    asked = msgspec.json.decode(msgspec.json.encode(REQUEST), type=RunRequest)
    assert msgspec.to_builtins(asked) == REQUEST
    assert {field.encode_name for field in msgspec.structs.fields(Rendering)} >= set(ANSWER)


def test_check_runs_say_what_people_know() -> None:
    assert {known: said for known, said in CHECK_RUNS.items() if known != said} == {}
    assert DEFAULT_CHECK_NAME == errors.DEFAULT_NAME
    assert {known: said for known, said in BUTTONS.items() if known != said} == {}
    assert [action.description for action in STEP.actions] == [
        "run this workflow template manually",
        "mark as complete without running",
    ]


@pytest.fixture
def original(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Options, Config]:
    """Start as the original was: its options, its files, all keys of its settings file; nothing may be warned of."""
    monkeypatch.chdir(tmp_path)
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "x",
        "clusters": [{"name": "x", "cluster": {"server": "http://127.0.0.1:9"}}],
        "users": [{"name": "x", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
    }
    for name, text in {
        "key.pem": new_app().private_key or "",
        "secret": "hush\n",
        "ids": "12\n\n13\n",
        "slack-token": "xoxb-1\n",
        "slack-secret": "s\n",
        "kubeconfig": msgspec.json.encode(kubeconfig).decode(),
        "config.yaml": SETTINGS,
    }.items():
        (tmp_path / name).write_text(text)
    line = (
        "-kubeconfig=kubeconfig -master http://127.0.0.1:9 -grace.shutdown=1m30s -grace.requests 500ms -config=config.yaml "
        "-keyfile=key.pem -secretfile secret -github.appid=5 -idsfile=ids -orgs=acme|umbrella "
        "-argo.ui.base=https://argo.example -slack.tokenfile=slack-token -slack.secretfile=slack-secret"
    )
    command, *arguments = normalise(line.split())
    assert command == "serve"
    started: dict[str, object] = {}
    result = CliRunner().invoke(
        starting, [*arguments, "--strict-config"], obj=started, catch_exceptions=False
    )
    assert (result.exit_code, result.output) == (0, "")
    assert started["warnings"] == ()
    options, config = started["options"], started["config"]
    assert isinstance(options, Options)
    assert isinstance(config, Config)
    return options, config


async def test_the_originals_app_and_settings_build(tmp_path: Path) -> None:
    definition = """
        apiVersion: argoproj.io/v1alpha1
        kind: Workflow
        spec: {entrypoint: ci, templates: [{name: ci, container: {image: alpine, command: ["true"]}}]}
    """
    config = load_config(SETTINGS, source="config.yaml", strict=True).config
    async with local_stack(tmp_path, StackSettings(config=config, engine=False)) as stack:
        await stack.github.create_repository("acme/widgets")
        stack.github.installation("acme/widgets").permissions = dict(PERMISSIONS)
        await stack.github.push("acme/widgets", {".ci/build.yaml": definition}, branch="master", message="Go")
        async with asyncio.timeout(20):
            while not (found := stack.cluster.objects.list(WORKFLOWS, None)):
                await asyncio.sleep(0.02)
        [run] = stack.github.state.runs.values()
    [workflow] = found
    spec, labels = workflow["spec"], workflow["metadata"]["labels"]
    given = {entry["name"]: entry["value"] for entry in spec["arguments"]["parameters"]}
    assert (run.name, run.external_id) == ("Workflow - ci", "ci")
    assert (workflow["metadata"]["namespace"], labels["managedBy"]) == ("builds", "old-ci")
    assert (spec["nodeSelector"], spec["tolerations"][0]["tolerationSeconds"]) == ({"pool": "ci"}, 60)
    assert given["registry"] == "registry.example.com"
    assert given["cacheVolumeClaimName"].startswith("ci-branch-acme-widgets-x")
    assert set(GIVEN) - given.keys() == {"tag"}


async def test_the_originals_server_starts_and_answers(original: tuple[Options, Config]) -> None:
    options, config = original
    assert (options.app_id, options.grace_shutdown, options.grace_requests) == (5, 90, 0.5)
    assert options.installations == {12, 13}
    assert config.namespace == "builds"
    body = b'{"zen": "Keep it logically awesome."}'
    async with (
        running(options, config, trust_env=False) as server,
        serving(server.web) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as client,
    ):
        answered = {
            route: (await client.request(method, route)).status_code for route, method in ROUTES.items()
        }
        signed = {
            "X-Hub-Signature-256": sign(b"hush", body),
            "X-GitHub-Event": "ping",
            "X-GitHub-Delivery": "1",
        }
        delivered = await client.post("/webhooks/github", content=body, headers=signed | JSON)
        status = await client.get("/status")
    assert [route for route, code in answered.items() if code in {404, 405, 500}] == []
    assert answered["/webhooks/github"] == answered["/webhooks/slack/cmd"] == answered["/api/v1/run"] == 401
    assert delivered.status_code == 202
    assert status.json() == {"service": "kube-ci", "status": 200}
