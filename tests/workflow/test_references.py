from __future__ import annotations

from typing import Any

import pytest

from kubeci.errors import DefinitionError
from kubeci.workflow.references import find_entrypoint

SPEC = {"entrypoint": "main", "templates": [{"name": "main"}, {"name": "deploy"}, 7, {"name": 3}]}


@pytest.mark.parametrize(
    ("spec", "asked", "found"),
    [
        (SPEC, "", "main"),
        (SPEC, "deploy", "deploy"),
        ({"entrypoint": "there", "workflowTemplateRef": {"name": "shared"}}, "", "there"),
        ({"workflowTemplateRef": {"name": "shared"}}, "asked", "asked"),
    ],
)
def test_the_entrypoint_is_the_one_asked_for_or_the_workflows_own(spec: Any, asked: str, found: str) -> None:
    assert find_entrypoint({"spec": spec}, asked) == found


@pytest.mark.parametrize(
    ("spec", "asked", "text"),
    [
        (SPEC, "deplo", "the workflow has no template `deplo`; did you mean `deploy`?"),
        (SPEC, "zzz", "the workflow has no template `zzz`; its templates are `main`, `deploy`"),
        ({"entrypoint": "x"}, "", "the workflow has no template `x`; its templates are none"),
        (
            {"entrypoint": "x", "templates": {}},
            "",
            "the workflow has no template `x`; its templates are none",
        ),
        ({}, "", "the workflow names no entrypoint; set `spec.entrypoint` to a template's name"),
        (
            {"entrypoint": 5},
            "",
            "the workflow names no entrypoint; set `spec.entrypoint` to a template's name",
        ),
        ([], "", "the workflow names no entrypoint; set `spec.entrypoint` to a template's name"),
        (
            {"workflowTemplateRef": {"name": "shared"}},
            "",
            "the workflow names no entrypoint; set `spec.entrypoint` beside `workflowTemplateRef`: the check-run is named after it",
        ),
    ],
)
def test_an_entrypoint_that_leads_nowhere_is_told(spec: Any, asked: str, text: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        find_entrypoint({"spec": spec}, asked)
    assert str(raised.value) == text
