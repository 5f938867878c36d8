"""A server meets many failures; nothing that it wrote or answered holds a secret, nor does what it sent elsewhere."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import yaml
from tests_stack import PASSING, REPOSITORY, Scene, workflow
from world import FAST

from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.github.faults import Fault
from kubeci.local.stack import StackSettings, Surroundings, surroundings, with_server
from kubeci.settings.api import ApiToken, Verb
from kubeci.settings.config import Config
from kubeci.settings.pattern import Pattern
from kubeci.settings.slack import Slack, SlackAccess, SlackNews, SlackVerb

API_SECRET = "recognisable-api-secret"
WRONG = "recognisable-but-wrong-secret"
QUERIED = "recognisable-secret-in-an-address"
"""Who writes it into an address may read it in the answer, and nobody anywhere else."""
STATUSES = (400, 401, 403, 404, 409, 422, 429, 500, 502)
CURIOUS = "print(input)\nprint(dir(input))\nworkflow = None\n"


def settings() -> StackSettings:
    acme = (Pattern("acme/.*"),)
    access = SlackAccess(acme, tuple(SlackVerb), users=("UADA",))
    slack = Slack((access,), (SlackNews("builds", acme),))
    return StackSettings(config=Config(build_branches=Pattern("."), slack=slack), slack=True)


def with_api(around: Surroundings) -> Surroundings:
    token = ApiToken("tester", API_SECRET.encode(), (Pattern(".*"),), frozenset(Verb))
    options = dataclasses.replace(around.options, api_tokens=(token,))
    return dataclasses.replace(around, options=options)


def secrets_of(around: Surroundings) -> Iterator[str]:
    """Every secret that the server holds or was given, and the tokens that GitHub gave it."""
    options = around.options
    yield options.webhook_secret.decode()
    yield from (line for line in options.private_key.splitlines() if line and not line.startswith("---"))
    yield from (
        options.argo_token.removeprefix("Bearer "),
        options.slack_token,
        options.slack_secret.decode(),
    )
    assert options.kubeconfig
    for user in yaml.safe_load(options.kubeconfig.read_text())["users"]:
        yield user["user"]["token"]
    yield from around.github.state.tokens
    yield from (API_SECRET, WRONG, QUERIED)


async def cause_trouble(scene: Scene, server: str) -> list[str]:
    """Let every upstream fail in every way, and ask every route in odd ways; give all answers."""
    github, cluster = scene.stack.github, scene.stack.cluster
    for status in STATUSES:
        github.faults.add(Fault("*", "/repos/|/graphql", status=status, body="<html>no JSON"))
        cluster.faults.add("POST", "/workflows", status=status, times=1)
    github.faults.add(Fault("POST", "/access_tokens", status=401, times=2))
    github.faults.add(Fault("*", "/check-runs", status=307, headers={"Location": "http://127.0.0.1:1/"}))
    github.faults.add(Fault("*", "/graphql"))
    for number in range(6):
        await scene.push({**PASSING, "n": str(number)})
    await scene.push({".kube-ci/ci.star": CURIOUS}, branch="curious")
    await scene.push({".kube-ci/ci.yaml": workflow(["sh", "-c", "env; false"])}, branch="env")
    assert scene.stack.slack
    scene.stack.slack.faults.add(Fault("*", ".", 500, {}, "oops"))
    told = [await scene.stack.slack.command("builds", "UADA", "/ci-build", REPOSITORY)]
    await scene.quiet()
    github.faults.clear()
    cluster.faults.clear()
    answers = [*told, *await odd_requests(server)]
    sha = await scene.push(PASSING, branch="last")
    await scene.concluded(sha)
    return answers


async def odd_requests(server: str) -> list[str]:
    answers: list[str] = []
    good, bad = {"authorization": f"Bearer {API_SECRET}"}, {"authorization": f"Bearer {WRONG}"}
    run = {"org": "acme", "repo": "widgets", "ref": "main", "hash": "0" * 40}
    async with httpx.AsyncClient(trust_env=False, base_url=server) as client:

        async def ask(method: str, path: str, **how: object) -> None:
            answer = await client.request(method, path, **how)  # type: ignore[arg-type]  # whatever httpx takes
            answers.append(f"{answer.headers} {answer.text}")

        for path in ("/", "/metrics", "/status", "/api/v1/runs", "/api/openapi.json", "/login", "/builds/x"):
            for headers in ({}, good, bad, {"authorization": f"Basic {API_SECRET}"}):
                await ask("GET", path, headers=headers)
            await ask("GET", f"{path}?token={QUERIED}&next={quote('/' + QUERIED)}")
        for body in (run, {**run, "run": True}, {**run, "extra": WRONG}, [[WRONG]], None):
            await ask("POST", "/api/v1/run", headers=good, content=json.dumps(body))
        await ask("POST", "/api/v1/run", headers=good, content="[" * 100_000)
        same = {"origin": server}
        await ask("POST", "/login", headers=same, data={"token": WRONG, "next": "//evil.invalid"})
        client.cookies.set("kubeci", WRONG)
        await ask("GET", "/")
        signed = {
            "x-hub-signature-256": "sha256=" + "0" * 64,
            "x-github-event": WRONG,
            "x-github-delivery": WRONG,
        }
        await ask("POST", "/webhooks/github", headers=signed, content=b"{}")
        await ask(
            "POST", "/webhooks/slack/cmd", headers={"x-slack-signature": WRONG}, content=b"token=" + b"x"
        )
    return answers


def stored(folder: Path) -> dict[str, str]:
    return {path.name: path.read_bytes().decode(errors="replace") for path in folder.glob("kubeci.db*")}


async def test_secrets_stay_where_they_are(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    written: dict[str, str] = {}
    async with surroundings(tmp_path, settings()) as bare:
        around = with_api(bare)
        await around.github.create_repository(REPOSITORY)
        async with with_server(around, pace=FAST) as stack:
            answers = await cause_trouble(Scene(stack), stack.server_url)
            written["rooms"] = repr(around.options) + repr(stack.server.web) + repr(vars(stack.server))
        told = [f"{run.output} {run.annotations}" for run in around.github.state.runs.values()]
        written["GitHub"] = "".join(told) + "".join(
            each.body for each in around.github.state.comments.values()
        )
        written["Slack"] = repr(around.slack.messages("builds") if around.slack else "")
        written["cluster"] = json.dumps(around.cluster.objects.list(WORKFLOWS, None))
        written["paths"] = repr([(each.path, each.query) for each in around.github.requests])
        secrets = set(secrets_of(around))
    output = capfd.readouterr()
    written |= {"log": output.out + output.err, "logging": caplog.text, "answers": "".join(answers)}
    written |= stored(tmp_path)
    assert len(secrets) > 25
    assert all(len(text) > 100 for name, text in written.items() if name not in {"logging", "Slack"}), (
        written.keys()
    )
    found = {(name, secret) for name, text in written.items() for secret in secrets if secret in text}
    assert found - {("answers", QUERIED)} == set()
    assert [name for name, text in written.items() if "Bearer eyJ" in text or "eyJhbGciOi" in text] == []
