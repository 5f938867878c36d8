"""The image, as far as it can be seen without building it; what it starts is really started."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import signal
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from deploy_kit import KUBECI, ROOT, free_port, started, write_files

from kubeci import __version__
from kubeci.local.stack import surroundings


@dataclass
class Stage:
    """What stands between one FROM and the next."""

    base: str
    name: str = ""
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, word: str) -> list[str]:
        return [rest for instruction, rest in self.instructions if instruction == word]

    def last(self, word: str) -> str:
        return self.all(word)[-1]


def lines() -> Iterator[str]:
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    yield from filter(None, re.sub(r"\\\n", " ", text).splitlines())


def stages() -> list[Stage]:
    found: list[Stage] = []
    for line in lines():
        word, rest = line.split(maxsplit=1)
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(base, name))
        else:
            found[-1].instructions.append((word, rest))
    return found


FINAL = stages()[-1]


def test_every_base_names_its_minor_version_and_system() -> None:
    assert [
        stage.base for stage in stages() if not re.fullmatch(r"python:3\.\d+-slim-[a-z]+", stage.base)
    ] == []
    assert len({stage.base for stage in stages()}) == 1


def test_the_user_is_a_number_and_not_root() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", FINAL.last("USER"))
    words = [word for word, _ in FINAL.instructions]
    assert "RUN" not in words[words.index("USER") :]


def test_nothing_that_builds_is_left() -> None:
    installed = [
        each for each in FINAL.all("RUN") if re.search(r"\b(apt-get|apk|pip3? install|gcc|make)\b", each)
    ]
    assert installed == []
    assert any("pip uninstall" in each for each in FINAL.all("RUN"))
    assert FINAL.all("COPY") == ["--from=build /opt/kubeci /opt/kubeci"]
    assert FINAL.all("ADD") == []


def test_what_is_installed_is_held_by_hash() -> None:
    installs = re.findall(r"pip (?:--python \S+ )?install ([^&]*)", " && ".join(stages()[0].all("RUN")))
    assert len(installs) == 3
    assert [each for each in installs if "--require-hashes" not in each and "--no-index" not in each] == []


def test_the_labels_tell_of_the_project() -> None:
    labels = dict(part.split("=", 1) for part in shlex.split(FINAL.last("LABEL")))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {name.rpartition(".")[2]: value for name, value in labels.items()} == {
        "title": project["name"],
        "description": project["description"],
        "version": __version__,
        "licenses": project["license"],
    }


def test_the_context_holds_what_is_copied_and_no_secrets() -> None:
    first, *allowed = (ROOT / ".dockerignore").read_text().splitlines()[1:]
    assert first == "*"
    assert [name for name in allowed if name[0] == "!" and not (ROOT / name[1:]).exists()] == []


def healthcheck(port: int) -> list[str]:
    words = json.loads(FINAL.last("HEALTHCHECK").partition(" CMD ")[2])
    assert words[0] == "python"
    assert "'127.0.0.1', 8080" in words[2]
    return [sys.executable, *(word.replace("8080", str(port)) for word in words[1:])]


async def ends(command: list[str]) -> int:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    async with asyncio.timeout(20):
        return await process.wait()


async def test_options_alone_start_a_server_that_the_healthcheck_finds_and_the_stop_signal_ends(
    tmp_path: Path,
) -> None:
    assert json.loads(FINAL.last("ENTRYPOINT")) == [KUBECI.name]
    stop = signal.Signals[FINAL.last("STOPSIGNAL")]
    port = free_port()
    async with surroundings(tmp_path) as around:
        options = [*write_files(around, tmp_path), f"--listen=127.0.0.1:{port}", "-grace.shutdown=0s"]
        async with started([str(KUBECI), *options], tmp_path, f"http://127.0.0.1:{port}") as process:
            assert await ends(healthcheck(port)) == 0
            assert (tmp_path / "kubeci.db").exists()
            process.send_signal(stop)
            async with asyncio.timeout(20):
                assert await process.wait() == 0
    assert await ends(healthcheck(port)) == 1


async def test_the_image_without_options_says_what_it_needs(tmp_path: Path) -> None:
    command = [str(KUBECI), *json.loads(FINAL.last("CMD"))]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, env={}, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert (process.returncode, said.decode().count("\n")) == (2, 1)
    assert "--github.appid is required" in said.decode()
