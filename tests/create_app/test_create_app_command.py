"""The command as a person runs it: as a process, with its exit status and its streams."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import click
import pytest
import yaml
from click.testing import CliRunner
from create_app_kit import Forms, Person, values
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kubeci.cli import cli
from kubeci.errors import ConfigurationError
from kubeci.local.github.server import LocalGitHub
from kubeci.local.serving import serving


@asynccontextmanager
async def command(folder: Path, *arguments: str) -> AsyncIterator[tuple[Process, str]]:
    """Run it; gives the process and the address that it prints."""
    words = (sys.executable, "-m", "kubeci", "create-app", "--org", "acme", "--no-open", *arguments)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("KUBE")}
    process = await asyncio.create_subprocess_exec(
        *words, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=folder, env=environment | {"HOME": str(folder)}
    )
    assert process.stderr
    try:
        async with asyncio.timeout(20):
            line = (await process.stderr.readline()).decode()
        assert line.startswith("Open http://127.0.0.1:"), line
        yield process, line.split()[1]
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def test_the_secret_is_printed_for_a_pipe_and_the_way_is_told_beside_it(
    github: LocalGitHub, person: Person, tmp_path: Path
) -> None:
    given = ("--github-url", github.api_url, "--webhook-url", "https://ci.example.com", "--out", "-")
    async with command(tmp_path, *given) as (process, address):
        await person.open(address)
        await person.press()
        await person.press()
        printed, told = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0
    secret = values(yaml.safe_load(printed))
    assert f"The GitHub App kubeci-acme (id {secret['app-id']}) is made" in told.decode()
    assert f"{github.base_url}/apps/kubeci-acme/installations/new" in told.decode()
    assert f"kubeci serve --github.appid {secret['app-id']} --keyfile github-key" in told.decode()
    assert secret["webhook-secret"] not in told.decode()
    assert "PRIVATE" not in told.decode()


async def test_the_file_is_named_after_the_secret(
    github: LocalGitHub, person: Person, tmp_path: Path
) -> None:
    given = (
        "--github-url",
        github.api_url,
        "--webhook-url",
        "https://ci.example.com",
        "--secret-name",
        "our-app",
    )
    async with command(tmp_path, *given) as (process, address):
        await person.open(address)
        await person.press()
        await person.press()
        printed, told = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, printed) == (0, b"")
    assert "  kubectl apply --filename our-app.yaml\n" in told.decode()
    assert yaml.safe_load((tmp_path / "our-app.yaml").read_text())["metadata"]["namespace"] == "kubeci"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_is_stopped(github: LocalGitHub, tmp_path: Path, number: int) -> None:
    async with command(tmp_path, "--github-url", github.api_url) as (process, _):
        process.send_signal(number)
        printed, told = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, printed) == (2, b"")
    assert (
        told.decode()
        .splitlines()[-1]
        .startswith("kubeci: stopped: no App was made here; run kubeci create-app")
    )
    assert "Traceback" not in told.decode()
    assert not any(each.name.endswith(".yaml") for each in os.scandir(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "x", "--apply"], "--out and --apply: give one of them"),
        (["--timeout", "soon"], "--timeout: `soon` is not a duration"),
        (["--github-url", "ghe"], "--github-url ghe: write https://api.github.com, or https://HOST/api/v3"),
        (["--namespace", "A_B"], "--namespace A_B"),
        (["--apply", "--kubeconfig", "nowhere"], "--kubeconfig nowhere: there is no such file"),
        (["--out", "no/such/folder/x"], "is no folder that can be written to"),
    ],
)
def test_what_is_refused_before_anything_is_served(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(cli, ["create-app", "--no-open", *arguments])
    assert isinstance(result.exception, ConfigurationError)
    assert words in str(result.exception)


async def test_what_github_says_commands_no_terminal(person: Person, tmp_path: Path) -> None:
    async def refuse(_: Request) -> Response:
        return JSONResponse({"message": "\x1b]0;owned\x07\x1b[31m\x9b2J\u202eNo"}, 422)

    routes = [Route("/api/v3/app-manifests/{code}/conversions", refuse, methods=["POST"])]
    async with serving(Starlette(routes=routes)) as url:
        given = ("--github-url", f"{url}/api/v3", "--webhook-url", "http://127.0.0.1/webhooks/github")
        async with command(tmp_path, *given) as (process, address):
            [(action, _)] = Forms(await person.open(address)).found
            state = parse_qs(urlsplit(action).query)["state"][0]
            assert (await person.open(f"{address}created?code=c&state={state}")).status_code == 502
            _, told = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 2
    assert (
        "answered 422 to POST /app-manifests/{code}/conversions: 2J[U+202E]No; look whether" in told.decode()
    )
    assert all(line.isprintable() for line in told.decode().splitlines())


async def test_a_kubeconfig_that_is_not_there_is_told_once(tmp_path: Path) -> None:
    words = (sys.executable, "-m", "kubeci", "create-app", "--apply", "--kubeconfig", "/nope", "--no-open")
    process = await asyncio.create_subprocess_exec(*words, stderr=PIPE, cwd=tmp_path)
    _, told = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, told) == (2, b"kubeci: --kubeconfig /nope: there is no such file\n")


def test_a_terminal_gets_no_secrets(tmp_path: Path) -> None:
    ours, its = pty.openpty()
    words = [sys.executable, "-m", "kubeci", "create-app", "--out", "-", "--no-open"]
    try:
        done = subprocess.run(words, stdout=its, stderr=subprocess.PIPE, text=True, check=False, cwd=tmp_path)
    finally:
        os.close(its)
        os.close(ours)
    assert (done.returncode, "--out - prints secrets" in done.stderr) == (2, True)


def test_every_option_is_documented() -> None:
    found = cli.get_command(click.Context(cli), "create-app")
    assert found
    text = (Path(__file__).parents[2] / "docs" / "create-app.md").read_text()
    documented = set(re.findall(r"`(--[a-z-]+)`", "\n".join(re.findall(r"^\| .*?\|", text, re.MULTILINE))))
    assert documented == {word for each in found.params for word in (*each.opts, *each.secondary_opts)}
