"""What is fuzzed of a definition: its files, its modules' addresses, its workflow and what becomes of that."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fuzz_inputs import MANIFEST, changed, json_objects, odd_text, unicode_text
from fuzz_target import HIDDEN, Target
from hypothesis import strategies as st

from kubeci.definition.addresses import MAX_ADDRESS, Address, check, context_address, resolve
from kubeci.definition.definition import Definition
from kubeci.definition.starlark_errors import read_error
from kubeci.definition.starlark_source import prepare as prepare_source
from kubeci.definition.yaml_reader import read_yaml
from kubeci.fetch.addresses import is_public
from kubeci.model.build import Build
from kubeci.model.context import Entry, EntryKind, assemble
from kubeci.model.repository import Commit, Ref, Repository
from kubeci.policy.asks import Own, refusals
from kubeci.policy.asks_told import problems_of
from kubeci.report.errors import annotation_of, definition_failed
from kubeci.service.examine import examine
from kubeci.service.plan import plan_of
from kubeci.settings.asks import RESTRICTED
from kubeci.settings.config import Config
from kubeci.workflow.cache import plan_cache
from kubeci.workflow.canonical import canonical
from kubeci.workflow.decorate import Surroundings, decorate
from kubeci.workflow.references import Run
from kubeci.workflow.status import nodes_with_logs, read_state

_HERE = Repository("acme", "widgets", 1)
_BUILD = Build(
    "b" * 40,
    Commit(_HERE, "a" * 40),
    Ref("main"),
    "",
    "Workflow - ci",
    "argo",
    "widgets.main.x1",
    datetime(2026, 1, 1, tzinfo=UTC),
)


def _yaml(text: str) -> None:
    read_yaml(text, "ci.yaml")


def _source(text: str) -> None:
    prepare_source(text, "ci.star")


def _star_error(text: str) -> None:
    error = read_error(text, "ci.star", lambda _file, _line, column: column)
    check_run = definition_failed(error, prefix="")
    annotation = annotation_of(error)
    for told in (check_run.summary, annotation.message if annotation else ""):
        assert not HIDDEN.search(told), ascii(told)


_BASES = (
    context_address("a/ci.star"),
    Address("github", "widgets.acme", "/ci/a.star", "v1"),
    Address("https", "example.org", "/dir/a.star", "x=1"),
)


def _address(value: tuple[int, str]) -> None:
    base, text = value
    try:
        found = resolve(_BASES[base], text, "acme")
    except ValueError:
        return
    assert check(found) == found
    assert found.path.startswith("/")
    assert not {"", ".", ".."} & set(found.path[1:].split("/"))
    assert found.path.isprintable()
    if found.scheme == "https":
        assert found.url.isascii()
        assert "@" not in found.host
        assert not set(found.url) & set(" \r\n\t\\")
        assert len(found.url) > MAX_ADDRESS or resolve(_BASES[0], found.url).url == found.url


def _public(text: str) -> None:
    assert not (is_public(text) and text.startswith(("127.", "10.", "169.254.", "0.", "::")))


def _context(value: list[tuple[str, str, str]]) -> None:
    entries = [Entry(path, EntryKind(kind), text, len(text)) for path, kind, text in value]
    source = assemble(entries)
    for path in source.files or ():
        assert not path.startswith("/")
        assert not {"", ".", ".."} & set(path.split("/"))


def _manifest(document: dict[str, Any]) -> None:
    manifest = canonical(document)
    config = Config()
    plan_of(manifest, None, _BUILD, "main", config)
    plan_cache(manifest, _BUILD, config)
    refused = refusals(manifest, RESTRICTED, Own("argo"))
    problems_of(refused, {}, "ci.yaml", untrusted=True)
    examine(
        Definition(document, "ci.yaml"), "ci.yaml", Run(frozenset(), "", "environment", None), strict=False
    )
    decorate(manifest, _BUILD, Surroundings({}), config)


def _state(document: dict[str, Any]) -> None:
    nodes_with_logs(read_state(document))


_paths = st.lists(st.sampled_from(["a", "b", "..", ".", "", "/", "ci.star", "\x00", "é"]), max_size=5).map(
    "/".join
)
_addresses = st.lists(
    st.sampled_from(
        [
            "https:", "http:", "github:", "context:", "builtin:", "file:", "//", "/", "..", ".", "@", ":", "?ref=", "#",
            "%2e", "%00", "%0a", "\\", "example.org", "127.0.0.1", "[::1]", "widgets.acme", ":443", ":22", "main", "a.star",
            "\u3002", "ß", "xn--a",
        ]
    ),
    max_size=9,
).map("".join)  # fmt: skip
DEFINITIONS: tuple[Target, ...] = (
    Target("YAML", unicode_text | st.text(":-[]{}&*!|>'\"# \nab", max_size=80), _yaml),
    Target("Starlark's source", odd_text | st.text("()[]{}'\"\\#\t\n ab", max_size=200), _source),
    Target(
        "Starlark's errors", odd_text.map(lambda text: f"error: {text}\n --> ci.star:1:2\n  |"), _star_error
    ),
    Target("addresses of modules", st.tuples(st.integers(0, 2), odd_text | _addresses), _address),
    Target("addresses of the internet", odd_text | st.ip_addresses().map(str), _public),
    Target(
        "CI folders",
        st.lists(
            st.tuples(_paths | unicode_text, st.sampled_from([kind.value for kind in EntryKind]), _paths),
            max_size=8,
        ),
        _context,
    ),
    Target("workflows", changed(MANIFEST) | json_objects, _manifest),
    Target("states of workflows", changed(MANIFEST) | json_objects, _state),
)
