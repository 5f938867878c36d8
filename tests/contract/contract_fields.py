"""Cases: fields that a kind does not have, of a wrong type, or against the rules of its schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from contract_bodies import CLAIM_SPEC, SPEC, claim, lease, pod, template, workflow
from contract_requests import MERGE, Ask, Case

_MAIN = {"name": "main", "container": {"image": "busybox"}}
_STEP = {"name": "a", "template": "main"}


def _spec(**template: Any) -> Any:
    return {"entrypoint": "main", "templates": [{"name": "main", **template}]}


def _levels(name: str, kind: str, good: Any, body: Any) -> Case:
    """Create, put and patch an object with an unknown field, at every level of validation."""
    spec = {"spec": body["spec"]}
    asks = (
        Ask(400, "POST", kind, body, query="fieldValidation=Strict"),
        Ask(201, "POST", kind, body, query="fieldValidation=Warn&dryRun=All"),
        Ask(201, "POST", kind, body, query="dryRun=All"),
        Ask(201, "POST", kind, body, query="fieldValidation=Ignore&dryRun=All"),
        Ask(422, "POST", kind, body, query="fieldValidation=Odd"),
        Ask(201, "POST", kind, good, query="fieldValidation=Strict"),
        Ask(422, "PATCH", f"{kind}/@", spec, query="fieldValidation=Strict", media_type=MERGE),
        Ask(200, "PATCH", f"{kind}/@", spec, query="fieldValidation=Warn", media_type=MERGE),
        Ask(200, "GET", f"{kind}/@"),
        Ask(422, "PATCH", f"{kind}/@", spec, query="fieldValidation=Odd", media_type=MERGE),
    )
    return Case(name, asks)


def _twice(body: Any, key: str, value: Any) -> str:
    """Write a key twice into the object's spec."""
    text = json.dumps(body)
    return text.replace('"spec": {', f'"spec": {{{json.dumps(key)}: {json.dumps(value)}, ', 1)


