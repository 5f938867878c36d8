"""A git artifact is a clone, and one that cannot be made ends the pod."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from engine_stack import Stack


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@example.com", "-C", str(folder)]
    folder.mkdir()
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    for number in range(3):
        (folder / "file").write_text(f"{number}\n")
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-q", "-m", str(number)], check=True)
    subprocess.run([*git, "branch", "topic", "HEAD~1"], check=True)
    return folder


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({}, "2"),
        ({"revision": "topic"}, "1"),
        ({"revision": "HEAD~2"}, "0"),
        ({"branch": "topic", "singleBranch": True, "depth": 1}, "1"),
        ({"revision": "topic", "depth": 1}, "1"),
    ],
)
async def test_the_git_artifact_is_a_clone(
    stack: Stack, repository: Path, source: dict[str, Any], expected: str
) -> None:
    template = {
        "name": "main",
        "inputs": {
            "artifacts": [
                {"name": "source", "path": "/src", "git": {"repo": f"file://{repository}", **source}}
            ]
        },
        "container": {"image": "any", "command": ["cat", "file"], "workingDir": "/src"},
    }
    name = stack.submit(
        {"metadata": {"name": "ci-1"}, "spec": {"entrypoint": "main", "templates": [template]}}
    )
    assert (await stack.finished(name))["status"]["phase"] == "Succeeded"
    assert stack.log(name, name) == f"{expected}\n"


@pytest.mark.parametrize(
    ("git", "why"),
    [
        ({"repo": "file:///nowhere"}, "nowhere"),
        ({"repo": "ext::sh -c 'touch /tmp/x'"}, "clones by http, https, file"),
        ({"repo": "file:///nowhere", "revision": "--upload-pack=x"}, "begins with a dash"),
    ],
)
async def test_a_clone_that_fails_ends_the_pod_in_init(stack: Stack, git: dict[str, Any], why: str) -> None:
    template = {
        "name": "main",
        "inputs": {"artifacts": [{"name": "source", "path": "/src", "git": git}]},
        "container": {"image": "any", "command": ["true"]},
    }
    name = stack.submit(
        {"metadata": {"name": "ci-1"}, "spec": {"entrypoint": "main", "templates": [template]}}
    )
    status = (await stack.finished(name))["status"]
    assert status["phase"] == "Error"
    assert status["message"].startswith("init: Error (exit code 64): failed to load artifact 'source': ")
    assert why in status["message"]
