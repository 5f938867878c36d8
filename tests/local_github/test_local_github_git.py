from __future__ import annotations

import asyncio
import base64
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from githubkit import GitHub
from local_github_kit import Receiver, token

from kubeci.local.github.git import environment, git
from kubeci.local.github.repositories import executable, submodule, symlink
from kubeci.local.github.server import LocalGitHub


async def run(folder: Path, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "git",
        *arguments,
        cwd=folder,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode().strip()


async def test_clone_and_push_over_http(github: LocalGitHub, receiver: Receiver, tmp_path: Path) -> None:
    await github.push(
        "acme/widgets", {"large.bin": bytes(range(256)) * 8000, "run": executable("#!/bin/sh\n")}
    )
    await run(tmp_path, "clone", "--quiet", f"{github.base_url}/acme/widgets.git", "copy")
    copy = tmp_path / "copy"
    assert (copy / "run").stat().st_mode & 0o100
    (copy / "more.bin").write_bytes(bytes(reversed(range(256))) * 12_000)
    await run(copy, "add", ".")
    await run(copy, "commit", "--quiet", "-m", "More")
    await run(copy, "push", "--quiet", "origin", "HEAD:refs/heads/topic")
    head = await run(copy, "rev-parse", "HEAD")
    await github.settled()
    suite = receiver.named("check_suite", "requested")[-1]["check_suite"]
    assert (suite["head_sha"], suite["head_branch"], suite["before"]) == (head, "topic", "0" * 40)
    push = receiver.named("push")[-1]
    assert [commit["added"] for commit in push["commits"]] == [["more.bin"]]
    assert await run(copy, "ls-remote", "origin", "refs/heads/topic") == f"{head}\trefs/heads/topic"
    shallow = f"--depth=1 --branch=topic {github.base_url}/acme/widgets.git shallow".split()
    await run(tmp_path, "clone", "--quiet", *shallow)


async def test_a_push_to_the_folder_tells_the_server_too(
    github: LocalGitHub, receiver: Receiver, tmp_path: Path
) -> None:
    await github.push("acme/widgets", {"a": "1"})
    folder = github.state.repository("acme/widgets").path  # type: ignore[union-attr]  # it was just made
    await run(tmp_path, "clone", "--quiet", str(folder), "copy")
    await run(tmp_path / "copy", "commit", "--quiet", "--allow-empty", "-m", "Empty")
    await run(tmp_path / "copy", "push", "--quiet")
    await github.settled()
    assert len(receiver.named("check_suite", "requested")) == 2


async def backends() -> list[str]:
    ps = await asyncio.create_subprocess_exec("ps", "-A", "-o", "ppid=,args=", stdout=asyncio.subprocess.PIPE)
    rows = (line.split(None, 1) for line in (await ps.communicate())[0].decode().splitlines())
    return [args for ppid, args in rows if ppid == str(os.getpid()) and "http-backend" in args]


async def test_a_client_that_goes_away_leaves_no_process(github: LocalGitHub) -> None:
    sha = await github.push("acme/widgets", {"large.bin": os.urandom(12_000_000)})
    fetch = f"0011command=fetch0001000fno-progress0032want {sha}\n0009done\n0000".encode()
    head = "POST /acme/widgets.git/git-upload-pack HTTP/1.1\r\nHost: 127.0.0.1\r\nGit-Protocol: version=2\r\n"
    head += "Content-Type: application/x-git-upload-pack-request\r\nContent-Length: "
    for body, length in ((fetch, len(fetch)), (b"0011", 500)):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(github.base_url.rpartition(":")[2]))
        writer.write(f"{head}{length}\r\n\r\n".encode() + body)
        if len(body) == length:
            assert (await reader.read(12)).startswith(b"HTTP/1.1 200")
        async with asyncio.timeout(5):
            while not await backends():
                pass
        writer.transport.abort()
        async with asyncio.timeout(5):
            while await backends():
                pass


