from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from click.testing import CliRunner

from kubeci.cli import cli
from kubeci.cli.preparation import Invocation
from kubeci.definition.sandbox import Sandbox
from kubeci.errors import DefinitionError
from kubeci.model.json import JsonObject
from kubeci.service.examine import Rejected
from kubeci.service.prepare import Tools, prepare
from kubeci.settings.config import Config, load_config
from kubeci.workflow.schema import Problem

EXAMPLES = Path(__file__).parents[2] / "examples"
FOLDERS = sorted({path.parents[1] for path in EXAMPLES.glob("*/.kube-ci/ci.*")})

SECRET = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
spec:
  entrypoint: ci
  templates:
    - name: ci
      container:
        image: alpine
        env:
          - {name: TOKEN, valueFrom: {secretKeyRef: {name: prod, key: token}}}
          - {name: OTHER, valueFrom: {secretKeyRef: {name: "{{workflow.parameters.repoName}}", key: token}}}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as opened:
        yield opened


async def outcome(
    folder: Path, sandbox: Sandbox, config: Config, *, untrusted: bool
) -> tuple[JsonObject | None, tuple[Problem, ...] | str]:
    """Give what a definition comes to, as `render` and `lint` find it: a workflow, and what is wrong with it."""
    invocation = Invocation(folder, config, "refs/heads/main", "", None, untrusted)
    tools = Tools(sandbox, config)
    try:
        found = await prepare(
            invocation.request(), invocation.source(), tools, datetime(2026, 11, 21, tzinfo=UTC)
        )
    except Rejected as error:
        return None, error.problems
    except DefinitionError as error:
        return None, str(error)
    return (found.manifest, found.warnings) if found else (None, ())


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_an_example_runs_for_strangers_too(folder: Path, sandbox: Sandbox) -> None:
    trusted = await outcome(folder, sandbox, Config(), untrusted=False)
    untrusted = await outcome(folder, sandbox, Config(), untrusted=True)
    assert untrusted == trusted
    assert trusted[0] is not None or trusted[1]


def invoke(tmp_path: Path, *arguments: str, settings: str = "") -> tuple[int, str]:
    (tmp_path / ".kube-ci").mkdir(exist_ok=True)
    (tmp_path / ".kube-ci" / "ci.yaml").write_text(SECRET)
    config = tmp_path / "settings.yaml"
    config.write_text(settings)
    result = CliRunner().invoke(cli, [*arguments, "--config", str(config), str(tmp_path)])
    return result.exit_code, result.output


def test_each_refused_field_is_told_with_its_place_its_rule_and_what_to_do(tmp_path: Path) -> None:
    status, output = invoke(tmp_path, "render", "--untrusted")
    first, second = output.splitlines()
    assert status == 1
    field = "spec.templates[0].container.env[0].valueFrom.secretKeyRef.name"
    assert first == (
        f".kube-ci/ci.yaml:10:54: `{field}` asks for the secret `prod`, which a build of a fork's commit may not have: "
        "`workflowPolicy.untrusted.secrets` is `none`; do without it, or ask who runs this server to allow it with "
        "`workflowPolicy.untrusted.secrets: [prod]`"
    )
    assert second.startswith(".kube-ci/ci.yaml:11:54: `spec.templates[0].container.env[1].")
    assert second.endswith("write the name itself: what `{{…}}` stands for is known only when it runs")
    assert invoke(tmp_path, "render")[0] == 0


def test_lint_tells_them_for_machines_too(tmp_path: Path) -> None:
    status, output = invoke(tmp_path, "lint", "--untrusted", "-o", "json")
    assert (status, output.count('"rule": "workflow-policy"')) == (1, 2)


def test_a_setting_reaches_the_command(tmp_path: Path) -> None:
    status, output = invoke(
        tmp_path, "render", "--untrusted", settings="workflowPolicy: {untrusted: {secrets: [prod]}}"
    )
    assert (status, output.count("asks for the secret")) == (1, 1)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("settings", "trusted", "untrusted"),
    [
        ("", 0, 2),
        ("workflowPolicy: open", 0, 0),
        ("workflowPolicy: restricted", 2, 2),
        ("workflowPolicy: {trusted: restricted}", 2, 2),
        ("workflowPolicy: {untrusted: open}", 0, 0),
        ("workflowPolicy: {untrusted: {secrets: any}}", 0, 0),
        ("workflowPolicy: {untrusted: {secrets: [prod]}}", 0, 1),
        ("workflowPolicy: {untrusted: {secrets: []}}", 0, 2),
        # A mapping changes the restricted rules, unless it says otherwise.
        ("workflowPolicy: {trusted: {claims: any}}", 2, 2),
        ("workflowPolicy: {trusted: {base: open, claims: none}}", 0, 2),
    ],
)
async def test_a_setting_decides(
    tmp_path: Path, sandbox: Sandbox, settings: str, trusted: int, untrusted: int
) -> None:
    (tmp_path / ".kube-ci").mkdir()
    (tmp_path / ".kube-ci" / "ci.yaml").write_text(SECRET)
    config = load_config(settings, source="settings.yaml").config
    found = [(await outcome(tmp_path, sandbox, config, untrusted=each))[1] for each in (False, True)]
    assert [sum("asks for the secret" in str(problem) for problem in each) for each in found] == [
        trusted,
        untrusted,
    ]
