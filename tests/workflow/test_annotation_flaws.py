from __future__ import annotations

from typing import Any

import pytest

from kubeci.workflow import metadata
from kubeci.workflow.references import reference_problems


def manifest(annotations: dict[str, str]) -> dict[str, Any]:
    template = {"name": "ci", "container": {"image": "alpine"}}
    written = {metadata.PREFIX + key: value for key, value in annotations.items()}
    return {
        "metadata": {"annotations": {"example.com/other": "x", **written}},
        "spec": {"entrypoint": "ci", "templates": [template]},
    }


@pytest.mark.parametrize(
    ("annotations", "told"),
    [
        ({"runForTag": "true", "cacheScope": "none", "features": "", "sha": "mine"}, []),
        ({"manualTemplates": "^ci$"}, []),
        ({"manualTemplates": "^$", "deployTemplates": ""}, []),
        ({"manualTemplates": "("}, []),
        (
            {"deployTemplate": "x"},
            ["the annotation `deployTemplate` says nothing to kubeci; did you mean `deployTemplates`?"],
        ),
        ({"whatever": "x"}, ["the annotation `whatever` says nothing to kubeci"]),
        (
            {"manualTemplates": "^publish$"},
            ["the annotation `manualTemplates` finds no template: none has a name that matches `^publish$`"],
        ),
    ],
)
def test_annotations_that_say_nothing_are_warnings(annotations: dict[str, str], told: list[str]) -> None:
    key = f"/metadata/annotations/{(metadata.PREFIX + next(iter(annotations))).replace('/', '~1')}"
    problems = reference_problems(manifest(annotations), {key: (4, 5)}, "ci.yaml")
    assert [str(each) for each in problems] == [f"ci.yaml:4:5: {each}" for each in told]
    assert {each.severity for each in problems} <= {"warning"}


def test_templates_of_the_cluster_are_not_judged() -> None:
    found = manifest({"manualTemplates": "^publish$"})
    found["spec"] = {"entrypoint": "ci", "workflowTemplateRef": {"name": "shared"}}
    assert reference_problems(found, {}, "ci.yaml") == ()
