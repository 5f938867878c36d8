"""Nothing secret is lost or shown: files that cannot be written are found before, and what cannot be kept is saved."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from create_app_kit import Person, plan_for, running, written

from kubeci.create_app.destination import SecretFile
from kubeci.errors import ConfigurationError
from kubeci.local.github.server import LocalGitHub
from kubeci.model.json import JsonObject


async def test_files_that_cannot_be_written_are_found_before(tmp_path: Path) -> None:
    there = tmp_path / "there.yaml"
    there.write_text("mine")
    dangling = tmp_path / "link.yaml"
    dangling.symlink_to(tmp_path / "nowhere")
    for path, words in (
        (there, "the file exists; name another one, or add --force"),
        (dangling, "the file exists"),
        (tmp_path, "this is a folder"),
        (tmp_path / "no" / "x.yaml", "is no folder that can be written to"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            await SecretFile(path).check()
    assert there.read_text() == "mine"


async def test_force_replaces_a_file_and_its_mode(tmp_path: Path) -> None:
    there = tmp_path / "there.yaml"
    there.write_text("old")
    there.chmod(0o644)
    file = SecretFile(there, force=True)
    await file.check()
    await file.keep({"kind": "Secret"})
    assert (there.read_text(), there.stat().st_mode & 0o777) == ("kind: Secret\n", 0o600)
    assert [each.name for each in os.scandir(tmp_path)] == [there.name]


class Broken:
    """Fails when it matters."""

    place = "the broken place"
    next_command = ""

    async def check(self) -> None:
        pass

    async def keep(self, _secret: JsonObject) -> None:
        raise OSError(28, "No space left on device")


async def test_credentials_that_cannot_be_kept_are_saved(
    github: LocalGitHub, person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    async with running(plan_for(github.api_url, Broken())) as run:
        await person.open(run.address)
        await person.press()
        assert (await person.press()).status_code == 502
        with pytest.raises(ConfigurationError) as caught:
            await run.task
    [saved] = map(Path, os.scandir(tmp_path / "here"))
    assert saved.stat().st_mode & 0o777 == 0o600
    assert len(written(saved)) == 3
    assert str(caught.value) == (
        "the broken place: No space left on device; the App kubeci-acme is made, and its Secret is in "
        f"{saved}: apply that, and remove it"
    )
