"""Clone, fetch and push over smart HTTP: `git http-backend` as a CGI process, bodies streamed both ways."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

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
        return await _cgi(request, _cgi_environment(request, self._root, repository, rest, user))

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


async def _cgi(request: Request, variables: dict[str, str]) -> Response:
    process = await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=variables,
    )
    feeding = asyncio.create_task(_feed(request, process))

    async def end() -> None:
        feeding.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await feeding
        await reap(process)

    try:
        assert process.stdout is not None
        head = await process.stdout.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        await end()
        return PlainTextResponse("git failed\n", 500)
    except BaseException:
        await end()
        raise
    headers = dict(_header(line) for line in head.decode("latin-1").split("\r\n") if ":" in line)
    status = int(headers.pop("status", "200").split(" ")[0])
    return StreamingResponse(_output(process, end), status, headers, background=BackgroundTask(end))


async def _feed(request: Request, process: asyncio.subprocess.Process) -> None:
    """Copy the request's body into the process; a process that has read enough is no error."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        async for chunk in request.stream():
            process.stdin.write(chunk)
            await process.stdin.drain()
    process.stdin.close()


async def _output(
    process: asyncio.subprocess.Process, end: Callable[[], Awaitable[None]]
) -> AsyncIterator[bytes]:
    assert process.stdout is not None
    try:
        while chunk := await process.stdout.read(CHUNK):
            yield chunk
    finally:
        await end()


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()
