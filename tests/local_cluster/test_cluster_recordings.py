"""Every recorded request, asked again of the local cluster; the answers must be those of the real API server."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from cluster_scenes import NAMES, recording, scene

from kubeci.local.cluster.cluster import LocalCluster
from kubeci.local.cluster.users import User

# What is not compared, by file; everything else of status, headers and body is.
# Of created objects the uid is nobody's choice, and the five letters behind a generateName are random: both are masked.
NOT_COMPARED: dict[str, tuple[str, ...]] = {
    # the build of a server that this one is not
    "version": ("gitCommit", "buildDate", "goVersion", "compiler", "platform"),
    # The real answers were longer by their managedFields, and so came in chunks.
    "workflow-list-limit-page1": ("Transfer-Encoding",),
    "workflow-list-limit-page2": ("Transfer-Encoding",),
}
# Of the other watches only the lines are compared, since each end takes a second.
WATCHED_TO_THE_END = {"watch-timeout-3s", "watch-too-old-expired"}
LEFT_OUT: dict[str, str] = {}


def test_all_recordings_are_here() -> None:
    assert len(NAMES) == 92 - len(LEFT_OUT)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in LEFT_OUT])
async def test_recorded_answer(name: str) -> None:
    recorded = recording(name)
    found = scene(name)
    cluster = LocalCluster(
        namespaces=("ci", "argo"),
        objects=found.objects,
        bookmark_seconds=0.2 if name == "watch-bookmark" else 60.0,
        future_wait_seconds=0.01,
        powerless=User("ci-bridge", allowed=False),
    )
    async with cluster.serving() as url, httpx.AsyncClient(base_url=url, verify=False) as client:
        request = client.build_request(**_request(recorded["request"], cluster))
        response = await client.send(request, stream=True)
        expected = recorded["response"]
        assert response.status_code == expected["status"]
        assert response.reason_phrase == expected["reason"]
        if "lines" in expected:
            await _compare_lines(name, response, recorded, found.steps)
        else:
            await response.aread()
            _compare_body(name, response, recorded)
        compared = {k: v for k, v in expected["headers"].items() if k not in NOT_COMPARED.get(name, ())}
        assert _headers(response, compared) == compared
        await response.aclose()


def _request(recorded: Any, cluster: LocalCluster) -> dict[str, Any]:
    tokens = {"admin": cluster.admin.token, "bridge": cluster.powerless.token}
    headers = {**recorded["headers"], "Authorization": f"Bearer {tokens.get(recorded['user'], 'bad')}"}
    content = recorded["body"]
    if isinstance(content, dict | list):
        content = json.dumps(content)
    # Nobody waits as long as the recorder did.
    path = re.sub(r"timeoutSeconds=\d+", "timeoutSeconds=1", recorded["path"])
    return {"method": recorded["method"], "url": path, "headers": headers, "content": content}


async def _compare_lines(
    name: str, response: httpx.Response, recorded: Any, steps: list[Callable[[], Any]]
) -> None:
    lines = response.aiter_lines()
    todo = iter(steps)
    for expected in recorded["response"]["lines"]:
        next(todo, lambda: None)()
        async with asyncio.timeout(5):
            assert json.loads(await anext(lines)) == expected["event"]
    if name in WATCHED_TO_THE_END:
        async with asyncio.timeout(5):
            assert [line async for line in lines] == []


def _compare_body(name: str, response: httpx.Response, recorded: Any) -> None:
    expected = recorded["response"]["body"]
    if not isinstance(expected, dict):
        assert response.text == expected
        return
    given, wanted = response.json(), dict(expected)
    for key in NOT_COMPARED.get(name, ()):
        given.pop(key, None)
        wanted.pop(key, None)
    sent = recorded["request"]["body"]
    if recorded["request"]["method"] == "POST" and isinstance(sent, dict):
        given, wanted = _masked(given, sent), _masked(wanted, sent)
    assert given == wanted


def _masked(answer: Any, sent: Any) -> Any:
    text = json.dumps(answer)
    if prefix := sent.get("metadata", {}).get("generateName"):
        text = re.sub(rf"\b{prefix}[a-z0-9]{{5}}\b", f"{prefix}(random)", text)
    return json.loads(re.sub(r'"uid": "[-0-9a-f]{36}"', '"uid": "(random)"', text))


def _headers(response: httpx.Response, wanted: dict[str, Any]) -> dict[str, Any]:
    found = {key: response.headers.get_list(key) for key in wanted}
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}
