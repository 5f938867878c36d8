"""What the local engine does not run it refuses by name, and what cannot change the outcome it takes."""

from __future__ import annotations

from typing import Any

import pytest

from kubeci.local.engine.refuse import refusal

POD = {"name": "main", "container": {"image": "i", "command": ["x"]}}


@pytest.mark.parametrize(
    ("spec", "template", "named"),
    [
        ({"hooks": {"exit": {}}}, {}, "hooks"),
        ({"synchronization": {"mutexes": [{"name": "m"}]}}, {}, "synchronization"),
        ({"podSpecPatch": "x"}, {}, "podSpecPatch"),
        ({"hostAliases": [{"ip": "1.2.3.4"}]}, {}, "hostAliases"),
        ({"volumes": [{"name": "v", "secret": {"secretName": "s"}}]}, {}, "volumes.v.secret"),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, {}, "volumes.v.hostPath"),
        ({}, {"sidecars": [{"name": "db"}]}, "templates.main.sidecars"),
        ({}, {"initContainers": [{"name": "i"}]}, "templates.main.initContainers"),
        ({}, {"memoize": {"key": "k"}}, "templates.main.memoize"),
        ({}, {"daemon": True}, "templates.main.daemon"),
        ({}, {"containerSet": {"containers": []}}, "templates.main.containerSet"),
        ({}, {"retryStrategy": {"backoff": {"duration": "1"}}}, "templates.main.retryStrategy.backoff"),
        ({}, {"outputs": {"artifacts": [{"name": "a"}]}}, "templates.main.outputs.artifacts"),
        ({}, {"container": {"command": ["x"], "envFrom": [{}]}}, "templates.main.container.envFrom"),
        (
            {},
            {
                "container": {
                    "command": ["x"],
                    "env": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"key": "k"}}}],
                }
            },
            "templates.main.container.env.TOKEN.valueFrom",
        ),
        (
            {},
            {"inputs": {"artifacts": [{"name": "a", "path": "/a", "s3": {"key": "k"}}]}},
            "templates.main.inputs.artifacts.a.s3",
        ),
        (
            {},
            {
                "inputs": {
                    "artifacts": [{"name": "a", "path": "/a", "git": {"repo": "r", "insecureSkipTLS": True}}]
                }
            },
            "templates.main.inputs.artifacts.a.git.insecureSkipTLS",
        ),
        (
            {},
            {"steps": [[{"name": "s", "templateRef": {"name": "r"}}]]},
            "templates.main.steps[0].s.templateRef",
        ),
        ({}, {"container": {"command": ["{{= 1 + 1}}"]}}, "templates.main.container.command[0]"),
        ({}, {"container": {"image": "i"}}, "templates.main.container.command"),
        ({}, {"a-misspelling": 1}, "templates.main.a-misspelling"),
    ],
)
def test_what_is_not_run_is_refused_by_name(
    spec: dict[str, Any], template: dict[str, Any], named: str
) -> None:
    message = refusal({"entrypoint": "main", "templates": [POD | template], **spec})
    assert f"`{named}`" in message
    assert "local engine" in message


@pytest.mark.parametrize(
    ("spec", "template"),
    [
        (
            {
                "serviceAccountName": "sa",
                "podGC": {"strategy": "OnPodSuccess"},
                "ttlStrategy": {"secondsAfterSuccess": 1},
            },
            {},
        ),
        ({}, {"nodeSelector": {"gpu": "yes"}, "tolerations": [{}], "metadata": {"labels": {"a": "b"}}}),
        (
            {},
            {
                "container": {
                    "command": ["x"],
                    "resources": {"limits": {"cpu": 1}},
                    "imagePullPolicy": "Always",
                }
            },
        ),
        ({"hooks": {}, "podSpecPatch": ""}, {"sidecars": [], "daemon": False}),
        ({"volumes": [{"name": "v", "emptyDir": {}}]}, {}),
    ],
)
def test_what_cannot_change_the_outcome_is_accepted(spec: dict[str, Any], template: dict[str, Any]) -> None:
    assert refusal({"entrypoint": "main", "templates": [POD | template], **spec}) == ""
