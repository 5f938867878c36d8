"""The page of a workflow, where the Argo UI would stand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from kubeci.local.argo_ui import argo_ui
from kubeci.local.cluster.logs import LogBuffer
from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.engine.names import pod_name
from kubeci.local.serving import serving

CHOSEN = 'class="chosen" aria-current="true"'


def _node(name: str, phase: str, kind: str = "Pod", **more: Any) -> dict[str, Any]:
    node_id = name.replace(".", "-")
    usual = {"id": node_id, "name": name, "displayName": name, "type": kind, "templateName": "t"}
    return {**usual, "phase": phase, **more}


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    objects = Objects()
    nodes = [
        _node("ci", "Failed", "DAG", children=["ci-test", "ci-lint"]),
        _node("ci.test", "Failed", boundaryID="ci", message="<b>main</b>: Error (exit code 1)"),
        _node("ci.lint", "Succeeded", boundaryID="ci"),
    ]
    status = {
        "phase": "Failed",
        "finishedAt": "2026-11-21T00:00:00Z",
        "nodes": {one["id"]: one for one in nodes},
    }
    objects.create(WORKFLOWS, "ci", {"metadata": {"name": "ci"}, "spec": {}, "status": status})
    buffer = objects.logs["ci", pod_name("ci", "ci.test", "t"), "main"] = LogBuffer()
    buffer.append(b"it <failed>\n")
    async with (
        serving(argo_ui(objects)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as http,
    ):
        yield http


@pytest.mark.parametrize(
    ("query", "marked"),
    [
        ("", []),
        ("?tab=workflow&nodeId=ci-test", ["ci-test"]),
        ("?tab=workflow&nodeId=gone", []),
        ("?nodeId=%22%3E%3Cscript%3E", []),
    ],
)
async def test_the_node_of_the_address_is_marked(
    http: httpx.AsyncClient, query: str, marked: list[str]
) -> None:
    page = (await http.get(f"/workflows/ci/ci{query}")).text
    rows = [line for line in page.splitlines() if line.startswith("<tr") or "<tr id=" in line]
    found = [row.split('id="')[1].split('"')[0] for row in rows if CHOSEN in row]
    assert found == marked
    assert ('<pre class="chosen">it &lt;failed&gt;' in page) == bool(marked)
    assert "<script>" not in page
    assert "&lt;b&gt;main&lt;/b&gt;" in page


async def test_a_workflow_that_is_not_there(http: httpx.AsyncClient) -> None:
    assert (await http.get("/workflows/ci/gone")).status_code == 404
