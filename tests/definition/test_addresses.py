import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.definition.addresses import Address, check, resolve

CONTEXT = Address("context", "", "/lib/mod.star")
GITHUB = Address("github", "repo.org", "/a/b/mod.star", "v1")
HTTPS = Address("https", "example.com", "/a/mod.star", "token=1")


@pytest.mark.parametrize(
    ("base", "text", "expected"),
    [
        (CONTEXT, "x.star", "context:///lib/x.star"),
        (CONTEXT, "./x.star", "context:///lib/x.star"),
        (CONTEXT, "sub/x.star", "context:///lib/sub/x.star"),
        (CONTEXT, "../x.star", "context:///x.star"),
        (CONTEXT, "../../../x.star", "context:///x.star"),
        (CONTEXT, "..%2f..%2fx.star", "context:///x.star"),
        (CONTEXT, "%2e%2e/%2E%2E/x.star", "context:///x.star"),
        (CONTEXT, "/x.star", "context:///x.star"),
        (CONTEXT, "///x.star", "context:///x.star"),
        (CONTEXT, "context:///x.star", "context:///x.star"),
        (CONTEXT, "context:x.star", "context:///x.star"),
        (CONTEXT, "CONTEXT:///x.star", "context:///x.star"),
        (CONTEXT, "context:///a%20b.star", "context:///a b.star"),
        (CONTEXT, "mein Modül.star", "context:///lib/mein Modül.star"),
        (CONTEXT, "x.star?ref=v1#part", "context:///lib/x.star"),
        (CONTEXT, "builtin:///encoding/yaml", "builtin:///encoding/yaml"),
        (CONTEXT, "github://repo.org/x.star?ref=v2#part", "github://repo.org/x.star?ref=v2"),
        (CONTEXT, "github://repo.org/x.star", "github://repo.org/x.star"),
        (CONTEXT, "github://repo.org/x.star?ref=", "github://repo.org/x.star"),
        (CONTEXT, "github://repo.org/x.star?a=1&ref=v2&ref=v3", "github://repo.org/x.star?ref=v2"),
        (CONTEXT, "github://repo.org/x.star?ref=feature%2Fa", "github://repo.org/x.star?ref=feature/a"),
        (CONTEXT, "github://repo/x.star", "github://repo.acme/x.star"),
        (CONTEXT, "github://my.repo.org/x.star", "github://my.repo.org/x.star"),
        (CONTEXT, "github://.github.org/x.star", "github://.github.org/x.star"),
        (CONTEXT, "github://repo.org/a/../../x y%20ü.star", "github://repo.org/x y ü.star"),
        (CONTEXT, "https://example.com/x.star", "https://example.com/x.star"),
        (CONTEXT, "https://EXAMPLE.com.:443/x.star?a=b", "https://example.com/x.star?a=b"),
        (CONTEXT, "https://example.com:8443/%2e%2e/x", "https://example.com:8443/%2e%2e/x"),
        (CONTEXT, "https://bücher.example/x", "https://xn--bcher-kva.example/x"),
        (CONTEXT, "https://[2001:DB8::1]/x", "https://[2001:db8::1]/x"),
        (GITHUB, "x.star", "github://repo.org/a/b/x.star?ref=v1"),
        (GITHUB, "../../../x.star", "github://repo.org/x.star?ref=v1"),
        (GITHUB, "/x.star", "github://repo.org/x.star?ref=v1"),
        (GITHUB, "///x.star", "github://repo.org/x.star?ref=v1"),
        (GITHUB, "x.star?ref=v2", "github://repo.org/a/b/x.star?ref=v2"),
        (GITHUB, "//other.org2/x.star", "github://other.org2/x.star"),
        (GITHUB, "//other/x.star", "github://other.org/x.star"),
        (GITHUB, "github://other/x.star", "github://other.org/x.star"),
        (GITHUB, "github://repo.org/x.star", "github://repo.org/x.star"),
        (GITHUB, "context:///x.star", "context:///x.star"),
        (GITHUB, "https://example.com/x.star?ref=1", "https://example.com/x.star?ref=1"),
        (HTTPS, "x.star", "https://example.com/a/x.star"),
        (HTTPS, "../../x.star?b=2", "https://example.com/x.star?b=2"),
        (HTTPS, "/x.star", "https://example.com/x.star"),
        (HTTPS, "///x.star", "https://example.com/x.star"),
        (HTTPS, "//other.example/x.star", "https://other.example/x.star"),
        (HTTPS, "github://repo/x.star", "github://repo.acme/x.star"),
    ],
)
def test_resolve(base: Address, text: str, expected: str) -> None:
    assert str(resolve(base, text, "acme")) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *(
            (text, "names no file")
            for text in ("", "/", "///", "context:", "context:///", "?ref=x", "..", "%2e%2e")
        ),
        *(
            (text, "names no file")
            for text in ("//host", "github://repo.org", "github://repo.org/..", "https://host/")
        ),
        ("//repo.org/x.star", "a context address has three slashes: context:///name.star"),
        ("context://host/x.star", "a context address has three slashes: context:///name.star"),
        ("builtin://encoding/yaml", "a builtin address has three slashes: builtin:///name"),
        (
            "file:///etc/passwd",
            "there are no file:// addresses; there are builtin://, context://, github://, https://",
        ),
        ("http://example.com/x.star", "there are no http:// addresses"),
        ("x" * 3000, "an address of 3,000 characters; at most 2,000 are accepted"),
        ("a\nb", "an address holds no control characters"),
        ("a%00b", "an address holds no control characters"),
        ("github:///x.star", "names no repository"),
        ("github://repo.org@evil/x.star", "names no repository"),
        ("github://a b.org/x.star", "names no repository"),
        ("github://...org/x.star", "names no repository"),
        ("github://repo.-org/x.star", "names no repository"),
        ("github://repo.org:443/x.star", "names no repository"),
        *(
            (f"github://r.o/x?ref={ref}", "is not the name of a branch, tag or commit")
            for ref in (
                "a:b",
                "a..b",
                "a%5E",
                "a~1",
                "-x",
                "/a",
                "a/",
                "a%20b",
                "HEAD@{1}",
                ":/fix",
                "a.lock",
                "x" * 300,
            )
        ),
        ("https:///x.star", "is no host"),
        ("https://user:secret@example.com/x", "an https address holds no user name and no password"),
        ("https://example.com:0/x", "is no host"),
        ("https://example.com:99999/x", "is no host"),
        ("https://exa mple.com/x", "is no host"),
        ("https://[fe80::1%25eth0]/x", "is no host"),
    ],
)
def test_what_is_no_address(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"(?s).") as caught:
        resolve(CONTEXT, text, "acme")
    assert reason in str(caught.value)


