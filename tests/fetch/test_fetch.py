from __future__ import annotations

import hashlib
import ssl
import time

import pytest
from fetch_kit import HOST, Authority, Names, Site, serving, web

from kubeci.errors import NotFound, UpstreamError
from kubeci.fetch.web import FetchLimits, Reach, WebModules
from kubeci.model.module import ModuleFile

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx = 1"
LOOPBACK = ["127.0.0.1"]


def redirect(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\nSet-Cookie: a=b\r\n\r\n".encode(
        "latin-1"
    )


async def test_a_file_without_credentials(authority: Authority) -> None:
    async with serving(Site([OK]), authority) as site:
        found = await web(site, authority, Names([LOOPBACK]).resolve).read(f"{site.url}?a=b%20c")
    assert found == ModuleFile("x = 1", f"sha256:{hashlib.sha256(b'x = 1').hexdigest()}")
    (request,) = site.requests
    head = request.decode().lower()
    assert head.startswith("get /dir/x.star?a=b%20c http/1.1\r\n")
    assert f"host: {HOST}:{site.port}\r\n" in head
    assert "authorization" not in head
    assert "cookie" not in head


async def test_redirects_are_followed_and_carry_no_cookie(authority: Authority) -> None:
    answers = [redirect("/a"), redirect(f"https://{HOST}:PORT/b", 308), redirect("c"), OK]
    async with serving(Site(answers), authority) as site:
        found = await web(site, authority, Names([LOOPBACK]).resolve).read(site.url)
    assert found.text == "x = 1"
    assert [request.split(b" ")[1] for request in site.requests] == [b"/dir/x.star", b"/a", b"/b", b"/c"]
    assert b"cookie" not in b"".join(site.requests).lower()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            redirect("https://169.254.169.254/latest"),
            "169.254.169.254 has the address 169.254.169.254, which is not public",
        ),
        (redirect("https://[::ffff:a9fe:a9fe]/latest"), "which is not public"),
        (
            redirect("http://169.254.169.254/latest"),
            "leads to http://169.254.169.254/latest; only https is fetched",
        ),
        (redirect("//evil.example:8443/"), "leads to port 8443; the server's settings allow "),
        (redirect("file:///etc/passwd"), "leads to file:///etc/passwd; only https is fetched"),
        (redirect("https://user:secret@modules.example/"), "leads to an address with a user name"),
        (redirect("https://modules.example:99999999/"), "which is no address"),
        (redirect(""), "redirects to nowhere"),
        (redirect("//["), "redirects to what is no address"),
        (redirect("/\xe4"), "redirects to what is no address"),
        (redirect("/again") * 4, "redirects more than 3 times"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "the server answered 500"),
        (b"HTTP/1.1 304 No\r\n\r\n", "the server answered 304"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\xff", "is no UTF-8 text"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n", "has more than 1,000,000 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000001\r\n\r\n", "has more than 1,000,000 bytes"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nf4250\r\n"
            + b"x" * 1_000_016
            + b"\r\n0\r\n\r\n",
            "has more than 1,000,000 bytes",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
            "sends gzip, which was not asked for",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "the connection failed: "),
        (b"nonsense\r\n\r\n", "the connection failed: "),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n", "the connection failed: "),
    ],
)
async def test_what_a_server_may_not_do(authority: Authority, answer: bytes, reason: str) -> None:
    async def names(host: str, _port: int) -> list[str]:
        return LOOPBACK if host == HOST else [host.removeprefix("::ffff:")]

    answers = [answer[: len(answer) // 4]] * 4 if "more than 3" in reason else [answer]
    async with serving(Site(answers), authority) as site:
        with pytest.raises(UpstreamError) as caught:
            await web(site, authority, names).read(site.url)
    assert reason in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("status", [404, 410])
async def test_not_there(authority: Authority, status: int) -> None:
    async with serving(Site([b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status]), authority) as site:
        with pytest.raises(NotFound, match=f"the server answered {status}"):
            await web(site, authority, Names([LOOPBACK]).resolve).read(site.url)


async def test_a_server_that_drips(authority: Authority) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n"
    async with serving(Site([head], drip=True), authority) as site:
        started = time.monotonic()
        with pytest.raises(UpstreamError, match=r"took longer than 0\.3 seconds"):
            await web(site, authority, Names([LOOPBACK]).resolve, seconds=0.3).read(site.url)
        assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "addresses", [["10.0.0.1"], ["169.254.169.254"], ["127.0.0.1", "10.0.0.1"], ["fd00::1"], ["127.0.0.2"]]
)
async def test_a_name_with_any_closed_address_is_refused(authority: Authority, addresses: list[str]) -> None:
    async with serving(Site([OK]), authority) as site:
        with pytest.raises(UpstreamError, match="which is not public"):
            await web(site, authority, Names([addresses]).resolve).read(site.url)
    assert not site.requests


async def test_an_answer_of_the_dns_that_changes_changes_nothing(authority: Authority) -> None:
    """The name is asked for once a connection, and the connection goes to the very address that was looked at."""
    names = Names([LOOPBACK, ["169.254.169.254"]])
    async with serving(Site([OK]), authority) as site:
        fetch = web(site, authority, names.resolve)
        assert (await fetch.read(site.url)).text == "x = 1"
        assert names.asked == [HOST]
        with pytest.raises(UpstreamError, match="which is not public"):
            await fetch.read(site.url)


async def test_the_certificate_is_the_hosts(authority: Authority) -> None:
    async with serving(Site([OK, OK]), authority) as site:
        other = f"https://other.example:{site.port}/x"
        with pytest.raises(UpstreamError, match=r"the connection failed: .*certificate"):
            await web(site, authority, Names([LOOPBACK]).resolve).read(other)
        unknown = Reach(Names([LOOPBACK]).resolve, lambda _: True, ssl.create_default_context())
        with pytest.raises(UpstreamError, match=r"the connection failed: .*certificate"):
            await WebModules(FetchLimits(ports=(site.port,)), unknown).read(site.url)
    assert not site.requests


@pytest.mark.parametrize(
    "url", ["https://localhost/x", "https://127.1/x", "https://0x7f000001/x", "https://[::1]/x"]
)
async def test_this_machine_is_not_public(url: str) -> None:
    with pytest.raises(UpstreamError, match="which is not public"):
        await WebModules().read(url)


async def test_a_host_that_nobody_knows() -> None:
    with pytest.raises(UpstreamError, match="the connection failed: the host cannot be resolved"):
        await WebModules().read("https://name.invalid/x")
