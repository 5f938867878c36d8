"""Loops and conditions."""

from __future__ import annotations

from contract_workflows import MATRIX, PARAMETERS, Play, dag, steps

LOOPS: dict[str, Play] = {
    "items": steps("[" + MATRIX + ", withItems: [a, 2, true, 1.5]}]]"),
    "items-maps": steps(
        "[[{name: test, template: say, arguments: {parameters: [{name: text, value: '{{item.os}}-{{item.n}}'}]}, withItems: [{os: linux, n: 1}, {n: 2, os: mac}]}]]"
    ),
    "items-escaped": steps("[" + MATRIX + r""", withItems: ["a\\nb", "c\\\\d", "<e>&", "f'g"]}]]"""),
    "items-odd": steps(
        "[" + MATRIX + ", withItems: ['a b', 'c/d', 'e(f)', 'g:h', 'ü', '', 'x.y', '{\"a\": 1}']}]]"
    ),
    "items-fail": steps(
        "[" + MATRIX.replace("say", "say-fail") + ", withItems: [a, b]}], [{name: after, template: ok}]]"
    ),
    "items-when": steps("[" + MATRIX + ", when: '{{item}} != b', withItems: [a, b]}]]"),
    "items-dag": dag(
        "{tasks: " + MATRIX + ", withItems: [a, b]}, {name: after, template: ok, depends: test}]}"
    ),
    "items-dag-when": dag(
        "{tasks: "
        + MATRIX
        + ", when: '{{item}} == b', withItems: [a, b]}, {name: after, template: ok, depends: test}]}"
    ),
    "items-none": steps("[" + MATRIX + ", withParam: '[]'}], [{name: after, template: ok}]]"),
    "items-none-dag": dag(
        "{tasks: " + MATRIX + ", withParam: '[]'}, {name: after, template: ok, depends: test}]}"
    ),
    "items-dag-all-skipped": dag(
        "{tasks: "
        + MATRIX
        + ", when: '{{item}} == z', withItems: [a, b]}, {name: after, template: ok, depends: test}]}"
    ),
    "param": steps("[" + MATRIX + ', withParam: \'["a", 2, {"x": 1}, [1], null]\'}]]'),
    "param-broken": steps("[" + MATRIX + ", withParam: 'no list'}]]"),
    "param-broken-dag": dag("{tasks: " + MATRIX + ", withParam: '{\"a\": 1}'}]}"),
    "sequence": steps(
        "["
        + MATRIX
        + ", withSequence: {count: '3'}}], "
        + MATRIX
        + ", withSequence: {start: '5', end: '3', format: 'n%02d'}}]]".replace("test", "more")
    ),
    "sequence-none": steps("[" + MATRIX + ", withSequence: {count: '0'}}], [{name: after, template: ok}]]"),
    "when": steps(
        "[[{name: a, template: ok, when: '{{workflow.parameters.branch}} == main'}, {name: b, template: ok, when: '{{workflow.parameters.count}} > 2'}], [{name: c, template: ok}]]",
        arguments=PARAMETERS,
    ),
    "when-all-false": steps("[[{name: a, template: ok, when: '1 == 2'}]]"),
    "when-broken": steps("[[{name: a, template: ok, when: 'a b =='}]]"),
    "when-broken-dag": dag("{tasks: [{name: a, template: ok, when: '== 1'}]}"),
    "when-status": steps(
        "[[{name: a, template: fail, continueOn: {failed: true}}], [{name: b, template: ok, when: '{{steps.a.status}} == Failed'}, {name: c, template: ok, when: '{{steps.a.exitCode}} == 0'}]]"
    ),
    "inputs": Play(
        """
- {name: main, inputs: {parameters: [{name: who, value: '{{workflow.parameters.branch}}'}]}, steps: [[{name: a, template: say, arguments: {parameters: [{name: text, value: 'hi {{inputs.parameters.who}} {{workflow.name}}'}]}}, {name: b, template: default}]]}
- {name: default, inputs: {parameters: [{name: text, default: d}]}, container: {image: busybox, command: [sh, -c, exit 0]}}
""",
        {"arguments": PARAMETERS},
    ),
}
