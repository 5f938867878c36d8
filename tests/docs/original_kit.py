"""The names of kube-ci v0.12.5 by the sections of docs/migration.md, and a command with our options."""

from __future__ import annotations

import click

from kubeci.cli.options import Invocation, server_options
from kubeci.model.build import ManualStep
from kubeci.report import check_run, errors, manual
from kubeci.service.prepare import DEPLOYMENT_MARK
from kubeci.workflow import metadata
from kubeci.workflow.cache import FAILED

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


@click.command()
@server_options
def starting(invocation: Invocation) -> None:
    """Stand in for the server; gives what it would start with."""
    options, config, warnings = invocation.resolve()
    context = click.get_current_context()
    context.obj.update(options=options, config=config, warnings=warnings)
