"""`kubeci serve`: the server, until it is told to stop."""

from __future__ import annotations

import click

from kubeci.cli.lazy import loading
from kubeci.cli.options import Invocation, server_options
from kubeci.errors import ConfigurationError


@click.command(name="serve", context_settings={"max_content_width": 110, "show_default": True})
@server_options
def command(invocation: Invocation) -> None:
    """Run the server.

    Every option may also stand in the environment as KUBECI_NAME (dots and dashes become underscores), or under
    `options:` in the settings file. The command line wins, then the environment, then the file.

    \b
    Examples:
      kubeci serve --github.appid 12345 --config /etc/kubeci/config.yaml
      kubeci serve -github.appid=12345 -keyfile=key.pem -kubeconfig=kubeconfig
      KUBECI_GITHUB_APPID=12345 kubeci serve --store sqlite:////data/kubeci.db
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    options, config, warnings = invocation.resolve()
    if options.kubeconfig and not options.kubeconfig.is_file():
        raise ConfigurationError(f"--kubeconfig {options.kubeconfig}: there is no such file")
    with loading():
        from kubeci.cli.serving import run  # noqa: PLC0415 - neither help nor wrong options need the server
    run(options, config, warnings)
