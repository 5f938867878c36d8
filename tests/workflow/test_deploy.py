from __future__ import annotations

import copy
from typing import Any

import pytest

from kubeci.errors import DefinitionError
from kubeci.settings.pattern import Pattern
from kubeci.workflow.deploy import deployment_templates, for_deployment
from kubeci.workflow.template_ref import with_template

INPUTS = {"inputs": {"parameters": [{"name": "environment"}]}}
MANIFEST: dict[str, Any] = {
    "metadata": {"annotations": {"a": "b"}},
    "spec": {
        "entrypoint": "ci",
        "arguments": {"parameters": [{"name": "speed", "value": "1"}], "artifacts": []},
        "templates": [
            {"name": "ci", "container": {}},
            {"name": "deploy", **INPUTS},
            {"name": "deploy-docs", **INPUTS},
            {"name": "deploy-all"},
        ],
    },
}
DEPLOY = Pattern("^deploy")


def parameters(manifest: dict[str, Any]) -> list[Any]:
    found: list[Any] = manifest["spec"]["arguments"]["parameters"]
    return found


def test_the_environment_becomes_a_parameter_of_a_copy() -> None:
    before = copy.deepcopy(MANIFEST)
    made = for_deployment(MANIFEST, "deploy", "staging", pattern=DEPLOY, parameter="environment")
    assert parameters(made) == [{"name": "speed", "value": "1"}, {"name": "environment", "value": "staging"}]
    assert before == MANIFEST
    made["spec"]["arguments"] = before["spec"]["arguments"]
    assert made == before


@pytest.mark.parametrize(
    "authors",
    [
        None,
        {},
        {"parameters": None},
        {"parameters": [{"name": "environment", "value": "dev", "enum": ["dev"]}]},
        {"parameters": [{"name": "environment", "valueFrom": {"configMapKeyRef": {}}}]},
    ],
)
def test_it_takes_the_place_of_the_author_s(authors: object) -> None:
    manifest = {"spec": {**MANIFEST["spec"], "arguments": authors}}
    made = for_deployment(manifest, "deploy", "live", pattern=DEPLOY, parameter="environment")
    assert parameters(made) == [{"name": "environment", "value": "live"}]


@pytest.mark.parametrize(
    ("template", "pattern", "parameter", "words"),
    [
        ("deploi", "^deploy", "environment", "no template `deploi`; did you mean `deploy`?"),
        (
            "zzz",
            "^deploy",
            "environment",
            "no template `zzz`; its templates are `ci`, `deploy`, `deploy-docs`",
        ),
        (
            "ci",
            "^deploy",
            "environment",
            (
                "`ci` is not a deployment template: its name does not match `^deploy`;"
                " those of this workflow are `deploy`, `deploy-docs`"
            ),
        ),
        (
            "deploy",
            "^$",
            "environment",
            (
                "`deploy` is not a deployment template: nothing says that any template is one;"
                " the annotation or the setting `deployTemplates` is a pattern that finds their names"
            ),
        ),
        ("deploy", "", "environment", "`deploy` is not a deployment template: nothing says"),
        (
            "deploy-all",
            "^deploy",
            "environment",
            (
                "the deployment template `deploy-all` has no input parameter `environment`;"
                " add `inputs: {parameters: [{name: environment}]}` to it"
            ),
        ),
        ("deploy", "^deploy", "stage", "`deploy` has no input parameter `stage`"),
    ],
)
def test_what_cannot_be_deployed(template: str, pattern: str, parameter: str, words: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        for_deployment(MANIFEST, template, "staging", pattern=Pattern(pattern), parameter=parameter)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "parameter", "names"),
    [
        ("^deploy", "environment", ["deploy", "deploy-docs"]),
        ("docs$", "environment", ["deploy-docs"]),
        ("^$", "environment", []),
        ("", "environment", []),
        ("^deploy", "stage", []),
    ],
)
def test_templates_that_can_be_deployed(pattern: str, parameter: str, names: list[str]) -> None:
    assert deployment_templates(MANIFEST, Pattern(pattern), parameter) == names


@pytest.mark.parametrize(
    "manifest",
    [
        {},
        {"spec": None},
        {"spec": {"templates": {}}},
        {"spec": {"templates": [None, {"name": 3}, {"inputs": []}]}},
    ],
)
def test_odd_manifests_have_none(manifest: dict[str, Any]) -> None:
    assert deployment_templates(manifest, Pattern("."), "environment") == []
    with pytest.raises(DefinitionError):
        for_deployment(manifest, "deploy", "staging", pattern=DEPLOY, parameter="environment")


def test_templates_of_the_cluster() -> None:
    manifest: dict[str, Any] = {"spec": {"workflowTemplateRef": {"name": "shared"}, "entrypoint": "ci"}}
    whole = with_template(manifest, {"spec": {"templates": MANIFEST["spec"]["templates"]}})
    made = for_deployment(
        manifest, "deploy", "staging", pattern=DEPLOY, parameter="environment", templates=whole
    )
    assert parameters(made) == [{"name": "environment", "value": "staging"}]
    assert "templates" not in made["spec"]
    with pytest.raises(DefinitionError, match="no template `deplox`"):
        for_deployment(
            manifest, "deplox", "staging", pattern=DEPLOY, parameter="environment", templates=whole
        )
    # Nobody could read the template: Argo will say whether it has this one, the pattern holds all the same.
    assert for_deployment(manifest, "deploy", "staging", pattern=DEPLOY, parameter="environment") == made
    with pytest.raises(DefinitionError, match="is not a deployment template"):
        for_deployment(manifest, "ci", "staging", pattern=DEPLOY, parameter="environment")
