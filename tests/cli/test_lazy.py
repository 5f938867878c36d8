"""What a command needs is loaded when its work begins, and no sooner."""

from __future__ import annotations

import gc
import subprocess
import sys
from importlib import import_module

import pytest

from kubeci.cli import COMMANDS
from kubeci.cli.lazy import loading

HEAVY = {"starlette", "uvicorn", "jinja2", "httpx", "githubkit", "kubernetes", "aiohttp", "alembic"}


def test_help_loads_nothing_heavy() -> None:
    program = f"""
import sys
from click.testing import CliRunner
from kubeci.cli import cli
assert "create-app" in CliRunner().invoke(cli, ["--help"]).output
assert not [name for name in sys.modules if name.startswith("kubeci.cli.") and name != "kubeci.cli.argv" and name != "kubeci.cli.lazy"]
for command in {list(COMMANDS)}:
    assert "Usage: " in CliRunner().invoke(cli, [command, "--help"]).output
print(*sorted({HEAVY} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("collects", [True, False])
def test_the_collection_of_garbage_goes_on_as_before(*, collects: bool) -> None:
    was = gc.isenabled()
    (gc.enable if collects else gc.disable)()
    try:
        with loading():
            assert not gc.isenabled()
        assert gc.isenabled() == collects
        with pytest.raises(ImportError), loading():
            import_module("kubeci.no_such_module")
        assert gc.isenabled() == collects
    finally:
        (gc.enable if was else gc.disable)()
