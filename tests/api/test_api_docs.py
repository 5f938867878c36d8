"""The examples of docs/api.md are executed as they stand, and their answers hold what the page shows."""

from __future__ import annotations

import asyncio
import os
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from api_kit import NAMESPACE, REPOSITORY, Api, running

from kubeci.local.cluster.logs import LogBuffer
from kubeci.local.cluster.resources import WORKFLOWS

pytestmark = pytest.mark.asyncio(loop_scope="module")


BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def holds(answer: Any, shown: Any) -> bool:
    """Say whether an answer has all that is shown, with values of the same type."""
    if isinstance(shown, dict):
        return isinstance(answer, dict) and all(
            key in answer and holds(answer[key], value) for key, value in shown.items()
        )
    if isinstance(shown, list):
        return isinstance(answer, list) and (not shown or all(holds(each, shown[0]) for each in answer))
    return type(answer) is type(shown)


async def ask(command: str, environment: dict[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(30):
        output, errors = await process.communicate()
    assert process.returncode == 0, (command, output, errors)
    return output.decode()


async def end(api: Api, path: str) -> None:
    found = (await api("GET", path)).json()["run"]
    patch = {"status": {"phase": "Failed", "finishedAt": "2026-01-01T12:00:00Z"}}
    api.stack.cluster.objects.merge_patch(WORKFLOWS, NAMESPACE, found["workflow"]["name"], patch)
    await api.ended(found["id"])


async def test_the_examples_do_what_the_page_shows(shared: Api) -> None:
    log = LogBuffer()
    log.append(b"one\n")
    log.close()
    path, node = await running(shared, log=log)
    environment = {
        "PATH": os.environ["PATH"],
        "KUBECI": str(shared.client.base_url).rstrip("/"),
        "TOKEN": "the secret of ops",
        "SHA": (await shared("GET", path)).json()["run"]["sha"],
        "RUN": path.rpartition("/")[2],
        "NODE": node,
    }
    (_, setup), *found = BLOCK.findall(PAGE)
    executed = 0
    for (language, text), (following, shown) in pairwise([*found, ("", "")]):
        if language != "bash":
            continue
        if "/retry" in text:
            await end(shared, path)
        output = await ask(setup + text, environment)
        executed += 1
        if following == "json":
            assert holds(msgspec.json.decode(output), msgspec.json.decode(shown)), (text, output)
        else:
            assert output == "one\n"
    assert executed == 8


async def test_the_refusal_that_is_shown_is_given(shared: Api) -> None:
    owner, _, name = REPOSITORY.partition("/")
    body = {"org": owner, "repo": name, "ref": "main", "hash": "0" * 40, "colour": "red"}
    shown = msgspec.json.decode(BLOCK.findall(PAGE)[-1][1])
    assert (await shared("POST", "/run", json=body)).json() == shown
