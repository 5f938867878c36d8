"""What the operators' documents say is so, and what they show works; `test_real_deploy.py` runs the rest in a cluster."""

from __future__ import annotations

import asyncio
import importlib
import os
import re
import shutil
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
import yaml
from deploy_kit import KUBECI, ROOT, container, free_port, manifest, started, write_files
from doc_commands import INSTALL, OPERATE, Command, commands, files, named_in_tables
from sqlalchemy import create_engine

from kubeci.cli.argv import normalise
from kubeci.cli.serve import command as serve
from kubeci.local.stack import StackSettings, local_stack, surroundings
from kubeci.settings.config import load_config
from kubeci.store.migrations.versions import r0001_first_tables as first_tables
from kubeci.telemetry import Metrics

ALL = [*commands(INSTALL), *commands(OPERATE), *named_in_tables(OPERATE)]


def samples() -> dict[str, set[str]]:
    """Give the names that Prometheus stores, each with its labels."""
    found: dict[str, set[str]] = {}
    for metric in vars(Metrics()).values():
        if name := getattr(metric, "_name", ""):
            suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
            for suffix in suffixes[metric._type]:
                found[f"{name}{suffix}"] = {*metric._labelnames, *(["le"] if suffix == "_bucket" else [])}
    return found


def rules() -> list[dict[str, Any]]:
    [group] = manifest("alerts/rules.yaml")["spec"]["groups"]
    return list(group["rules"])


def rows(document: Path, heading: str) -> list[list[str]]:
    """Give the rows of the table under a heading, without its head."""
    section = re.split(r"^#+ .*\n", document.read_text().partition(f"# {heading}\n")[2], flags=re.MULTILINE)[
        0
    ]
    table = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[2:]]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_asks_for_figures_and_labels_that_are_there(rule: dict[str, Any]) -> None:
    known = samples() | {"up": set(), "kubelet_volume_stats": set()}
    asked = re.findall(r"\b((?:kubeci|http)_\w+|up|kubelet_volume_stats)\w*\{([^}]*)\}", rule["expr"])
    assert asked
    for name, selector in asked:
        labels = set(re.findall(r"(\w+)=", selector)) - {"job", "namespace", "persistentvolumeclaim"}
        assert labels <= known[name], name
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert rule["annotations"]["summary"].endswith((".", "?"))


def test_an_alert_watches_the_job_and_the_volume_that_are_installed() -> None:
    text = " ".join(rule["expr"] for rule in rules())
    service = manifest("server/service.yaml")["metadata"][
        "name"
    ]  # the job's name, where a monitor names no other
    assert set(re.findall(r'job="([^"]*)"', text)) == {service}
    claim = manifest("server/volume-claim.yaml")["metadata"]["name"]
    assert set(re.findall(r'persistentvolumeclaim="([^"]*)"', text)) == {claim}


async def test_an_alert_names_routes_that_are_there(tmp_path: Path) -> None:
    async with local_stack(tmp_path, StackSettings(slack=True, engine=False)) as stack:
        routes = [str(getattr(route, "path", "")) for route in stack.server.web.routes]
    patterns = re.findall(r'route=~?"([^"]*)"', " ".join(rule["expr"] for rule in rules()))
    assert patterns
    assert [each for each in patterns if not any(re.fullmatch(each, route) for route in routes)] == []


def test_each_metric_and_each_alert_is_explained() -> None:
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in samples()}
    assert {row[0].strip("`") for row in rows(OPERATE, "Metrics")} == families
    assert [row[0].strip("`") for row in rows(OPERATE, "Alerts")] == [rule["alert"] for rule in rules()]


def test_the_lines_of_the_log_that_are_explained_are_written() -> None:
    text = " ".join(line for line in OPERATE.read_text().splitlines() if line.startswith("|"))
    said = re.findall(r"the log(?: says|:) `([^`]*)`", text)
    source = " ".join(path.read_text() for path in (ROOT / "kubeci").rglob("*.py"))
    assert len(said) >= 5
    assert [each for each in said if not all(part in source for part in each.split(" … "))] == []


@pytest.mark.parametrize(("name", "text"), files(INSTALL), ids=lambda value: value[:20])
def test_the_files_of_the_overlay_are_right(name: str, text: str) -> None:
    if name.endswith("config.yaml"):
        assert load_config(text, source=name, strict=True).warnings == ()
        return
    if name.endswith("slack.yaml"):
        [patched] = yaml.safe_load(text)["spec"]["template"]["spec"]["containers"]
        assert patched["name"] == container()["name"]
        assert {each["name"] for each in patched["env"]} <= {each.envvar for each in serve.params}
        return
    for path in re.findall(r"- \.\./(examples/\S+)", text):
        assert (ROOT / path / "kustomization.yaml").exists()


