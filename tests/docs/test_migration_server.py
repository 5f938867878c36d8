"""A server that is started as kube-ci v0.12.5 was, with its App and its settings, answers and builds."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import msgspec
import pytest
from click.testing import CliRunner
from original_kit import GIVEN, ROUTES, SETTINGS, starting

from kubeci.app import running
from kubeci.cli.argv import normalise
from kubeci.github.signature import sign
from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.github.auth import new_app
from kubeci.local.serving import serving
from kubeci.local.stack import StackSettings, local_stack
from kubeci.settings.config import Config, load_config
from kubeci.settings.options import Options

JSON = {"Content-Type": "application/json"}
PERMISSIONS = {"checks": "write", "contents": "read", "metadata": "read"}
"""What an App has that was made for the original."""


@pytest.fixture
def original(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Options, Config]:
    """Start as the original was: its options, its files, all keys of its settings file; nothing may be warned of."""
    monkeypatch.chdir(tmp_path)
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "x",
        "clusters": [{"name": "x", "cluster": {"server": "http://127.0.0.1:9"}}],
        "users": [{"name": "x", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
    }
    for name, text in {
        "key.pem": new_app().private_key or "",
        "secret": "hush\n",
        "ids": "12\n\n13\n",
        "slack-token": "xoxb-1\n",
        "slack-secret": "s\n",
        "kubeconfig": msgspec.json.encode(kubeconfig).decode(),
        "config.yaml": SETTINGS,
    }.items():
        (tmp_path / name).write_text(text)
    line = (
        "-kubeconfig=kubeconfig -master http://127.0.0.1:9 -grace.shutdown=1m30s -grace.requests 500ms -config=config.yaml "
        "-keyfile=key.pem -secretfile secret -github.appid=5 -idsfile=ids -orgs=acme|umbrella "
        "-argo.ui.base=https://argo.example -slack.tokenfile=slack-token -slack.secretfile=slack-secret"
    )
    command, *arguments = normalise(line.split())
    assert command == "serve"
    started: dict[str, object] = {}
    result = CliRunner().invoke(
        starting, [*arguments, "--strict-config"], obj=started, catch_exceptions=False
    )
    assert (result.exit_code, result.output) == (0, "")
    assert started["warnings"] == ()
    options, config = started["options"], started["config"]
    assert isinstance(options, Options)
    assert isinstance(config, Config)
    return options, config


async def test_the_originals_app_and_settings_build(tmp_path: Path) -> None:
    definition = """
        apiVersion: argoproj.io/v1alpha1
        kind: Workflow
        spec: {entrypoint: ci, templates: [{name: ci, container: {image: alpine, command: ["true"]}}]}
    """
    config = load_config(SETTINGS, source="config.yaml", strict=True).config
    async with local_stack(tmp_path, StackSettings(config=config, engine=False)) as stack:
        await stack.github.create_repository("acme/widgets")
        stack.github.installation("acme/widgets").permissions = dict(PERMISSIONS)
        await stack.github.push("acme/widgets", {".ci/build.yaml": definition}, branch="master", message="Go")
        async with asyncio.timeout(20):
            while not (found := stack.cluster.objects.list(WORKFLOWS, None)):
                await asyncio.sleep(0.02)
        [run] = stack.github.state.runs.values()
    [workflow] = found
    spec, labels = workflow["spec"], workflow["metadata"]["labels"]
    given = {entry["name"]: entry["value"] for entry in spec["arguments"]["parameters"]}
    assert (run.name, run.external_id) == ("Workflow - ci", "ci")
    assert (workflow["metadata"]["namespace"], labels["managedBy"]) == ("builds", "old-ci")
    assert (spec["nodeSelector"], spec["tolerations"][0]["tolerationSeconds"]) == ({"pool": "ci"}, 60)
    assert given["registry"] == "registry.example.com"
    assert given["cacheVolumeClaimName"].startswith("ci-branch-acme-widgets-x")
    assert set(GIVEN) - given.keys() == {"tag"}


async def test_the_originals_server_starts_and_answers(original: tuple[Options, Config]) -> None:
    options, config = original
    assert (options.app_id, options.grace_shutdown, options.grace_requests) == (5, 90, 0.5)
    assert options.installations == {12, 13}
    assert config.namespace == "builds"
    body = b'{"zen": "Keep it logically awesome."}'
    async with (
        running(options, config, trust_env=False) as server,
        serving(server.web) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as client,
    ):
        answered = {
            route: (await client.request(method, route)).status_code for route, method in ROUTES.items()
        }
        signed = {
            "X-Hub-Signature-256": sign(b"hush", body),
            "X-GitHub-Event": "ping",
            "X-GitHub-Delivery": "1",
        }
        delivered = await client.post("/webhooks/github", content=body, headers=signed | JSON)
        status = await client.get("/status")
    assert [route for route, code in answered.items() if code in {404, 405, 500}] == []
    assert answered["/webhooks/github"] == answered["/webhooks/slack/cmd"] == answered["/api/v1/run"] == 401
    assert delivered.status_code == 202
    assert status.json() == {"service": "kube-ci", "status": 200}
