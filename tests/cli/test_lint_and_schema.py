from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from click.testing import CliRunner, Result

from kubeci.cli import cli
from kubeci.cli.schema import settings_schema, workflow_schema

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(folder.parent for folder in (ROOT / "examples").glob("*/.kube-ci"))
HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n"
WRONG = (
    HEAD
    + """\
spec:
  entrypoint: ci
  templates:
    - name: ci
      steps:
        - - name: one
            template: bild
    - name: build
      container:
        imge: alpine
        command: 3
"""
)


MINIMAL = """\
workflow = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "spec": {"entrypoint": "a", "templates": [{"name": "a", "container": {"image": "x"}}]},
}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), catch_exceptions=False)


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    (tmp_path / ".kube-ci").mkdir()
    (tmp_path / ".kube-ci" / "ci.yaml").write_text(WRONG)
    return tmp_path


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_the_examples_are_without_fault(folder: Path) -> None:
    result = run("lint", str(folder))
    assert result.exit_code == 0, result.output
    assert "nothing is wrong" in result.stderr


def test_all_errors_are_told_at_once_with_their_places(wrong: Path) -> None:
    result = run("lint", str(wrong))
    assert result.exit_code == 1
    places = [line.split(".kube-ci/")[1].rpartition(": error:")[0] for line in result.stdout.splitlines()]
    assert {place.split(":")[1] for place in places} >= {"9", "12", "13"}
    assert "did you mean `build`?" in result.stdout
    assert "did you mean `image`?" in result.stdout


def test_json_and_sarif_name_the_same_places(wrong: Path) -> None:
    text = run("lint", str(wrong)).stdout.splitlines()
    told: Any = json.loads(run("lint", str(wrong), "-o", "json").stdout)
    sarif: Any = json.loads(run("lint", str(wrong), "-o", "sarif").stdout)
    assert sarif["version"] == "2.1.0"
    [found] = sarif["runs"]
    assert found["tool"]["driver"]["name"] == "kubeci"
    lines = [result["locations"][0]["physicalLocation"]["region"]["startLine"] for result in found["results"]]
    problems = told if isinstance(told, list) else told["problems"]
    assert len(lines) == len(problems) == len(text)


def test_starlark_is_evaluated_and_its_error_has_a_place(tmp_path: Path) -> None:
    (tmp_path / ".kube-ci").mkdir()
    (tmp_path / ".kube-ci" / "ci.star").write_text("print('here')\nfail('on purpose')\n")
    result = run("lint", str(tmp_path))
    assert result.exit_code == 1
    assert "ci.star:2:" in result.stdout
    assert "here" in result.stderr


def test_a_payload_gives_ref_and_commit(tmp_path: Path) -> None:
    (tmp_path / ".kube-ci").mkdir()
    printing = "print(input.ref_type, input.ref, input.sha)\n"
    (tmp_path / ".kube-ci" / "ci.star").write_text(printing + MINIMAL)
    payload = {
        "ref": "refs/heads/feature/x",
        "after": "c" * 40,
        "head_commit": {"id": "c" * 40, "message": "Fix"},
        "repository": {"name": "widgets", "full_name": "acme/widgets", "owner": {"login": "acme"}},
    }
    (tmp_path / "push.json").write_text(json.dumps(payload))
    result = run("render", str(tmp_path), "--event", str(tmp_path / "push.json"))
    assert f"branch feature/x {'c' * 40}" in result.stderr


def test_the_schema_of_a_workflow_takes_the_examples() -> None:
    validator = jsonschema_rs.validator_for(workflow_schema())
    files = [folder / ".kube-ci" / "ci.yaml" for folder in EXAMPLES]
    found = [file for file in files if file.exists()]
    assert len(found) == 4
    assert [file for file in found if not validator.is_valid(yaml.safe_load(file.read_text()))] == []
    assert not validator.is_valid(yaml.safe_load(WRONG))


@pytest.mark.parametrize(
    ("settings", "valid"),
    [
        ({"buildBranches": "^main$", "trust": {"forkPullRequest": {"member": "build"}}}, True),
        ({"cacheDefaults": {"scope": "branch", "size": "1Gi"}}, True),
        ({"buildBranch": "main"}, False),
        ({"namespace": "Not A Name"}, False),
        ({"trust": {"forkPullRequest": {"member": "perhaps"}}}, False),
    ],
)
def test_the_schema_of_the_settings(settings: dict[str, Any], valid: bool) -> None:
    assert jsonschema_rs.validator_for(settings_schema()).is_valid(settings) is valid


def test_every_setting_is_described() -> None:
    properties = settings_schema()["$defs"]["Config"]["properties"]
    assert [key for key, setting in properties.items() if not setting.get("description")] == []


@pytest.mark.parametrize("what", ["settings", "workflow"])
def test_schema_prints_json(what: str) -> None:
    result = run("schema", what)
    assert result.exit_code == 0
    assert json.loads(result.output)["$schema"].startswith("https://json-schema.org/")
