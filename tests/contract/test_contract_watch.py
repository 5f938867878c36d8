"""What comes while a watch runs, and that a list and the watch behind it miss nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from contract_bodies import workflow
from contract_target import Target

from kubeci.local.cluster.resources import WORKFLOWS

MERGE = {"Content-Type": "application/merge-patch+json"}


def _selected(target: Target, **query: str) -> dict[str, str]:
    return {"labelSelector": f"set={target.nonce}", **query}


@contextmanager
def watching(target: Target, version: str) -> Iterator[Iterator[tuple[str, str]]]:
    """Watch from a version on; gives type and name of each event as it comes."""
    query = _selected(target, watch="true", resourceVersion=version, timeoutSeconds="15")
    with target.http.stream("GET", target.workflows, params=query) as answer:
        assert answer.status_code == 200
        yield ((event["type"], _name(event)) for event in map(json.loads, answer.iter_lines()))


def _name(event: Any) -> str:
    return str(event["object"]["metadata"]["name"])


def _made(target: Target, name: str) -> None:
    body = workflow(name, labels={"set": target.nonce})
    assert target.http.post(target.workflows, json=body).status_code == 201


def test_a_watch_tells_what_happens_while_it_runs(target: Target) -> None:
    since = target.got(target.workflows, **_selected(target))["metadata"]["resourceVersion"]
    with watching(target, since) as events:
        _made(target, "live")
        assert next(events) == ("ADDED", "live")
        patch = json.dumps({"spec": {"suspend": True}})
        target.http.patch(f"{target.workflows}/live", content=patch, headers=MERGE)
        assert next(events) == ("MODIFIED", "live")
        target.http.delete(f"{target.workflows}/live")
        assert next(events) == ("DELETED", "live")


def test_a_list_and_the_watch_behind_it_miss_nothing(target: Target) -> None:
    names = [f"busy-{number}" for number in range(12)]
    writer = threading.Thread(target=lambda: [_made(target, name) for name in names])
    writer.start()
    seen: list[str] = []
    while len(seen) < len(names):
        found = target.got(target.workflows, **_selected(target))
        seen = [item["metadata"]["name"] for item in found["items"]]
        with watching(target, found["metadata"]["resourceVersion"]) as events:
            while len(seen) < len(names):
                kind, name = next(events)
                assert kind == "ADDED"
                assert name not in seen
                seen.append(name)
    writer.join()
    assert sorted(seen) == sorted(names)


def test_the_path_of_workflows_is_the_one_that_is_discovered(target: Target) -> None:
    found = target.got(WORKFLOWS.path)
    (workflows,) = (one for one in found["resources"] if one["name"] == WORKFLOWS.plural)
    kept = {key: workflows[key] for key in ("kind", "namespaced", "singularName")}
    assert kept == {"kind": "Workflow", "namespaced": True, "singularName": "workflow"}
    assert {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"} == set(
        workflows["verbs"]
    )


def test_who_leaves_a_watch_leaves_the_cluster_well(target: Target) -> None:
    query = {"watch": "true", "timeoutSeconds": "15"}
    with (
        httpx.Client(base_url=target.http.base_url, headers=target.http.headers, verify=False) as other,
        other.stream("GET", target.workflows, params=query) as answer,
    ):
        assert answer.status_code == 200
    assert target.got(target.workflows, limit="1")["kind"] == "WorkflowList"
