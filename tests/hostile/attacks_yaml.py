"""YAML that is after the server's memory, its time, or another meaning than its reader sees."""

from __future__ import annotations

from attack import HEAD, SPEC, Attack, Verdict, lines, nested, yml, yml_kept

LAUGHS = "a0: &a0 [lol, lol]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12)
)


def _annotated(text: str) -> str:
    return SPEC.replace("spec:", f"metadata: {{annotations: {{x: {text}}}}}\nspec:", 1)


BOMBS = (
    yml("a billion laughs", LAUGHS, "more than 200,000 values", line=6),
    yml("a billion merges", MERGES, "more than 200,000 values"),
    yml("laughs behind a workflow", SPEC + LAUGHS, "more than 200,000 values"),
    yml("an alias of itself", "a: &a [*a]\n", "contains itself", line=1),
    yml("a merge of itself", "a: &a\n  <<: *a\n", "contains itself", line=2),
    yml("flow in depth", nested(400_000, "[", "]"), "nested deeper than 100", line=1),
    yml("maps in depth", nested(200_000, "{a: ", "}"), "nested deeper than 100", line=1),
    yml("blocks in depth", "- " * 100_000 + "x\n", "nested deeper than 100", line=1),
    yml("keys in depth", "? " * 100_000 + "x\n", "nested deeper than 100", line=1),
    yml("indentation in depth", "".join(" " * n + "a:\n" for n in range(1_000)), "nested deeper than 100"),
    yml("JSON of maps in depth", '{"a":' * 100_000 + "1" + "}" * 100_000, "nested deeper than 100", line=1),
    yml("a file over the limit", "# " + "x" * 1_000_000, "has more than 1,000,000 bytes"),
    yml("a scalar of 900 KB", "x" * 900_000, "holds a single value"),
    yml("a key of 900 KB", "x" * 900_000 + ": 1\n", "is no YAML"),
    yml("a key in a hundred thousand parts", "".join(lines("k{n}: 1\n", 90_000)), "`apiVersion` is missing"),
    yml("half a million values", "[" + "1," * 450_000 + "]", "more than 200,000 values"),
    yml("a hundred thousand documents", "---\n" * 200_000, "holds nothing"),
    yml("two documents", SPEC + "---\n" + SPEC, "a second document"),
    yml("a hundred thousand anchors", "".join(lines("- &a{n} x\n", 70_000)), "holds a list"),
    yml("a hundred thousand directives", "%FOO bar\n" * 90_000 + "---\n" + SPEC, "unknown directive"),
    yml("quotes without end", 'a: "' + "\\\n" * 400_000, "is no YAML"),
    yml("flow without end", "a: [" + "x, " * 190_000, "is no YAML"),
    yml("a literal of blank lines", "a: |\n" + "\n" * 900_000, "`apiVersion` is missing"),
)

TRICKS = (
    yml("an object of Python", "!!python/object/apply:os.system ['id']\n", "is not supported", line=1),
    yml("a name of Python", "a: !!python/name:os.system ''\n", "is not supported", line=1),
    yml("a tag of one's own", "a: !evil x\n", "is not supported", line=1),
    yml("a tag by a directive", "%TAG !e! tag:yaml.org,2002:python/\n---\na: !e!object/new:os.system [id]\n", "is not supported", line=3),
    yml("binary", "a: !!binary aGk=\n", "is not supported", line=1),
    yml("a set", "a: !!set {b}\n", "is not supported", line=1),
    yml("an integer that is none", "a: !!int x\n", "is no `!!int`", line=1),
    yml("a key that is a list", "? [a]\n: b\n", "a key must be a string", line=1),
    yml("a key twice", HEAD + "kind: Workflow\n", "given twice", line=3),
    yml("a key twice by its types", HEAD + "1: a\n'1': b\n", "given twice", line=4),
    yml("infinity", HEAD + "x: .inf\n", "JSON cannot hold", line=3),
    yml("not a number", HEAD + "x: .nan\n", "JSON cannot hold", line=3),
    yml("a NUL", HEAD + "x: \x00\n", "is no YAML"),
    yml("a control character", HEAD + "x: \x1b[2J\n", "is no YAML"),
    yml("a tab for an indent", "a:\n\tb: c\n", "is no YAML"),
    yml("half a surrogate pair", HEAD + "x: '\ud800'\n", "not all Unicode"),
    yml("an escape of half a surrogate pair", HEAD + 'x: "\\ud800"\n', "invalid Unicode"),
    yml("another kind", SPEC.replace("kind: Workflow", "kind: ClusterWorkflowTemplate"), "can be run", line=2),
    yml("a list of workflows", "[{kind: Workflow}, {kind: List}]\n", "holds a list"),
    yml("digits beyond any number", HEAD + f"spec: {'9' * 399}\n", "must be a mapping"),
    yml_kept("a date stays text", _annotated("2001-12-14"), proof=lambda m: m["metadata"]["annotations"]["x"] == "2001-12-14"),
    yml_kept("base 60 stays text", _annotated("12:30:45"), proof=lambda m: m["metadata"]["annotations"]["x"] == "12:30:45"),
    yml_kept("right to left in a value", _annotated("'\u202e'")),
    yml_kept("a byte order mark", "\ufeff" + SPEC),
    yml_kept("the end of a document twice", SPEC + "...\n...\n"),
)  # fmt: skip

NAMES = (
    Attack(
        "names that differ by case",
        {"ci.yaml": SPEC, "CI.YAML": "kind: Evil", "Ci.star": "fail('x')"},
        Verdict.EVALUATED,
    ),
    Attack("a name of a hidden definition", {"ci.star ": "fail('x')", "ci.yaml": SPEC}, Verdict.EVALUATED),
    Attack(
        "a definition in another normal form",
        {"ci.\uff53tar": "fail('x')", "ci.yaml": SPEC},
        Verdict.EVALUATED,
    ),
)