def test_a_url_is_written_in_ascii_and_keeps_its_escapes() -> None:
    assert resolve(CONTEXT, "https://h.example/ä b%2fc?q=ü x&y=%20").url == (
        "https://h.example/%C3%A4%20b%2fc?q=%C3%BC%20x&y=%20"
    )


TEXTS = st.text(st.sampled_from(string.ascii_lowercase + "./%?#:@ \\ü2eF&="), max_size=40)


@given(st.sampled_from([CONTEXT, GITHUB, HTTPS]), TEXTS)
def test_relative_addresses_stay_where_they_are(base: Address, text: str) -> None:
    try:
        found = resolve(base, f"./{text}", "acme")
    except ValueError:
        return
    assert (found.scheme, found.host) == (base.scheme, base.host)
    assert found.path.startswith("/")
    assert not {"", ".", ".."} & set(found.path[1:].split("/"))
    assert check(found) == found


@given(
    st.sampled_from([CONTEXT, GITHUB, HTTPS]),
    st.sampled_from(["", "//", "///", "github://", "https://", "context:///", "builtin:///"]),
    TEXTS,
)
def test_what_resolves_keeps_the_rules(base: Address, start: str, text: str) -> None:
    try:
        found = resolve(base, start + text, "acme")
    except ValueError:
        return
    assert check(found) == found
    assert ".." not in found.path.split("/")
    assert found.url.isascii()
    if found.scheme == "github":
        assert all(found.repository)
        assert ":" not in found.query


@pytest.mark.parametrize(
    "address",
    [
        Address("context", "", "/a/../b"),
        Address("context", "", "b"),
        Address("file", "", "/b"),
        Address("https", "Example.com", "/b"),
        Address("github", "repo", "/b"),
        Address("github", "a.b", "/b", "a:b"),
        Address("github", "a.b", "/b", "\n"),
    ],
)
def test_an_address_from_a_process_is_checked(address: Address) -> None:
    with pytest.raises(ValueError, match=r"."):
        check(address)