@pytest.mark.parametrize("command", ALL, ids=str)
def test_a_command_is_one_that_something_runs(command: Command) -> None:
    assert command.words[0] in {"kubectl", "kubeci", "head", "printf"}
    words = re.split(r"\s+", command.inside) if command.inside else command.words
    if words[0] == "kubeci":
        module = importlib.import_module(f"kubeci.cli.{words[1].replace('-', '_')}")
        found: click.Command = module.command
        found.make_context(words[1], normalise(words[1:])[1:]).close()


async def run(command: str, folder: Path) -> str:
    """Run what `kubectl exec` would run in the pod, with the pod's volume in `folder/data`."""
    words = command.replace("/data/", f"{folder / 'data'}/").replace("python -c", f"{sys.executable} -c")
    path = f"{KUBECI.parent}:{os.environ['PATH']}"
    pod = {**os.environ, "PATH": path, "KUBECI_STORE": f"sqlite:///{folder / 'data' / 'kubeci.db'}"}
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", words, cwd=folder, env=pod, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(20):
        output, _ = await process.communicate()
    assert process.returncode == 0, words
    return output.decode()


IN_THE_POD = "kubectl exec --namespace kubeci deployment/kubeci -- "


def of_the_database(heading: str) -> list[str]:
    """Give what is run in the pod under a heading."""
    section = re.split(r"^#+ .*\n", OPERATE.read_text().partition(f"# {heading}\n")[2], flags=re.MULTILINE)[0]
    return [each.inside for each in commands(OPERATE) if each.inside and each.line in section]


async def test_a_backup_of_a_running_server_is_brought_back_into_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    store = data / "kubeci.db"
    port = free_port()
    save, fetch, give, bring_back = of_the_database("Backup of SQLite")
    [_, parked] = of_the_database("Troubleshooting")
    many = [
        each.line.replace(IN_THE_POD, "").replace("kubeci replay", "echo")
        for each in commands(OPERATE)
        if "| jq" in each.line
    ]
    async with surroundings(tmp_path, StackSettings(engine=False)) as around:
        command = [
            str(KUBECI),
            *write_files(around, tmp_path),
            f"--listen=127.0.0.1:{port}",
            f"--store=sqlite:///{store}",
        ]
        async with started(command, tmp_path, f"http://127.0.0.1:{port}"):
            write(
                store,
                "INSERT INTO deliveries (id, event, payload, received_at, state, attempts, due, reason)"
                " VALUES ('one', 'push', x'', 1e9, 'parked', 9, 0, 'it rained')",
            )
            for each in (save, fetch):
                await run(each, tmp_path)
            write(store, "DELETE FROM deliveries")
            assert await run(parked, tmp_path) == "No deliveries in the state parked.\n"
            (data / "backup.db").unlink()
            for each in (give, bring_back):
                await run(each, tmp_path)
            assert "it rained" in await run(parked, tmp_path)
            for each, told in zip(many, ("it rained", "one"), strict=True):
                if shutil.which("jq"):
                    assert (await run(each, tmp_path)).strip().endswith(told)
        async with started(command, tmp_path, f"http://127.0.0.1:{port}"):
            assert "it rained" in await run(parked, tmp_path)


async def test_on_the_way_back_the_newer_server_leaves_an_older_copy_as_it_is(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    store = data / "kubeci.db"
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    older = create_engine(f"sqlite:///{data / 'backup.db'}")
    first_tables.metadata.create_all(older)
    older.dispose()
    columns = "SELECT name FROM pragma_table_info('deliveries') ORDER BY name"
    of_the_older = {row[0] for row in read(data / "backup.db", columns)}
    *_, bring_back = of_the_database("Backup of SQLite")
    async with surroundings(tmp_path, StackSettings(engine=False)) as around:
        server = [str(KUBECI), *write_files(around, tmp_path)]
        command = [*server, f"--listen=127.0.0.1:{port}", f"--store=sqlite:///{store}"]
        async with started(command, tmp_path, url) as process:
            assert {row[0] for row in read(store, columns)} > of_the_older
            await run(bring_back, tmp_path)
            await around.github.create_repository("acme/widgets")
            around.github.webhook_url = f"{url}/webhooks/github"
            await around.github.push("acme/widgets", {"README.md": "words"}, branch="main")
            async with asyncio.timeout(20):
                while not await answered_a_webhook(url) or not missed_a_column(tmp_path):
                    await asyncio.sleep(0.05)
            assert process.returncode is None
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(20):
                assert await process.wait() == 0
        assert {row[0] for row in read(store, columns)} == of_the_older


def missed_a_column(folder: Path) -> bool:
    """Say whether the server has looked for what the older tables have not."""
    return "no such column" in (folder / "server.log").read_text()


async def answered_a_webhook(url: str) -> bool:
    """Say whether a webhook was answered, in whatever way."""
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        text = (await client.get(f"{url}/metrics")).text
    sample = r'http_request_duration_seconds_count\{.*route="/webhooks/github".*\} [1-9]'
    return re.search(sample, text) is not None


def read(store: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(store)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def write(store: Path, statement: str) -> None:
    connection = sqlite3.connect(store)
    with connection:
        connection.execute(statement)
    connection.close()
