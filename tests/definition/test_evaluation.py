from typing import Any

import pytest

from kubeci.definition.evaluation import evaluate
from kubeci.definition.protocol import Outcome, Request

HEAD = 'workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": %s}\n'
INPUTS = {
    "ref": "main",
    "ref_type": "branch",
    "sha": "0" * 40,
    "repo": {"name": "app", "id": 12345678901, "homepage": None, "owner": {"login": "org", "email": None}},
    "event": None,
}


def run(files: dict[str, str] | str, **more: Any) -> Outcome:
    context = {"ci.star": files} if isinstance(files, str) else files
    return evaluate(Request("ci.star", context, starlark=True, inputs=INPUTS, **more))


def spec(files: dict[str, str] | str) -> Any:
    outcome = run(files)
    assert outcome.fault is None, outcome.fault
    assert outcome.manifest is not None
    return outcome.manifest["spec"]


def fault(files: dict[str, str] | str, **more: Any) -> str:
    found = run(files, **more).fault
    assert found is not None
    return f"{found.file}:{found.line}:{found.column}: {found.message}"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("[input.ref, input.ref_type, input.sha]", ["main", "branch", "0" * 40]),
        ("input.repo", {"name": "app", "id": 12345678901, "owner": {"login": "org"}}),
        ('input.repo["owner"]["login"]', "org"),
        ('[hasattr(input, "event"), type(input), "homepage" in input.repo]', [False, "struct", False]),
        ("[1, 1.5, True, None, 'x', (1, 2)]", [1, 1.5, True, None, "x", [1, 2]]),
        ("[2.0, 1e3, -9223372036854775808, 18446744073709551615]", [2, 1000, -(1 << 63), (1 << 64) - 1]),
        ('{"b": 1, "a": 2}', {"b": 1, "a": 2}),
        ("[x for x in range(3)] + sorted([2, 1], reverse = True)", [0, 1, 2, 2, 1]),
        ('"%s-%d" % ("a", 1) + "{}".format(2)', "a-12"),
        ("(lambda *, a = 1: a)(a = 5)", 5),
        ("loadFile('d.txt')", "data"),
        ("loadFile('context:///d.txt')", "data"),
        ("loadFile('/d.txt')", "data"),
        ("loadFile('///d.txt')", "data"),
        ("loadFile(fn = 'none', error_on_notfound = False)", None),
    ],
)
def test_values(expression: str, value: Any) -> None:
    found = spec({"ci.star": HEAD % expression, "d.txt": "data"})
    assert found == value
    assert repr(found) == repr(value), "order and number types are kept"


def test_tabs_bom_and_crlf() -> None:
    assert spec("\ufeffdef f(x):\r\n\tif x:\r\n\t\treturn 'a\tb'\r\n" + HEAD % "f(1)") == "a\tb"


def test_modules_stand_relative_to_the_loader_and_see_input_and_load_file() -> None:
    files = {
        "ci.star": 'load("lib/a.star", "x", f = "g")\nload("context:///lib/a.star", again = "x")\nprint("main", [1])\n'
        + HEAD % "[x, f(), again]",
        "lib/a.star": 'load("b.star", "y")\nload("/top.star", "z")\nload("///lib/sub/c.star", "w")\nx = [input.ref, y, z, w]\nprint("in a")\ndef g():\n\treturn loadFile("d.txt")\n',
        "lib/b.star": 'print("once")\ny = "b"\n',
        "lib/sub/c.star": 'load("../b.star", "y")\nw = y + "c"\n',
        "lib/d.txt": "beside a",
        "top.star": "z = 'top'\n",
    }
    outcome = run(files)
    assert outcome.manifest is not None
    assert outcome.manifest["spec"] == [["main", "b", "top", "bc"], "beside a", ["main", "b", "top", "bc"]]
    assert outcome.prints == ("lib/b.star:1: once", "lib/a.star:5: in a", "ci.star:3: main [1]")


