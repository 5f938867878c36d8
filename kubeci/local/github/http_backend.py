"""Clone, fetch and push over smart HTTP: `git http-backend` as a CGI process, bodies streamed both ways."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import os
import signal
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from kubeci.local.github.auth import grants
from kubeci.local.github.git import environment, reap
from kubeci.local.github.state import Repository, State

CHUNK = 64 * 1024


class GitHosting:
    """Serves the bare repositories under `root`; anybody on this machine may push, as `octocat` or by a name of theirs."""

    def __init__(self, state: State, root: Path) -> None:
        self._state = state
        self._root = root

    async def endpoint(self, request: Request) -> Response:
        """Answer a request below `/{owner}/{repo}.git/`."""
        owner, name = request.path_params["owner"], request.path_params["repo"]
        repository = self._state.repository(f"{owner}/{name}")
        rest = request.path_params["rest"]
        if repository is None:
            return PlainTextResponse("Repository not found.\n", 404)
        pushes = "git-receive-pack" in (rest, request.query_params.get("service"))
        user = self._user(request, repository, pushes=pushes)
        if user is None:
            challenge = {"www-authenticate": 'Basic realm="GitHub"'}
            return PlainTextResponse("Invalid username or password.\n", 401, headers=challenge)
        if pushes and repository.archived:
            return PlainTextResponse("This repository was archived so it is read-only.\n", 403)
        return _Cgi(_cgi_environment(request, self._root, repository, rest, user))

    def _user(self, request: Request, repository: Repository, *, pushes: bool) -> str | None:
        """Give the name of who asks; None when they may not. A token must reach the repository."""
        credentials = _basic(request.headers.get("authorization", ""))
        if credentials is None:
            return None if repository.private else "octocat"
        login, secret = credentials
        if not secret.startswith("ghs_"):
            return login if login and not repository.private else None
        token = self._state.tokens.get(secret)
        needed = "contents:write" if pushes else "contents:read"
        fine = (
            token is not None
            and token.expires_at > self._state.now()
            and self._state.reaches(token, repository)
            and grants(token.permissions, needed)
        )
        return f"{self._state.app.slug}[bot]" if fine else None


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        login, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return login, secret


def _cgi_environment(
    request: Request, root: Path, repository: Repository, rest: str, user: str
) -> dict[str, str]:
    relative = repository.path.relative_to(root)
    variables = {
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{relative}/{rest}",
        "QUERY_STRING": request.url.query,
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "REMOTE_USER": user,
        "REMOTE_ADDR": "127.0.0.1",
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
    }
    if length := request.headers.get("content-length"):
        variables["CONTENT_LENGTH"] = length
    return environment(**variables)


class _Cgi(Response):
    """An answer that `git http-backend` writes while it reads the request's body."""

    def __init__(self, variables: dict[str, str]) -> None:
        super().__init__()
        self._variables = variables

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the process; it is ended when the client goes away."""
        process = await asyncio.create_subprocess_exec(
            "git",
            "http-backend",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=self._variables,
            start_new_session=True,
        )
        feeding = asyncio.create_task(_feed(receive, process))
        try:
            await _answer(process, scope, receive, send)
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            await reap(process)


async def _answer(process: asyncio.subprocess.Process, scope: Scope, receive: Receive, send: Send) -> None:
    assert process.stdout is not None
    try:
        head = await process.stdout.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        await PlainTextResponse("git failed\n", 500)(scope, receive, send)
        return
    headers = dict(_header(line) for line in head.decode("latin-1").split("\r\n") if ":" in line)
    status = int(headers.pop("status", "200").split(" ")[0])
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    while chunk := await process.stdout.read(CHUNK):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _feed(receive: Receive, process: asyncio.subprocess.Process) -> None:
    """Copy the request's body into the process, then wait for the client to go, which ends the process."""
    assert process.stdin is not None
    while (message := await receive())["type"] == "http.request":
        # A process that has read enough is no error.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            process.stdin.write(message.get("body", b""))
            await process.stdin.drain()
        if not message.get("more_body", False):
            process.stdin.close()
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()
