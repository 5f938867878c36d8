"""Have argo-server judge a workflow that was rendered: it knows the WorkflowTemplates of the cluster."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from kubeci.errors import ConfigurationError, UpstreamError
from kubeci.model.json import JsonObject
from kubeci.service.prepare import Prepared
from kubeci.workflow.argo_words import pointed_at
from kubeci.workflow.schema import Problem, place

TOKEN = "KUBECI_ARGO_TOKEN"  # noqa: S105 - the name of a variable
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Judge:
    """The argo-server that is asked; `ca` holds the certificates that it is held to (PEM), empty: the machine's."""

    url: str
    token: str = field(repr=False)
    ca: str = ""


def argo_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a click command the options that name an argo-server, as one `Judge` or None."""

    @functools.wraps(function)
    def collected(
        *args: Any,
        argo_server: str | None,
        argo_tokenfile: Path | None,
        argo_cafile: Path | None,
        **others: Any,
    ) -> None:
        judge = None
        if argo_server:
            token = (
                argo_tokenfile.read_text(encoding="utf-8") if argo_tokenfile else os.environ.get(TOKEN, "")
            )
            if not token.strip():
                raise ConfigurationError(
                    "--argo-server needs --argo-tokenfile, or a token in KUBECI_ARGO_TOKEN"
                )
            ca = argo_cafile.read_text(encoding="utf-8") if argo_cafile else ""
            judge = Judge(argo_server, token, ca)
        function(*args, judge=judge, **others)

    command: Callable[..., None] = collected
    for decorate in (
        click.option(
            "--argo-cafile", type=_FILE, metavar="FILE", envvar="KUBECI_ARGO_CAFILE",
            help="Certificates that argo-server is held to.",
        ),
        click.option(
            "--argo-tokenfile", type=_FILE, metavar="FILE", envvar="KUBECI_ARGO_TOKENFILE",
            help=f"Bearer token for argo-server; none: the one in {TOKEN}.",
        ),
        click.option(
            "--argo-server", metavar="URL", envvar="KUBECI_ARGO_SERVER",
            help="Have argo-server judge the workflow too, by the cluster's templates.",
        ),
    ):  # fmt: skip
        command = decorate(command)
    return command


async def judged(judge: Judge, workflow: JsonObject, prepared: Prepared) -> list[Problem]:
    """Give what argo-server finds wrong with a workflow, at its place in the definition.

    Raises `ConfigurationError` when it does not tell.
    """
    # Not for those who do not ask it: the client takes a while to load.
    from kubeci.cluster.argo_server import ArgoServer  # noqa: PLC0415 - see above
    from kubeci.cluster.argo_server_http import trusting  # noqa: PLC0415 - see above

    argo = ArgoServer(judge.url, judge.token, tls=trusting(judge.ca) if judge.ca else None)
    try:
        words = await argo.lint(prepared.build.namespace, workflow)
    except UpstreamError as error:
        raise ConfigurationError(f"argo-server at {judge.url} did not judge the workflow: {error}") from error
    finally:
        await argo.aclose()
    if not words:
        return []
    where = place(pointed_at(words, prepared.manifest), prepared.positions, prepared.path)
    return [Problem("error", where, words, rule="argo-server")]