def test_prints_are_bounded_and_kept_beside_a_fault() -> None:
    outcome = run('def f():\n  for i in range(1000):\n    print("x" * 5000)\nf()\nfail("end")\n')
    assert len(outcome.prints) == 201
    assert len(outcome.prints[0]) < 1100
    assert outcome.prints[-1] == "(only the first 200 lines are kept)"
    assert outcome.fault is not None


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ("x = 1\n", "ci.star:0:0: leaves no global `workflow`"),
        ("def workflow2(): pass\n", "ci.star:0:0: leaves no global `workflow`"),
        ("\nworkflow = [1]\n", "ci.star:2:0: holds a list; it must hold one Workflow"),
        ("workflow = 'x'\n", "ci.star:1:0: holds a single value; it must hold one Workflow"),
        ("workflow = {}\n", "ci.star:1:0: `apiVersion` is missing"),
        (
            'workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "CronWorkflow"}',
            "ci.star:1:0: `kind` is `CronWorkflow`; only `Workflow` can be run",
        ),
        (
            HEAD % '{"a": [0, {"b-c": len}]}',
            "ci.star:1:0: workflow.spec.a[1]['b-c'] is a function; a workflow is made of dicts, lists, tuples, strings, numbers, booleans and None",
        ),
        (
            HEAD % "input",
            "ci.star:1:0: workflow.spec is a struct; a workflow is made of dicts, lists, tuples, strings, numbers, booleans and None",
        ),
        (
            HEAD % "range(3)",
            "ci.star:1:0: workflow.spec is a range; a workflow is made of dicts, lists, tuples, strings, numbers, booleans and None",
        ),
        (HEAD % "[1e308 * 10]", "ci.star:1:0: workflow.spec[0] is +inf, which JSON cannot hold"),
        (HEAD % "[1e308 * 10 - 1e308 * 10]", "ci.star:1:0: workflow.spec[0] is nan, which JSON cannot hold"),
        (HEAD % "{1: 2}", "ci.star:1:0: workflow.spec has the key 1; keys must be strings"),
        (HEAD % "1 << 64", "ci.star:1:0: workflow.spec is an integer of more than 64 bits"),
        (
            HEAD % "'a' * 2000000",
            "ci.star:0:0: the workflow has 2,000,065 bytes as JSON; a cluster takes 1,048,576",
        ),
        ("x = 1 +\n", "ci.star:1:8: unexpected new line here"),
        ("for x in [1]:\n  pass\n", "ci.star:1:1: `for` cannot be used outside `def` in this dialect"),
        ("if True:\n  pass\n", "ci.star:1:1: `if` cannot be used outside `def` in this dialect"),
        ("while True:\n  pass\n", "ci.star:1:1: cannot use reserved keyword `while`"),
        ("def f():\n\treturn\tnope\n", "ci.star:2:9: Variable `nope` not found, did you mean `None`?"),
        ("x = 'a\n", "ci.star:1:5: unfinished string literal"),
        ("fail('one\\ntwo')\n", "ci.star:1:1: fail: one\ntwo\ncalled from ci.star:1, in <module>"),
        (
            "def f(x):\n  return 1 // x\ndef g():\n  return f(0)\ng()\n",
            "ci.star:2:10: Floor division by zero: 1 // 0\ncalled from ci.star:4, in g\ncalled from ci.star:5, in <module>",
        ),
        (
            "def f(x):\n  return f(x)\nf(1)\n",
            "ci.star:2:10: function called recursively; Starlark has no recursion\ncalled from ci.star:2, in f\ncalled from ci.star:3, in <module>",
        ),
        ("input.ref = 1\n", "ci.star:1:1: Operation `.ref=` not supported on type `struct`"),
        ("struct()\n", "ci.star:1:1: Variable `struct` not found"),
        (
            "x = loadFile('a/b')\n",
            "ci.star:1:5: loadFile: `a/b` is not there (context:///a/b)\ncalled from ci.star:1, in <module>",
        ),
        (
            "x = loadFile(1)\n",
            "ci.star:1:5: loadFile: the name must be a string\ncalled from ci.star:1, in <module>",
        ),
        (
            "x = loadFile('builtin:///re')\n",
            "ci.star:1:5: builtin:///re: a builtin module is loaded, it has no file\ncalled from ci.star:1, in <module>",
        ),
        ("load('none.star', 'x')\n", "ci.star:1:1: `none.star` is not there (context:///none.star)"),
        ("load('', 'x')\n", "ci.star:1:1: `` names no file"),
        (
            "load('//host/x.star', 'x')\n",
            "ci.star:1:1: a context address has three slashes: context:///name.star",
        ),
        (
            "load('github://a.b/x.star', 'x')\n",
            "ci.star:1:1: github:// addresses cannot be read here",
        ),
        (
            "load('https://example.com/x.star', 'x')\n",
            "ci.star:1:1: https:// addresses cannot be read here",
        ),
        (
            "load('file:///etc/passwd', 'x')\n",
            "ci.star:1:1: there are no file:// addresses; there are builtin://, context://, github://, https://",
        ),
        (
            "load('builtin:///nope', 'x')\n",
            "ci.star:1:1: there is no builtin module `/nope`; there are /encoding/json, /encoding/yaml, /math, /re, /time",
        ),
        ("def f():\n  load('a.star', 'x')\n", "ci.star:2:3: `load` must only occur at the top of a module"),
        (
            {"ci.star": "load('a.star', '_x')\n", "a.star": "_x = 1\n"},
            "ci.star:1:16: Cannot import private symbol `_x`",
        ),
        (
            {"ci.star": "load('a.star', 'y')\n", "a.star": "x = 1\n"},
            "ci.star:1:16: Module has no symbol `y`, did you mean `x`?",
        ),
        (
            {"ci.star": "load('a.star', 'workflow')\n", "a.star": HEAD % 1},
            "ci.star:0:0: leaves no global `workflow`",
        ),
        (
            {"ci.star": "\nload('a.star', 'x')\n", "a.star": "\n\nx = y\n"},
            "a.star:3:5: Variable `y` not found, did you mean `x`?\nloaded from ci.star",
        ),
        (
            {"ci.star": "load('a.star', 'x')\n", "a.star": "x = (\n"},
            "a.star:1:5: `(` is never closed\nloaded from ci.star",
        ),
        ("load('ci.star', 'x')\n", "ci.star:1:1: load cycle: ci.star -> ci.star"),
        (
            {
                "ci.star": "load('a.star', 'x')\n",
                "a.star": "load('b.star', 'x')\n",
                "b.star": "load('a.star', 'x')\n",
            },
            "b.star:1:1: load cycle: a.star -> b.star -> a.star\nloaded from a.star\nloaded from ci.star",
        ),
    ],
)
def test_faults_say_where_and_what(files: dict[str, str] | str, expected: str) -> None:
    found = fault(files)
    assert found == expected


