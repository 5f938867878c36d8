from typing import Any

import pytest

from kubeci.definition.yaml_reader import read_yaml
from kubeci.errors import DefinitionError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing\n", None),
        ("---\na: 1\n---\n", {"a": 1}),
        ("---\na: 1\n...\n", {"a": 1}),
        ("---\n---\na: 1\n", {"a": 1}),
        ("\ufeffa: 1\n", {"a": 1}),
        ("a: 'yes'\nb: \"12\"\nc: |\n  1\n", {"a": "yes", "b": "12", "c": "1\n"}),
        (
            "a: !!str 12\nb: !!int '7'\nc: !!float 3\nd: !!bool yes\ne: !!null ''\nf: ! 5\n",
            {"a": "12", "b": 7, "c": 3, "d": True, "e": None, "f": "5"},
        ),
        ("a: !!map {x: !!seq [1]}\n", {"a": {"x": [1]}}),
        ("1: a\ntrue: b\n1.5: c\n0x10: d\n", {"1": "a", "true": "b", "1.5": "c", "16": "d"}),
        ("a: &x [1, 2]\nb: *x\n", {"a": [1, 2], "b": [1, 2]}),
        ("a: &x 1\nb: &x 2\nc: *x\n", {"a": 1, "b": 2, "c": 2}),
        ("d: &d {a: 1, b: 2}\ne: {<<: *d, b: 3}\n", {"d": {"a": 1, "b": 2}, "e": {"a": 1, "b": 3}}),
        ("d: &d {a: 1}\ne: {a: 3, <<: *d}\n", {"d": {"a": 1}, "e": {"a": 1}}),
        ("e: {<<: [{a: 1}, {a: 2, b: 2}], c: 3}\n", {"e": {"a": 1, "b": 2, "c": 3}}),
        ("'<<': 1\n", {"<<": 1}),
        ('{"json": [true, null, 1.50]}', {"json": [True, None, 1.5]}),
    ],
)
def test_read(text: str, value: Any) -> None:
    assert read_yaml(text, "ci.yaml")[0] == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b: c", "ci.yaml:1:5: is no YAML: mapping values are not allowed in this context"),
        (
            "a: [1\nb: 2",
            "ci.yaml:2:2: is no YAML: while parsing a flow sequence did not find expected ',' or ']'",
        ),
        (
            "a: 1\n\tb: 2",
            "ci.yaml:2:1: is no YAML: while scanning a plain scalar found a tab character that violates indentation",
        ),
        ("a: 1\nb: \x01", "ci.yaml:2:4: is no YAML: control characters are not allowed"),
        ("a: 1\n---\nb: 2\n", "ci.yaml:2:1: a second document begins here; a definition is one document"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "ci.yaml:4:3: the key `c` is given twice, first in line 3, column 3"),
        ("true: 1\ny: 2\n", "ci.yaml:2:1: the key `true` is given twice, first in line 1, column 1"),
        ("a: *x\n", "ci.yaml:1:4: the anchor `x` is not defined above"),
        ("a: &x 1\n---\nb: *x\n", "ci.yaml:3:4: the anchor `x` is not defined above"),
        ("a: &x [*x]\n", "ci.yaml:1:8: the anchor `x` contains itself"),
        ("a: !!python/name:os.system x\n", "ci.yaml:1:4: the tag `!!python/name:os.system` is not supported"),
        ("a: !!binary aGk=\n", "ci.yaml:1:4: the tag `!!binary` is not supported"),
        ("a: !secret x\n", "ci.yaml:1:4: the tag `!secret` is not supported"),
        ("a: !!set {x}\n", "ci.yaml:1:4: the tag `!!set` is not supported"),
        ("a: !!int x\n", "ci.yaml:1:4: `x` is no `!!int`"),
        ("a: .inf\n", "ci.yaml:1:4: .inf is a number that JSON cannot hold"),
        ("? [a]\n: 1\n", "ci.yaml:1:3: a key must be a string, a number or a boolean"),
        ("~: 1\n", "ci.yaml:1:1: a key must be a string, a number or a boolean"),
        ("a: {<<: 1}\n", "ci.yaml:1:9: `<<` takes a map or a list of maps"),
        ("a: {<<: [1]}\n", "ci.yaml:1:9: `<<` takes a map or a list of maps"),
        ("a: " + "[" * 101 + "]" * 101, "ci.yaml:1:104: is nested deeper than 100"),
        ("[" * 500_000, "ci.yaml:1:102: is nested deeper than 100"),
    ],
)
def test_faults_have_a_place(text: str, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        read_yaml(text, "ci.yaml")
    assert str(caught.value) == message


def test_an_anchor_bomb_is_refused_where_it_grows_too_large() -> None:
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [
        f"{name}: &{name} [{', '.join([f'*{last}'] * 10)}]"
        for last, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    with pytest.raises(DefinitionError, match="holds more than 200,000 values, aliases expanded") as caught:
        read_yaml("\n".join(lines), "ci.yaml")
    assert caught.value.where is not None
    assert caught.value.where.line == 6


def test_a_bomb_of_merges_is_refused() -> None:
    lines = ["a: &a {k: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}"]
    lines += [
        f"{name}: &{name} {{x: *{last}, y: *{last}, z: {{<<: *{last}}}}}"
        for last, name in zip("abcdefghijklmn", "bcdefghijklmno", strict=True)
    ]
    with pytest.raises(DefinitionError, match="aliases expanded"):
        read_yaml("\n".join(lines), "ci.yaml")


def test_positions() -> None:
    text = "a: 1\nb/c~:\n  - x\n  - {k: v}\nd: &d {e: 2}\nf: *d\ng:\n  <<: *d\n"
    assert read_yaml(text, "ci.yaml")[1] == {
        "": (1, 1),
        "/a": (1, 1),
        "/b~1c~0": (2, 1),
        "/b~1c~0/0": (3, 5),
        "/b~1c~0/1": (4, 5),
        "/b~1c~0/1/k": (4, 6),
        "/d": (5, 1),
        "/d/e": (5, 8),
        "/f": (6, 1),
        "/f/e": (5, 8),
        "/g": (7, 1),
        "/g/e": (5, 8),
    }
