import pytest

from kubeci.definition.addresses import Address, resolve

CONTEXT = Address("context", "", "/lib/mod.star")
GITHUB = Address("github", "repo.org", "/a/b/mod.star", "ref=v1")


@pytest.mark.parametrize(
    ("base", "text", "expected"),
    [
        (CONTEXT, "x.star", "context:///lib/x.star"),
        (CONTEXT, "./x.star", "context:///lib/x.star"),
        (CONTEXT, "sub/x.star", "context:///lib/sub/x.star"),
        (CONTEXT, "../x.star", "context:///x.star"),
        (CONTEXT, "../../../x.star", "context:///x.star"),
        (CONTEXT, "/x.star", "context:///x.star"),
        (CONTEXT, "///x.star", "context:///x.star"),
        (CONTEXT, "context:///x.star", "context:///x.star"),
        (CONTEXT, "CONTEXT:///x.star", "context:///x.star"),
        (CONTEXT, "context:///a%20b.star", "context:///a b.star"),
        (CONTEXT, "builtin:///encoding/yaml", "builtin:///encoding/yaml"),
        (CONTEXT, "github://repo.org/x.star?ref=v2#part", "github://repo.org/x.star?ref=v2"),
        (CONTEXT, "https://example.com/x.star", "https://example.com/x.star"),
        (CONTEXT, "//repo.org/x.star", "context://repo.org/x.star"),
        (GITHUB, "x.star", "github://repo.org/a/b/x.star"),
        (GITHUB, "///x.star", "github:///x.star"),
        (GITHUB, "//other.org/x.star", "github://other.org/x.star"),
        (GITHUB, "context:///x.star", "context:///x.star"),
    ],
)
def test_resolve(base: Address, text: str, expected: str) -> None:
    assert str(resolve(base, text)) == expected


@pytest.mark.parametrize("text", ["", "/", "///", "context:", "context:///", "//host", "?ref=x"])
def test_an_address_names_a_file(text: str) -> None:
    with pytest.raises(ValueError, match="names no file"):
        resolve(CONTEXT, text)
