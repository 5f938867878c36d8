"""The server runs with the Deployment's options, in a file system that is read-only but for its volume."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from deploy_kit import DEPLOY, KUBECI, container, free_port, started, write_files

from kubeci.local.engine.isolation import probe
from kubeci.local.stack import Surroundings, surroundings

REPOSITORY = "acme/widgets"
READ_ONLY = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
for at in $(awk '{print $5}' /proc/self/mountinfo | sort -u); do
  case $at in "$1"|/proc|/proc/*|/sys|/sys/*|/dev|/dev/*) ;; *) mount -o remount,bind,ro "$at" ;; esac
done
touch "$1/../written" 2>/dev/null && exit 99
cd "$1" && shift && exec "$@"
"""
DEFINITION = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
spec:
  entrypoint: test
  templates: [{name: test, container: {image: any, command: ["true"]}}]
"""


def environment(around: Surroundings, folder: Path, port: int) -> list[str]:
    """Give the Deployment's variables with the mounts in `folder`, and where this machine's GitHub and cluster are."""
    mounts = {each["mountPath"]: str(folder / each["name"]) for each in container()["volumeMounts"]}
    found = {each["name"]: str(each.get("value", around.options.app_id)) for each in container()["env"]}
    for name, value in found.items():
        for path, place in mounts.items():
            if value.removeprefix("sqlite:///").startswith(f"{path}/"):
                found[name] = value.replace(path, place)
    found |= {
        "KUBECI_GITHUB_URL": around.options.github_url,
        "KUBECI_KUBECONFIG": str(around.options.kubeconfig),
        "KUBECI_LISTEN": f"127.0.0.1:{port}",
        "KUBECI_GRACE_SHUTDOWN": "1s",
    }
    return [f"{name}={value}" for name, value in found.items()]


def mounted(around: Surroundings, folder: Path) -> None:
    for name in ("data", "config", "github"):
        (folder / name).mkdir()
    write_files(around, folder / "github")
    (folder / "config" / "config.yaml").write_bytes((DEPLOY / "server" / "config.yaml").read_bytes())


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.05)


async def test_a_push_is_built_and_the_server_goes_gently(tmp_path: Path) -> None:
    if await probe() != "namespace":
        pytest.skip("this machine does not allow namespaces")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with surroundings(tmp_path) as around:
        mounted(around, tmp_path)
        read_only = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", READ_ONLY, "sh"]
        server = ["env", *environment(around, tmp_path, port), str(KUBECI), *container()["args"]]
        command = [*read_only, str(tmp_path / "data"), *server]
        async with (
            started(command, tmp_path, url) as process,
            httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as client,
        ):
            await around.github.create_repository(REPOSITORY)
            around.github.webhook_url = f"{url}/webhooks/github"
            await around.github.push(REPOSITORY, {".kube-ci/ci.yaml": DEFINITION}, branch="main")
            await until(lambda: [run.conclusion for run in around.github.state.runs.values()] == ["success"])
            assert await wrong(environment(around, tmp_path, port)) == []
            process.send_signal(signal.SIGTERM)
            await until_answers(client, container()["readinessProbe"]["httpGet"]["path"], 500)
            async with asyncio.timeout(20):
                assert await process.wait() == 0
    assert {each.name.partition(".")[0] for each in (tmp_path / "data").iterdir()} == {"kubeci"}


async def wrong(variables: list[str]) -> list[str]:
    """Give what `kubeci doctor` finds wrong when it is run beside the server, with its variables and no options."""
    process = await asyncio.create_subprocess_exec(
        "env", *variables, str(KUBECI), "doctor", "--output=json", stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    findings = msgspec.json.decode(output)["findings"]
    assert "settings" in {each["group"] for each in findings}
    return [f"{each['name']}: {each['found']}" for each in findings if each["state"] == "wrong"]


async def until_answers(client: httpx.AsyncClient, path: str, status: int) -> None:
    async with asyncio.timeout(10):
        while (await client.get(path)).status_code != status:
            await asyncio.sleep(0.02)
