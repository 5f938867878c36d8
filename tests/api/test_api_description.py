"""The served OpenAPI document is what the server does: schemathesis asks, over HTTP, as a process of its own.

As a process, its warnings are not ours, and it needs no event loop of the server's.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from api_kit import REPOSITORY, Api, running, steps

from kubeci.local.cluster.logs import LogBuffer
from kubeci.web.api.openapi import document

OWNER, NAME = REPOSITORY.split("/")
CONFIG = """
# Random ids reach nothing: most requests are about what there is.
[dictionaries]
ids = {{ values = ["{run_id}"] }}
nodes = {{ values = ["{node}"] }}
shas = {{ values = ["{sha}"] }}
owners = {{ values = ["{owner}"] }}
names = {{ values = ["{name}"] }}

[parameters]
"path.id" = {{ dictionary = "ids", probability = 0.8 }}
"query.node" = {{ dictionary = "nodes", probability = 0.8 }}
"body.hash" = {{ dictionary = "shas", probability = 0.8 }}
"body.org" = {{ dictionary = "owners", probability = 0.9 }}
"body.repo" = {{ dictionary = "names", probability = 0.9 }}

[[operations]]
include-operation-id = "start"
# Whether a definition is right is nothing that a schema can say.
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "422"]
"""

GOOD = {
    ("POST", "/api/v1/run", 200),
    ("GET", "/api/v1/runs", 200),
    ("GET", "/api/v1/runs/ID", 200),
    ("POST", "/api/v1/runs/ID/cancel", 200),
    ("POST", "/api/v1/runs/ID/retry", 200),
    ("GET", "/api/v1/runs/ID/logs", 200),
}
"""Answers that show that more was asked than what is refused."""


def answers(report: bytes) -> set[tuple[str, str, int]]:
    entries = msgspec.json.decode(report)["log"]["entries"]
    return {
        (
            entry["request"]["method"],
            re.sub(r"/runs/[^/]+", "/runs/ID", urlsplit(entry["request"]["url"]).path),
            entry["response"]["status"],
        )
        for entry in entries
    }


async def test_the_server_does_what_it_describes(still: Api, tmp_path: Path) -> None:
    log = LogBuffer()
    log.append(b"one\ntwo\n")
    log.close()
    path, node = await running(still, log=log, step="Failed")
    run_id = path.rpartition("/")[2]
    await still.ended(run_id)
    sha = await still.push({".kube-ci/ci.yaml": steps("true")})
    config, report = tmp_path / "schemathesis.toml", tmp_path / "report.har"
    config.write_text(CONFIG.format(run_id=run_id, node=node, sha=sha, owner=OWNER, name=NAME))
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("schemathesis"),
        f"--config-file={config}",
        "--no-color",
        "run",
        f"{still.client.base_url}/api/openapi.json",
        "--header=Authorization: Bearer the secret of ops",
        "--checks=all",
        "--max-examples=5",
        "--generation-deterministic",
        "--request-timeout=20",
        "--report=har",
        f"--report-har-path={report}",
        cwd=tmp_path,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(90):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, output.decode()
    assert answers(report.read_bytes()) >= GOOD


def test_every_address_and_shape_is_described() -> None:
    described = msgspec.json.decode(document())
    assert described["openapi"].startswith("3.1")
    operations = {
        (method.upper(), path): operation
        for path, item in described["paths"].items()
        for method, operation in item.items()
    }
    assert operations.keys() == {
        ("POST", "/api/v1/run"),
        ("GET", "/api/v1/runs"),
        ("GET", "/api/v1/runs/{id}"),
        ("POST", "/api/v1/runs/{id}/cancel"),
        ("POST", "/api/v1/runs/{id}/retry"),
        ("GET", "/api/v1/runs/{id}/logs"),
        ("GET", "/api/openapi.json"),
    }
    for where, operation in operations.items():
        statuses = set(operation["responses"])
        assert ("401" in statuses) is (where[1] != "/api/openapi.json"), where
        assert operation["summary"], where
    names = described["components"]["schemas"].keys() | described["components"]["responses"].keys()
    used = {part.split('"')[0] for part in document().decode().replace("\\/", "/").split("#/components/")[1:]}
    assert {each.rpartition("/")[2] for each in used} == names