async def test_private_repositories_want_a_token(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    await github.create_repository("acme/secret", private=True)
    await github.push("acme/secret", {"a": "1"})
    refs = f"{github.base_url}/acme/secret.git/info/refs"

    async def status(credential: str | None, service: str = "git-upload-pack") -> int:
        headers = {}
        if credential is not None:
            headers["authorization"] = (
                "Basic " + base64.b64encode(f"x-access-token:{credential}".encode()).decode()
            )
        return (await http.get(refs, params={"service": service}, headers=headers)).status_code

    del http.headers["authorization"]
    assert await status(None) == 401
    assert await status("ghs_guess") == 401
    reading = await token(github, permissions={"contents": "read"})
    assert await status(reading) == 200
    assert await status(reading, "git-receive-pack") == 401
    assert await status(await token(github, repositories=["widgets"])) == 401
    assert await status(await token(github), "git-receive-pack") == 200
    assert (await http.get(f"{github.base_url}/acme/nothing.git/info/refs")).status_code == 404


async def test_what_pushes_deliver(github: LocalGitHub, receiver: Receiver) -> None:
    first = await github.push("acme/widgets", {"a": "1"})
    await github.push("acme/widgets", {"b": "2"}, message="Quiet\n\nskip-checks: true")
    second = await github.push("acme/widgets", {"a": None, "c": "3"})
    forced = await github.push("acme/widgets", {"d": "4"}, base=first)
    await github.tag("acme/widgets", "v1", second)
    annotated = await github.tag("acme/widgets", "v2", second, message="Second")
    assert annotated != second
    await github.delete("acme/widgets", "refs/tags/v1")
    folder = github.state.repository("acme/widgets").path  # type: ignore[union-attr]  # it was just made
    await git(folder, "push", "--quiet", str(folder), "refs/heads/main:refs/heads/same")
    await github.settled()
    suites = [event["check_suite"]["head_sha"] for event in receiver.named("check_suite", "requested")]
    assert suites == [first, second, forced], "one suite a commit, none where the trailer says so"
    pushes = receiver.named("push")
    assert [(p["ref"], p["created"], p["deleted"], p["forced"]) for p in pushes] == [
        ("refs/heads/main", True, False, False),
        ("refs/heads/main", False, False, False),
        ("refs/heads/main", False, False, False),
        ("refs/heads/main", False, False, True),
        ("refs/tags/v1", True, False, False),
        ("refs/tags/v2", True, False, False),
        ("refs/tags/v1", False, True, False),
        ("refs/heads/same", True, False, False),
    ]
    assert (pushes[2]["head_commit"]["added"], pushes[2]["head_commit"]["removed"]) == (["c"], ["a"])
    assert pushes[5]["head_commit"]["id"] == second
    created = [(e["ref_type"], e["ref"]) for e in receiver.named("create")]
    assert created == [("branch", "main"), ("tag", "v1"), ("tag", "v2"), ("branch", "same")]
    assert [(e["ref_type"], e["ref"]) for e in receiver.named("delete")] == [("tag", "v1")]


async def test_more_than_three_tags_at_once_are_silent(github: LocalGitHub, receiver: Receiver) -> None:
    sha = await github.push("acme/widgets", {"a": "1"})
    folder = github.state.repository("acme/widgets").path  # type: ignore[union-attr]  # it was just made
    await git(folder, "push", "--quiet", str(folder), *(f"{sha}:refs/tags/v{n}" for n in range(4)))
    await github.settled()
    assert not [event for event in receiver.named("create") if event["ref_type"] == "tag"]


async def test_a_users_repository_names_no_organisation(github: LocalGitHub, receiver: Receiver) -> None:
    await github.create_repository("mona/dotfiles", owner_type="User")
    await github.push("mona/dotfiles", {"a": "1"})
    await github.settled()
    event = receiver.named("check_suite")[0]
    assert "organization" not in event
    assert event["repository"]["owner"]["login"] == "mona"


@pytest.mark.parametrize(
    "name", ["acme", "acme/", "../etc", "repos/x", "acme/../x", "acme/x.git", "-a/b", "a b/c"]
)
async def test_bad_names(github: LocalGitHub, name: str) -> None:
    with pytest.raises(ValueError, match="no name for a repository"):
        await github.create_repository(name)


async def test_reads_parse_with_githubkit(github: LocalGitHub, installed: GitHub[Any]) -> None:
    sha = await github.push(
        "acme/widgets",
        {
            "dir/file.txt": "text\n",
            "link": symlink("dir/file.txt"),
            "out": symlink("../etc/passwd"),
            "module": submodule("1" * 40),
        },
    )
    tag = await github.tag("acme/widgets", "v1", sha, message="First")
    at = ("acme", "widgets")
    rest = installed.rest
    assert (await rest.repos.async_get(*at)).parsed_data.default_branch == "main"
    assert (await rest.git.async_get_ref(*at, "heads/main")).parsed_data.object_.sha == sha
    found = (await rest.git.async_get_ref(*at, "tags/v1")).parsed_data.object_
    assert (found.type, found.sha) == ("tag", tag)
    assert (await rest.git.async_get_tag(*at, tag)).parsed_data.object_.sha == sha
    assert len((await rest.git.async_list_matching_refs(*at, "")).parsed_data) == 2
    tree = (await rest.git.async_get_tree(*at, sha, recursive="1")).parsed_data
    assert [entry.path for entry in tree.tree] == ["dir", "dir/file.txt", "link", "module", "out"]
    blob = (await rest.git.async_get_blob(*at, tree.tree[1].sha)).parsed_data
    assert base64.b64decode(blob.content) == b"text\n"
    commit = (await rest.repos.async_get_commit(*at, "main")).parsed_data
    assert (commit.sha, commit.parents) == (sha, [])
    assert (await rest.repos.async_get_branch(*at, "main")).parsed_data.commit.sha == sha
    assert [b.name for b in (await rest.repos.async_list_branches(*at)).parsed_data] == ["main"]
    file: Any = (await rest.repos.async_get_content(*at, "dir/file.txt")).parsed_data
    assert base64.b64decode(file.content) == b"text\n"
    followed: Any = (await rest.repos.async_get_content(*at, "link", ref=sha)).parsed_data
    assert base64.b64decode(followed.content) == b"text\n"
    outside: Any = (await rest.repos.async_get_content(*at, "out")).parsed_data
    assert (outside.type, outside.target) == ("symlink", "../etc/passwd")
    module: Any = (await rest.repos.async_get_content(*at, "module")).parsed_data
    assert module.type == "submodule"
    root: Any = (await rest.repos.async_get_content(*at, "")).parsed_data
    assert [(entry.name, entry.type) for entry in root] == [
        ("dir", "dir"),
        ("link", "symlink"),
        ("module", "submodule"),
        ("out", "symlink"),
    ]


async def test_reads_that_find_nothing(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    sha = await github.push("acme/widgets", {"a/b": "1"})
    expected = {
        "git/ref/heads/mai": 404,
        "git/ref/heads": 404,
        f"git/tags/{sha}": 404,
        f"git/blobs/{sha}": 404,
        "git/trees/nothing": 404,
        "contents/nothing": 404,
        "contents/a/b/c": 404,
        "contents/a?ref=nothing": 404,
        "commits/nothing": 422,
        "branches/nothing": 404,
    }
    found = {path: (await http.get(f"/repos/acme/widgets/{path}")).status_code for path in expected}
    assert found == expected
    raw = await http.get(
        "/repos/acme/widgets/contents/a/b", headers={"accept": "application/vnd.github.raw+json"}
    )
    assert raw.text == "1"
    short = await http.get(
        "/repos/acme/widgets/commits/main", headers={"accept": "application/vnd.github.sha"}
    )
    assert short.text == sha