_UNKNOWN_WORKFLOW = {
    "spec": {
        "entrypoint": "main",
        "odd": 1,
        "templates": [
            {**_MAIN, "container": {"image": "busybox", "imge": "x", "resources": {"limit": {}}}, "stps": []},
            {"name": "more", "steps": [[{**_STEP, "whn": "x"}]]},
        ],
    },
    "strange": {"a": 1},
}
_RULES: list[tuple[int, Any]] = [
    (422, _spec(container={"image": "busybox"}) | {"templates": [{**_MAIN, "name": "a b"}]}),
    (422, {"entrypoint": "main", "templates": [{**_MAIN, "name": "x" * 129}]}),
    (
        422,
        {
            "entrypoint": "main",
            "templates": [{**_MAIN, "name": "-x"}, {**_MAIN, "name": "a.b"}, {**_MAIN, "name": "a_b"}],
        },
    ),
    (201, {"entrypoint": "main", "templates": [{"container": {"image": "busybox"}}]}),
    (422, {"entrypoint": "main", "templates": [{**_MAIN, "name": ""}]}),
    (422, {"entrypoint": "main", "templates": [_MAIN] * 201}),
    (422, _spec(steps=[])),
    (201, _spec(steps=[[]])),
    (422, _spec(steps=[[{**_STEP, "name": "a_b"}]])),
    (422, _spec(steps=[[{**_STEP, "name": "a" * 129}]])),
    (422, _spec(dag={"tasks": []})),
    (422, _spec(dag={})),
    (422, _spec(dag={"tasks": [{**_STEP, "name": "a.b"}]})),
    (422, _spec(dag={"tasks": [{**_STEP, "depends": "b", "dependencies": ["b"]}]})),
    (422, _spec(dag={"tasks": [{**_STEP, "depends": "b", "continueOn": {"failed": True}}]})),
    (422, _spec(dag={"tasks": [{**_STEP, "name": "1", "depends": "b"}]})),
    (201, _spec(dag={"tasks": [{**_STEP, "name": "1"}]})),
    (422, _spec(dag={"tasks": [{**_STEP, "withSequence": {"count": "1", "end": "2"}}]})),
    (422, _spec(steps=[[{**_STEP, "withSequence": {"count": 1, "end": 2}}]])),
    (422, _spec(container={"image": "busybox"}, suspend={})),
    (201, _spec(container={"image": "busybox"}, suspend=None)),
    (422, _spec(steps=[[_STEP]], activeDeadlineSeconds=3)),
    (422, _spec(steps=[[_STEP]], timeout="3s")),
    (422, _spec(container={"image": "busybox"}, parallelism=0)),
    (422, {**SPEC, "parallelism": 0}),
    (422, _spec(container={"image": "busybox"}, retryStrategy={"retryPolicy": "Sometimes"})),
    (422, {**SPEC, "podGC": {"strategy": "Never"}}),
    (422, _spec(container={"image": "busybox"}, inputs={"parameters": [{"name": "a.b"}]})),
    (422, {**SPEC, "arguments": {"parameters": [{"name": "a b", "value": "1"}]}}),
    (422, {**SPEC, "arguments": {"parameters": [{"name": "a", "value": "1", "enum": []}]}}),
    (422, _spec(container={"image": "busybox"}, inputs={"artifacts": [{"name": "a b"}]})),
    (
        422,
        _spec(
            container={"image": "busybox"},
            inputs={"artifacts": [{"name": "a", "git": {"repo": "x"}, "raw": {"data": "x"}}]},
        ),
    ),
    (422, _spec(container={"image": "busybox"}, inputs={"artifacts": [{"name": "a", "mode": 512}]})),
    (422, {**SPEC, "entrypoint": 1}),
    (422, {**SPEC, "templates": {}}),
    (422, {**SPEC, "parallelism": "3"}),
    (422, {**SPEC, "suspend": "true"}),
    (422, _spec(container={"image": 1, "command": "true", "env": [{"value": "x"}]})),
    (422, _spec(container="busybox")),
    (201, {**SPEC, "entrypoint": None, "suspend": None}),
    (422, "text"),
    (201, _spec(container={"image": "busybox", "resources": {"limits": {"cpu": 1, "memory": "1Gi"}}})),
    (422, _spec(container={"image": "busybox", "resources": {"limits": {"cpu": "much"}}})),
    (422, {**SPEC, "arguments": {"parameters": [{"name": "a", "value": 1}, {"name": "b", "value": True}]}}),
    (422, {**SPEC, "arguments": {"parameters": [{"value": "1"}]}}),
]
_CLAIMS: list[tuple[int, Any]] = [
    (422, {"accessModes": ["Odd"]}),
    (422, {"accessModes": []}),
    (422, {"accessModes": None, "resources": None}),
    (400, {"accessModes": "ReadWriteOnce"}),
    (400, {"resources": {"requests": {"storage": "much"}}}),
    (422, {"resources": {"requests": {"storage": "0"}}}),
    (422, {"resources": {"requests": {"storage": "-1Gi"}}}),
    (422, {"resources": {"requests": {"cpu": "1"}}}),
    (201, {"resources": {"requests": {"storage": 1024}}}),
    (422, {"storageClassName": "Not Good"}),
    (400, {"storageClassName": 1}),
    (422, {"volumeMode": "Odd"}),
]


def _created(kind: str, make: Any, specs: list[tuple[int, Any]]) -> Iterator[Ask]:
    for gives, spec in specs:
        yield Ask(gives, "POST", kind, make(spec=spec), query="fieldValidation=Strict&dryRun=All")