def test_a_file_that_was_kept_out_says_why() -> None:
    files = "load('big.star', 'x')\n"
    assert fault(files, kept_out=("big.star: is binary",)) == "ci.star:1:1: `big.star` is binary"


def test_mutual_recursion_through_modules_is_refused() -> None:
    files = {
        "ci.star": "load('a.star', 'call')\ndef f(n):\n  return call(f, n)\nx = f(3)\n",
        "a.star": "def call(f, n):\n  return f(n)\n",
    }
    assert "function called recursively" in fault(files)


def test_deep_chains_of_functions_are_no_recursion() -> None:
    chain = "".join(f"def f{n}(x):\n  return [f{n - 1}(y) for y in [x]][0]\n" for n in range(1, 150))
    files = {
        "ci.star": "load('a.star', 'f149')\n" + HEAD % "f149(7)",
        "a.star": "def f0(x):\n  return x\n" + chain,
    }
    assert spec(files) == 7


def test_none_leaves_it_to_the_other_file() -> None:
    assert run("workflow = None\n") == Outcome()


def test_yaml() -> None:
    text = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec:\n  at: 12:30\n"
    outcome = evaluate(Request("ci.yaml", {"ci.yaml": text}, starlark=False))
    assert outcome.manifest == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "spec": {"at": "12:30"},
    }
    assert outcome.positions["/spec/at"] == (4, 3)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", (0, 0), "holds nothing; it must hold one Workflow"),
        ("- 1\n", (1, 1), "holds a list; it must hold one Workflow"),
        ("\nkind: Workflow\n", (2, 1), "`apiVersion` is missing"),
        ("apiVersion: argoproj.io/v1alpha1\n", (1, 1), "`kind` is missing"),
        (
            "kind: Pod\napiVersion: v1\n",
            (2, 1),
            "`apiVersion` is `v1`; only `argoproj.io/v1alpha1` can be run",
        ),
        (
            "apiVersion: argoproj.io/v1alpha1\nkind: Pod\n",
            (2, 1),
            "`kind` is `Pod`; only `Workflow` can be run",
        ),
    ],
)
def test_yaml_that_is_no_workflow(text: str, place: tuple[int, int], message: str) -> None:
    found = evaluate(Request("ci.yaml", {"ci.yaml": text}, starlark=False)).fault
    assert found is not None
    assert ((found.line, found.column), found.message) == (place, message)
