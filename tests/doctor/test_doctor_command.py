from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import structlog
from click.testing import CliRunner
from installation_scene import Scene, same_everywhere

from kubeci.cli import cli
from kubeci.cli.doctor import _json
from kubeci.doctor.finding import Finding, Group, State
from kubeci.local.cluster.crds import Crds
from kubeci.local.cluster.users import User

GOLDEN = Path(__file__).parent / "golden"


def arguments(scene: Scene) -> list[str]:
    """Write the scene's options as a command line, with files for what is secret."""
    options = scene.subject.options
    files = {
        "keyfile": options.private_key,
        "secretfile": options.webhook_secret.decode(),
        "argo-tokenfile": options.argo_token,
    }
    for name, content in files.items():
        (scene.folder / name).write_text(content)
    given = {
        "github.appid": options.app_id,
        "github-url": options.github_url,
        "kubeconfig": options.kubeconfig,
        "store": options.store_url,
        "argo-server": options.argo_server,
        "argo.ui.base": options.argo_ui,
        "config": scene.folder / "config.yaml",
        **{name: scene.folder / name for name in files},
    }
    (scene.folder / "config.yaml").touch()
    return [f"--{name}={value}" for name, value in given.items()]


async def doctor(*given: str, charset: str = "utf-8") -> tuple[int, str, str]:
    """Run the command in this process; gives its exit status, what it printed, and its errors."""
    former = structlog.get_config()
    invoke = CliRunner(charset=charset).invoke
    try:
        ran = await asyncio.to_thread(invoke, cli, ["doctor", *given], env={"COLUMNS": "500"})
    finally:
        structlog.configure(**former)
    if ran.exception and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return ran.exit_code, ran.stdout, ran.stderr


async def doctor_process(*given: str) -> tuple[int, str, str]:
    """Do the same in a process of its own."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "PYTHONPATH") if key in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "kubeci",
        "doctor",
        *given,
        env={**kept, "PYTHONUTF8": "1", "COLUMNS": "500"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, wrong = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode is not None
    return process.returncode, told.decode(), wrong.decode()


def golden(name: str, written: str, *, update: bool) -> None:
    if update:
        (GOLDEN / name).write_text(written)
    assert written == (GOLDEN / name).read_text()


async def test_a_whole_installation(scene: Scene, *, update_golden: bool) -> None:
    status, told, errors = await doctor_process(*arguments(scene))
    golden("whole.txt", same_everywhere(told, scene), update=update_golden)
    assert (status, errors) == (0, "")


async def test_a_broken_installation(scene: Scene, *, update_golden: bool) -> None:
    given = arguments(scene)
    (scene.folder / "config.yaml").write_text("cacheDefault: {scope: branch}\n")
    state = scene.stack.github.state
    state.app_permissions["checks"] = "read"
    state.app_events.remove("push")
    state.app_events.remove("merge_group")
    scene.installation.permissions["deployments"] = "read"
    scene.stack.github.webhook_url = "http://127.0.0.1:1/hook"
    await scene.deliver()
    scene.stack.cluster.crds = Crds("minimal")
    scene.stack.cluster.storage_classes = {}
    denied = frozenset({("list", "", "pods"), ("delete", "", "pods"), ("get", "", "pods/log")})
    server = User("system:serviceaccount:kubeci:kubeci", allowed=True, denied=denied)
    scene.stack.cluster.further_users = (server,)
    given += [f"--as={server.name}", f"--argo-tokenfile={scene.folder / 'secretfile'}"]
    status, told, errors = await doctor(*given)
    golden("broken.txt", same_everywhere(told, scene), update=update_golden)
    assert (status, errors) == (1, "")


async def test_what_can_be_looked_at_is_when_options_are_wrong(scene: Scene) -> None:
    (scene.folder / "bad.yaml").write_text("namespace: [")
    given = [
        *(each for each in arguments(scene) if not each.startswith(("--github.appid", "--config"))),
        "--keyfile=/nowhere",
        f"--config={scene.folder / 'bad.yaml'}",
        "--listen=nonsense",
    ]
    status, told, _ = await doctor(*given, "-o", "json")
    found: dict[str, Any] = {each["name"]: each for each in json.loads(told)["findings"]}
    assert status == 1
    wrong = {name for name, each in found.items() if each["state"] == "wrong"}
    assert wrong == {"--github.appid", "--keyfile", "--listen", "settings file"}
    assert found["credentials"]["state"] == "unknown"
    assert {found[name]["state"] for name in ("store", "API server", "schema", "against GitHub")} == {"ok"}
    of_settings = {name for name, each in found.items() if "settings file could not" in each["found"]}
    assert of_settings == {"namespace", "controller", "rights", "storage class"}
    assert "private key" in found["--keyfile"]["remedy"]


async def test_json_holds_the_same_findings(scene: Scene) -> None:
    scene.stack.cluster.storage_classes = {}
    status, told, _ = await doctor(*arguments(scene), "-o", "json")
    found = json.loads(told)["findings"]
    assert status == 0
    assert [each for each in found if each["state"] != "ok"] == [
        {
            "group": "storage",
            "name": "storage class",
            "state": "warning",
            "found": "there is none",
            "why": "a cache volume that names no class waits for ever, and the build that mounts it too",
            "remedy": "name one in cacheDefaults.storageClassName, or mark one as the default; CLASS is its name",
            "command": "kubectl annotate storageclass CLASS storageclass.kubernetes.io/is-default-class=true",
        }
    ]


async def test_no_secret_is_shown(scene: Scene) -> None:
    given = arguments(scene)
    secrets = [
        scene.subject.options.argo_token,
        scene.subject.options.webhook_secret.decode(),
        scene.subject.options.private_key.splitlines()[1],
        scene.stack.cluster.admin.token,
    ]
    scene.stack.github.webhook_url = "http://user:hush@127.0.0.1:1/hook?token=hush"
    scene.argo.faults.add("GET", "/api/v1/info", status=500)
    _, told, errors = await doctor(*given, "-o", "json")
    assert [secret for secret in (*secrets, "hush") if secret in told + errors] == []


async def test_a_terminal_without_unicode_gets_other_marks(tmp_path: Path) -> None:
    given = [f"--store=sqlite:///{tmp_path}/kubeci.db", "--github-url=http://127.0.0.1:1"]
    status, told, _ = await doctor(*given, charset="ascii")
    assert status == 1
    assert "  + store" in told


def test_json_commands_no_terminal() -> None:
    hostile = "a\x1b[31m\x9b31m\u202eb\x7f\ud800"
    written = _json([Finding(Group.CLUSTER, "x", State.WRONG, hostile)])
    assert [line for line in written.splitlines() if not (line.isascii() and line.isprintable())] == []
    assert json.loads(written)["findings"][0]["found"] == hostile


def test_help_shows_no_empty_default() -> None:
    told = CliRunner().invoke(cli, ["doctor", "--help"]).output
    assert "--as USER" in told
    assert '""' not in told


def test_a_command_that_is_not_understood() -> None:
    assert CliRunner().invoke(cli, ["doctor", "--nonsense"]).exit_code == 2