FIELDS = [
    _levels("unknown-of-workflows", "workflows", workflow(), workflow() | _UNKNOWN_WORKFLOW),
    _levels("unknown-of-templates", "templates", template(), template() | _UNKNOWN_WORKFLOW),
    _levels(
        "unknown-of-claims",
        "claims",
        claim(),
        claim(spec={"odd": 1, "resources": {**CLAIM_SPEC["resources"], "request": {}}}),
    ),
    _levels("unknown-of-leases", "leases", lease(), lease(spec={"holder": "x", "odd": {"a": 1}})),
    Case(
        "unknown-metadata",
        [
            Ask(400, "POST", kind, make(lables={}), query="fieldValidation=Strict")
            for kind, make in (("workflows", workflow), ("claims", claim), ("leases", lease))
        ],
    ),
    Case(
        "written-twice",
        [
            Ask(400, "POST", kind, _twice(make(), key, value), query="fieldValidation=Strict")
            for kind, make, key, value in (
                ("workflows", workflow, "entrypoint", "x"),
                ("claims", claim, "storageClassName", "x"),
                ("leases", lease, "holderIdentity", "x"),
            )
        ]
        + [Ask(201, "POST", "workflows", _twice(workflow(), "entrypoint", "x"))],
    ),
    Case("rules-of-workflows", list(_created("workflows", workflow, _RULES)), shows=("metadata",)),
    Case("rules-of-claims", list(_created("claims", claim, _CLAIMS))),
    Case(
        "rules-of-leases",
        [
            Ask(gives, "POST", "leases", lease(spec=spec), query="dryRun=All")
            for gives, spec in (
                (201, {"renewTime": "2026-01-01T00:00:00.000000Z"}),
                (400, {"renewTime": "2026-01-01T00:00:00Z"}),
                (400, {"renewTime": "yesterday"}),
                (400, {"leaseDurationSeconds": "15"}),
                (422, {"leaseDurationSeconds": 0}),
                (422, {"leaseTransitions": -1}),
                (400, {"holderIdentity": 1}),
            )
        ],
    ),
    Case(
        "claims-change",
        [
            Ask(201, "POST", "claims", claim()),
            Ask(
                422,
                "PATCH",
                "claims/@",
                {"spec": {"resources": {"requests": {"storage": "2Gi"}}}},
                media_type=MERGE,
            ),
            Ask(422, "PATCH", "claims/@", {"spec": {"accessModes": ["ReadOnlyMany"]}}, media_type=MERGE),
            Ask(200, "PATCH", "claims/@", {"status": {"phase": "Bound"}}, media_type=MERGE),
            Ask(200, "PATCH", "claims/@", {"metadata": {"annotations": {"a": "b"}}}, media_type=MERGE),
            Ask(201, "POST", "claims", claim("@-2", {"storageClassName": "", "volumeMode": "Block"})),
        ],
    ),
    Case(
        "nulls",
        [
            Ask(201, "POST", "workflows", workflow(spec={**SPEC, "suspend": None, "onExit": None})),
            Ask(
                200,
                "PATCH",
                "workflows/@",
                {"spec": {"templates": [{**_MAIN, "steps": None}]}},
                media_type=MERGE,
            ),
            Ask(201, "POST", "claims", claim(spec={"volumeName": None})),
            Ask(201, "POST", "leases", lease(spec={"holderIdentity": None})),
        ],
    ),
    Case(
        "default-class",
        [
            Ask(
                201,
                "POST",
                "claims",
                {**claim(), "spec": {k: v for k, v in CLAIM_SPEC.items() if k != "storageClassName"}},
            )
        ],
    ),
    Case(
        "pod-status",
        [
            Ask(201, "POST", "pods", pod() | {"status": {"phase": "Running"}}),
            Ask(200, "PATCH", "pods/@", {"status": {"phase": "Running", "message": "x"}}, media_type=MERGE),
            Ask(422, "PATCH", "pods/@", {"spec": {"restartPolicy": "Never"}}, media_type=MERGE),
        ],
        shows=("metadata",),
    ),
]
