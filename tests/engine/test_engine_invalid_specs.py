"""An invalid spec is told in the words of Argo."""

from __future__ import annotations

from typing import Any

import pytest

from kubeci.local.engine.validate import invalid

POD = {"name": "main", "container": {"image": "i", "command": ["x"]}}

CALLED = {
    "name": "say",
    "inputs": {"parameters": [{"name": "text"}]},
    "container": {"image": "i", "command": ["{{inputs.parameters.text}}"]},
}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"templates": [POD]}, "spec.entrypoint is required"),
        ({"entrypoint": "none", "templates": [POD]}, "template name 'none' undefined"),
        ({"entrypoint": "main", "templates": [POD, POD]}, "spec.templates[1].name 'main' is not unique"),
        ({"entrypoint": "main", "templates": [{"name": "main"}]}, "template 'main' type is unknown"),
        (
            {"entrypoint": "main", "templates": [POD], "arguments": {"parameters": [{"name": "p"}]}},
            "spec.arguments.p.value or spec.arguments.p.valueFrom is required",
        ),
        (
            {
                "entrypoint": "main",
                "templates": [{"name": "main", "steps": [[{"name": "s", "template": "say"}]]}, CALLED],
            },
            "templates.main.steps[0].s templates.say inputs.parameters.text was not supplied",
        ),
        (
            {
                "entrypoint": "main",
                "templates": [
                    {"name": "main", "dag": {"tasks": [{"name": "t", "template": "main", "depends": "u"}]}}
                ],
            },
            "templates.main sorting failed: invalid dependency u",
        ),
        (
            {
                "entrypoint": "main",
                "templates": [
                    {
                        "name": "main",
                        "dag": {
                            "tasks": [
                                {"name": "a", "template": "main", "depends": "b"},
                                {"name": "b", "template": "main", "depends": "a"},
                            ]
                        },
                    }
                ],
            },
            "templates.main sorting failed: graph with cycle",
        ),
        (
            {
                "entrypoint": "main",
                "templates": [
                    {"name": "main", "container": {"image": "i", "args": ["{{inputs.parameters.x}}"]}}
                ],
            },
            "templates.main: failed to resolve {{inputs.parameters.x}}",
        ),
        (
            {
                "entrypoint": "main",
                "templates": [
                    {
                        "name": "main",
                        "steps": [
                            [
                                {
                                    "name": "s",
                                    "template": "say",
                                    "arguments": {
                                        "parameters": [{"name": "text", "value": "{{steps.x.status}}"}]
                                    },
                                }
                            ]
                        ],
                    },
                    CALLED,
                ],
            },
            "templates.main.steps failed to resolve {{steps.x.status}}",
        ),
    ],
)
def test_invalid_specs(spec: dict[str, Any], message: str) -> None:
    assert invalid(spec) == message


@pytest.mark.parametrize(
    "tag", ["{{ jinja }}", "{{.Go}}", "{{ $x }}", "{{workflow.name}}", "{{pod.name}}", "{{retries}}"]
)
def test_tags_that_are_no_variables_of_argo_stay(tag: str) -> None:
    assert (
        invalid(
            {"entrypoint": "main", "templates": [{"name": "main", "script": {"image": "i", "source": tag}}]}
        )
        == ""
    )
