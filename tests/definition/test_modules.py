"""What a definition gets of modules from elsewhere, and what it is told when it gets none."""

from __future__ import annotations

import pytest
from modules_kit import HEAD, Kit

from kubeci.errors import Forbidden, UpstreamError
from kubeci.model.module import Loaded


async def test_modules_of_other_repositories(kit: Kit) -> None:
    files = {
        "ci.star": "load('github://lib.acme/dir/a.star?ref=v1', 'a')\n"
        "load('github://lib/dir/a.star?ref=v1', again = 'a')\n"
        "load('https://example.com/w.star', 'w')\n"
        + HEAD
        % "[a, again, w, loadFile('github://lib/data.txt')]",
        "c.star": "c = 'context'\n",
    }
    elsewhere = {
        "acme/lib@v1:dir/a.star": "load('b.star', 'b')\nload('/top.star', 't')\nload('github://lib/d.star', 'd')\n"
        "load('context:///c.star', 'c')\nprint('once')\na = [b, t, d, c, loadFile('x.txt'), input.ref]\n",
        "acme/lib@v1:dir/b.star": "b = 'b at v1'\n",
        "acme/lib@v1:top.star": "t = 'top'\n",
        "acme/lib@v1:dir/x.txt": "text",
        "acme/lib@:d.star": "d = 'default branch'\n",
        "acme/lib@:data.txt": "data",
        "https://example.com/w.star": "load('v.star?x=1', 'v')\nw = v\n",
        "https://example.com/v.star?x=1": "v = 'web'\n",
    }
    found, repositories = await kit.load(files, elsewhere)
    a = ["b at v1", "top", "default branch", "context", "text", "main"]
    assert found.manifest["spec"] == [a, a, "web", "data"]
    assert found.prints == ("github://lib.acme/dir/a.star?ref=v1:5: once",)
    pinned = "sha-v1-1"
    assert repositories.reads[:3] == [
        "acme/lib@v1:dir/a.star",
        f"acme/lib@{pinned}:dir/b.star",
        f"acme/lib@{pinned}:top.star",
    ]
    assert len(repositories.reads) == 6
    assert found.loaded[:2] == (
        Loaded("github://lib.acme/dir/a.star?ref=v1", pinned),
        Loaded("github://lib.acme/dir/b.star?ref=v1", pinned),
    )
    assert Loaded("https://example.com/w.star", "sha256:0") in found.loaded
    assert len(found.loaded) == 8


async def test_a_missing_file_may_be_expected(kit: Kit) -> None:
    text = HEAD % "loadFile('github://lib/none', error_on_notfound = False)"
    assert (await kit.load({"ci.star": text}, {}))[0].manifest["spec"] is None


async def test_now_is_the_time_of_the_event(kit: Kit) -> None:
    text = "load('builtin:///time', 'now')\n" + HEAD % "now().unix_nano"
    assert (await kit.load({"ci.star": text}, {}))[0].manifest["spec"] == 1709208000000007000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "\nload('github://lib/none.star', 'x')\n",
            ".kube-ci/ci.star:2:1: `github://lib/none.star` is not there (github://lib.acme/none.star): acme/lib has no `none.star`",
        ),
        (
            "load('github://lib.other/x.star', 'x')\n",
            ".kube-ci/ci.star:1:1: github://lib.other/x.star: other/lib belongs to another owner, and the setting `moduleRepositories` does not name it",
        ),
        (
            "load('https://example.com/none', 'x')\n",
            ".kube-ci/ci.star:1:1: `https://example.com/none` is not there (https://example.com/none): the server answered 404",
        ),
        (
            "load('https://internal/x', 'x')\n",
            ".kube-ci/ci.star:1:1: https://internal/x: the address 169.254.169.254 is not public",
        ),
        (
            "load('github://lib/forbidden.star', 'x')\n",
            ".kube-ci/ci.star:1:1: github://lib.acme/forbidden.star: no permission",
        ),
        (
            "load('github://lib/big.txt', 'x')\n",
            ".kube-ci/ci.star:1:1: github://lib.acme/big.txt: has more than 1,000,000 bytes",
        ),
        (
            "load('github://lib/long.star', 'x')\n",
            "github://lib.acme/long.star: has more than 64 KB\nloaded from ci.star",
        ),
        (
            "load('github://lib/wrong.star', 'x')\n",
            "github://lib.acme/wrong.star:2:5: Variable `y` not found, did you mean `x`?\nloaded from ci.star",
        ),
        (
            "load('github://lib/c.star', 'x')\n",
            "a.star:1:1: load cycle: github://lib.acme/c.star -> a.star -> github://lib.acme/c.star\nloaded from github://lib.acme/c.star\nloaded from ci.star",
        ),
        (
            "x = loadFile('https://internal/x', error_on_notfound = False)\n",
            ".kube-ci/ci.star:1:5: https://internal/x: the address 169.254.169.254 is not public\ncalled from ci.star:1, in <module>",
        ),
    ],
)
async def test_faults_say_where_and_what(kit: Kit, text: str, message: str) -> None:
    elsewhere: dict[str, str | Exception] = {
        "https://internal/x": UpstreamError("the address 169.254.169.254 is not public"),
        "acme/lib@:forbidden.star": Forbidden("no permission"),
        "acme/lib@:big.txt": "x" * 1_000_001,
        "acme/lib@:long.star": "#" * 100_000,
        "acme/lib@:wrong.star": "x = 1\nz = y\n",
        "acme/lib@:c.star": "load('context:///a.star', 'x')\n",
    }
    found = await kit.fault(text, elsewhere)
    assert found.removeprefix(".kube-ci/") == message.removeprefix(".kube-ci/")


async def test_what_github_cannot_answer_now_is_no_fault_of_the_definition(kit: Kit) -> None:
    elsewhere = {"acme/lib@:a.star": UpstreamError("busy", retryable=True)}
    with pytest.raises(UpstreamError, match="busy"):
        await kit.load({"ci.star": "load('github://lib/a.star', 'x')\n"}, elsewhere)
    assert (await kit.load({"ci.star": HEAD % 1}, {}))[0].manifest["spec"] == 1
