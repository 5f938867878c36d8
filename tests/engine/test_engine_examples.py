from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml
from engine_stack import Stack

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def commit(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """Give a repository with the example named by the parameter, and its commit."""
    folder = tmp_path / "repository"
    subprocess.run(["cp", "-r", str(EXAMPLES / request.param), str(folder)], check=True)
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@example.com", "-C", str(folder)]
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "example"]):
        subprocess.run([*git, *arguments], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return folder, head.stdout.strip()


@pytest.mark.parametrize(
    ("commit", "phase"),
    [("yaml", "Succeeded"), ("matrix", "Succeeded"), ("failing", "Failed")],
    indirect=["commit"],
)
async def test_an_example_ends_as_it_should(stack: Stack, commit: tuple[Path, str], phase: str) -> None:
    folder, head = commit
    workflow = yaml.safe_load((folder / ".kube-ci" / "ci.yaml").read_text())
    parameters = {"repo_https_url": f"file://{folder}", "revision": head}
    workflow["metadata"] = {"generateName": "ci-"}
    workflow["spec"]["arguments"] = {
        "parameters": [{"name": key, "value": value} for key, value in parameters.items()]
    }
    name = stack.submit(workflow)
    done = await stack.finished(name)
    assert done["status"]["phase"] == phase, done["status"]
    if phase == "Failed":
        assert "words.py:" in stack.log(name, "lint")
