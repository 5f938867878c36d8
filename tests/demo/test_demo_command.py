"""The demo as a person runs it: a process of its own that leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

DEMO = (sys.executable, "-m", "kubeci", "demo")


def processes_below(folder: Path) -> list[str]:
    """Command lines of running processes that mention the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found


async def start(folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    (folder / "tmp").mkdir()
    return await asyncio.create_subprocess_exec(
        *DEMO,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
    )


async def test_once_ends_by_itself_with_status_0_and_data_is_kept(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    process = await start(tmp_path, "--once", "--data", str(kept))
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    told = output.decode()
    assert process.returncode == 0, told
    assert "✓ main ended as examples/matrix says" in told
    assert "✓ long-lines ended as examples/failing says" in told
    assert (
        "✓ release ended as examples/release says (Workflow - ci: success, Workflow - publish: success)"
        in told
    )
    assert re.search(r"cache +ci-branch-demo-words-\S+, 100Mi  Bound", told)
    assert re.search(r"deployment release to staging https://staging.example.com  success", told)
    assert re.search(r"check-run +release: Workflow - publish  neutral", told)
    assert "octocat pressed Run on Workflow - publish" in told
    assert re.search(r"annotation +long-lines: words.py:5: 112 characters", told)
    assert f"kubeci events --config {kept}/settings.yaml" in told
    assert [path.stat().st_mode & 0o077 for path in (kept / "github-key", kept / "webhook-secret")] == [0, 0]
    events = await asyncio.create_subprocess_exec(
        *(*DEMO[:-1], "events", "--config", str(kept / "settings.yaml")), stdout=asyncio.subprocess.PIPE
    )
    listed, _ = await asyncio.wait_for(events.communicate(), 30)
    assert (events.returncode, b"Workflow - ci: success" in listed) == (0, True)
    assert (kept / "repositories" / "demo" / "words.git" / "HEAD").exists()
    assert list((tmp_path / "tmp").iterdir()) == []
    assert processes_below(tmp_path) == []


async def test_interrupted_it_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    process = await start(tmp_path)
    assert process.stdout
    async with asyncio.timeout(60):
        async for line in process.stdout:
            if b"Running" in line:  # a step is under way
                break
    process.send_signal(signal.SIGINT)
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, output.decode()
    assert b"Traceback" not in output
    assert list((tmp_path / "tmp").iterdir()) == []
    assert processes_below(tmp_path) == []


async def test_a_port_that_is_taken_is_said_in_one_line(tmp_path: Path) -> None:
    holder = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    async with holder:
        port = holder.sockets[0].getsockname()[1]
        process = await start(tmp_path, "--once", "--port", str(port))
        output, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert output.decode().strip() == f"kubeci: --port {port}: Address already in use"
