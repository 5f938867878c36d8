"""`kubeci lint --argo-server`, against the local argo-server in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kubeci.cli import cli
from kubeci.errors import ConfigurationError
from kubeci.local.argo_server.server import LocalArgoServer, argo_server
from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import WORKFLOW_TEMPLATES

DEFINITION = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
spec:
  entrypoint: ci
  templates:
    - name: ci
      steps:
        - - name: one
            templateRef: {name: shared, template: greet}
          - name: two
            templateRef: {name: shared, template: %s}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[LocalArgoServer]:
    objects, ready = Objects(), threading.Event()
    templates = [{"name": "greet", "container": {"image": "alpine"}}]
    objects.create(
        WORKFLOW_TEMPLATES, "argo", {"metadata": {"name": "shared"}, "spec": {"templates": templates}}
    )
    found: list[tuple[LocalArgoServer, asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        end = asyncio.Event()
        async with argo_server(objects) as server:
            found.append((server, asyncio.get_running_loop(), end))
            ready.set()
            await end.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    [(server, loop, end)] = found
    yield server
    loop.call_soon_threadsafe(end.set)
    thread.join(10)


def tree(folder: Path, template: str) -> Path:
    (folder / ".kube-ci").mkdir()
    (folder / ".kube-ci" / "ci.yaml").write_text(DEFINITION % template)
    return folder


def lint(*arguments: str, **env: str) -> Result:
    around = {"NO_PROXY": "127.0.0.1", "KUBECI_ARGO_SERVER": "", "KUBECI_ARGO_TOKEN": "", **env}
    return CliRunner(env=around).invoke(cli, ["lint", *arguments], catch_exceptions=False)


def test_a_reference_that_is_there(server: LocalArgoServer, tmp_path: Path) -> None:
    found = lint(str(tree(tmp_path, "greet")), "--argo-server", server.url, KUBECI_ARGO_TOKEN=server.token)
    assert (found.exit_code, found.stdout) == (0, "")


def test_a_reference_that_is_not_there_is_told_at_its_place(server: LocalArgoServer, tmp_path: Path) -> None:
    folder = tree(tmp_path, "greeet")
    (tmp_path / "token").write_text(f"Bearer {server.token}\n")
    token = ("--argo-tokenfile", str(tmp_path / "token"))
    found = lint(str(folder), "--argo-server", server.url, *token, "-o", "json")
    assert found.exit_code == 1
    [problem] = json.loads(found.stdout)
    assert problem == {
        "path": ".kube-ci/ci.yaml",
        "line": 10,
        "column": 13,
        "severity": "error",
        "rule": "argo-server",
        "message": "templates.ci.steps[0].two template reference shared.greeet not found",
        "hint": "",
    }
    assert lint(str(folder)).exit_code == 0, "without argo-server nobody knows"


def test_what_argo_server_does_not_tell_is_no_finding(server: LocalArgoServer, tmp_path: Path) -> None:
    folder = str(tree(tmp_path, "greet"))
    (tmp_path / "ca.pem").write_text("no certificate")
    for arguments, env, words in (
        (["--argo-server", "http://127.0.0.1:1"], {"KUBECI_ARGO_TOKEN": "x"}, "did not judge the workflow"),
        (["--argo-server", server.url], {"KUBECI_ARGO_TOKEN": "another"}, "answered 401"),
        (["--argo-server", f"{server.url}/path"], {"KUBECI_ARGO_TOKEN": server.token}, "answered 501"),
        (["--argo-server", server.url], {}, "needs --argo-tokenfile"),
        ([], {"KUBECI_ARGO_SERVER": server.url}, "needs --argo-tokenfile"),
        (
            ["--argo-server", server.url, "--argo-cafile", str(tmp_path / "ca.pem")],
            {"KUBECI_ARGO_TOKEN": "x"},
            "--argo-cafile holds no certificates",
        ),
    ):
        with pytest.raises(ConfigurationError, match=words) as caught:
            lint(folder, *arguments, **env)
        assert "\n" not in str(caught.value)
        assert server.token not in str(caught.value)
