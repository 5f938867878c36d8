from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from kubeci.cli.argv import normalise
from kubeci.cli.options import Invocation, server_options
from kubeci.errors import ConfigurationError
from kubeci.settings.config import Config
from kubeci.settings.options import Options


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["-github.appid", "5"], ["serve", "--github.appid", "5"]),
        (["-github.appid=5", "-config=c.yaml"], ["serve", "--github.appid=5", "--config=c.yaml"]),
        (["--github.appid", "5"], ["serve", "--github.appid", "5"]),
        (["serve", "-argo.ui.base", "http://x"], ["serve", "--argo.ui.base", "http://x"]),
        (["render", "-o", "json"], ["render", "-o", "json"]),
        (["--help"], ["--help"]),
        ([], []),
    ],
)
def test_the_originals_spelling_works(given: list[str], meant: list[str]) -> None:
    assert normalise(given) == meant


class Called:
    """What a command was called with."""

    options: Options
    config: Config


def invoke(*arguments: str, **environment: str) -> Called:
    import click  # noqa: PLC0415 - the decorators make a command of our own here

    called = Called()

    @click.command()
    @server_options
    def command(invocation: Invocation) -> None:
        called.options, called.config, _ = invocation.resolve()

    result = CliRunner().invoke(
        command, normalise(["serve", *arguments])[1:], env=environment, catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return called


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "github-key").write_text("a key")
    (tmp_path / "webhook-secret").write_text("hush\n")
    return tmp_path


def test_the_originals_command_line_is_understood(files: Path) -> None:
    (files / "ids").write_text("12\n\n 13 \n")
    (files / "c.yaml").write_text("buildBranches: main")
    called = invoke(
        "-github.appid=5",
        "-idsfile",
        "ids",
        "-orgs=acme|umbrella",
        "-grace.shutdown",
        "1m30s",
        "-config=c.yaml",
        "-argo.ui.base=http://argo.example/",
        "-kubeconfig=k",
        "-master=http://127.0.0.1:8001",
    )
    options = called.options
    assert (options.app_id, options.private_key, options.webhook_secret) == (5, "a key", b"hush")
    assert options.installations == {12, 13}
    assert options.owners
    assert [options.owners.search(name) for name in ("acme", "umbrella", "acme2", "xacme")] == [
        True,
        True,
        False,
        False,
    ]
    assert options.grace_shutdown == 90
    assert options.argo_ui == "http://argo.example"
    assert called.config.build_branches.source == "main"
    assert "hush" not in repr(options)
    assert "a key" not in repr(options)


def test_argo_servers_certificates_are_read_from_their_file(files: Path) -> None:
    (files / "ca.pem").write_text("certificates\n")
    called = invoke("-github.appid=5", "--argo-cafile=ca.pem")
    assert called.options.argo_ca == "certificates"


def test_command_line_beats_environment_beats_file(files: Path) -> None:
    (files / "c.yaml").write_text(
        "options: {github.appid: 1, listen: '127.0.0.1:1', argo.ui.base: 'http://file'}"
    )
    called = invoke(
        "-config=c.yaml", "--listen=127.0.0.1:3", KUBECI_GITHUB_APPID="2", KUBECI_LISTEN="127.0.0.1:2"
    )
    assert (called.options.app_id, called.options.listen_port, called.options.argo_ui) == (
        2,
        3,
        "http://file",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--github.appid is required"),
        (["-github.appid=5", "-keyfile=nowhere"], "--keyfile nowhere: No such file"),
        (["-github.appid=5", "-secretfile=empty"], "--secretfile empty: the file is empty"),
        (["-github.appid=5", "--listen=here"], "--listen here: write HOST:PORT"),
        (["-github.appid=5", "--github-url=ftp://x"], "--github-url ftp://x: not an address"),
        (["-github.appid=5", "-orgs=("], "not a regular expression"),
        (["-github.appid=5", "-grace.shutdown=soon"], "`soon` is not a duration"),
        (["-github.appid=5", "-idsfile=bad-ids"], "--idsfile x: not a number"),
        (["-github.appid=5", "-config=bad.yaml"], "`options.portt` in the settings file is not an option"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(files: Path, arguments: list[str], message: str) -> None:
    (files / "empty").write_text("\n")
    (files / "bad-ids").write_text("x")
    (files / "bad.yaml").write_text("options: {portt: 1}")
    with pytest.raises(ConfigurationError) as raised:
        invoke(*arguments)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
