from typing import Any

import pytest

from kubeci.definition.evaluation import evaluate
from kubeci.definition.protocol import Outcome, Request

LOADS = (
    'load("builtin:///encoding/yaml", "yaml")\n'
    'load("builtin:///encoding/json", "encode", "decode", "indent")\n'
    'workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": %s}\n'
)


def run(expression: str) -> Outcome:
    return evaluate(Request("ci.star", {"ci.star": LOADS % expression}, starlark=True))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (r'yaml.loads("b: 12:30\na: [yes, 1e3]")', {"b": "12:30", "a": [True, 1000]}),
        (r'list(yaml.loads("b: 1\na: 2").keys())', ["b", "a"]),
        ('yaml.loads("")', None),
        ('yaml.loads(source = "1")', 1),
        (r'yaml.dumps({"b": [1, None, True], "a": "x"})', "a: x\nb:\n- 1\n- null\n- true\n"),
        (
            'yaml.loads(yaml.dumps({"a": ["yes", "12:30", "1e3", "~", "", "2023-01-01", "0o7"]}))',
            {"a": ["yes", "12:30", "1e3", "~", "", "2023-01-01", "0o7"]},
        ),
        (r'yaml.dumps({"a": "one\ntwo\n"})', "a: |\n  one\n  two\n"),
        (
            'encode({"b": 1, "a": [1.5, None, True, "ü\\n\\""], "c": ()})',
            '{"a":[1.5,null,true,"ü\\n\\""],"b":1,"c":[]}',
        ),
        ("encode(x = 123456789012345678901)", "123456789012345678901"),
        ("encode(input)", "{}"),
        (
            '[str(decode("123456789012345678901")), decode("{\\"b\\":1,\\"a\\":2}").keys()]',
            ["123456789012345678901", ["b", "a"]],
        ),
        ('decode(x = "[1.0, 1, null, true]")', [1, 1, None, True]),
        ('[type(n) for n in decode("[1.0, 1]")]', ["float", "int"]),
        (
            'indent("{\\"a\\":[1,2.50],\\"b\\":{},\\"c\\":[]}")',
            '{\n\t"a": [\n\t\t1,\n\t\t2.50\n\t],\n\t"b": {},\n\t"c": []\n}',
        ),
        (
            'indent("[1,{\\"x\\": \\"a, b: {\\"}]", prefix = ">", indent = "  ")',
            '[\n>  1,\n>  {\n>    "x": "a, b: {"\n>  }\n>]',
        ),
    ],
)
def test_results(expression: str, value: Any) -> None:
    outcome = run(expression)
    assert outcome.fault is None, outcome.fault
    assert outcome.manifest is not None
    found = outcome.manifest["spec"]
    assert found == value


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (
            'yaml.loads("a: b: c")',
            "yaml.loads:1:5: is no YAML: mapping values are not allowed in this context",
        ),
        ("yaml.loads(1)", "yaml.loads: the source must be a string"),
        ("yaml.dumps(len)", "a function is no JSON value and cannot be passed"),
        (
            'decode("{")',
            "json.decode: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        ('decode("[NaN]")', "json.decode: NaN is no JSON"),
        ('decode("[" * 100000)', "json.decode: nested too deeply"),
        ("decode(1)", "json.decode: the source must be a string"),
        (
            'indent("{")',
            "json.decode: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        (
            'indent("{}", "x")',
            "Found 1 extra positional argument(s) for call to builtin:///encoding/json.indent",
        ),
        ("encode(len)", "a function is no JSON value and cannot be passed"),
    ],
)
def test_faults_stand_at_the_authors_call(expression: str, message: str) -> None:
    found = run(expression).fault
    assert found is not None
    assert found.message.splitlines()[0] == message
    assert (found.file, found.line) == ("ci.star", 3)
