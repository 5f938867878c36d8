"""Steps, DAGs and what stands within each other."""

from __future__ import annotations

from contract_workflows import CHAIN, MATRIX, PARAMETERS, PAUSE, SLOW, Play, dag, steps

CALLS: dict[str, Play] = {
    "container": Play("", {"entrypoint": "ok"}),
    "container-fails": Play("", {"entrypoint": "fail"}),
    "script": Play("- {name: main, script: {image: busybox, command: [sh], source: 'exit 0'}}"),
    "retried": Play("", {"entrypoint": "flaky"}),
    "steps": steps(
        "[[{name: a, template: ok}], [{name: b, template: ok}, {name: c, template: ok}], [{name: d, template: ok}]]"
    ),
    "steps-fail": steps("[[{name: a, template: ok}, {name: b, template: fail}], [{name: c, template: ok}]]"),
    "steps-two-fail": steps("[[{name: a, template: fail}, {name: b, template: fail}]]"),
    "steps-continue": steps(
        "[[{name: a, template: fail, continueOn: {failed: true}}], [{name: b, template: ok}]]"
    ),
    "steps-continue-last": steps("[[{name: a, template: fail, continueOn: {failed: true}}]]"),
    "steps-retried": steps(
        "[[{name: a, template: flaky, continueOn: {failed: true}}], [{name: b, template: ok}]]"
    ),
    "nested": Play("""
- {name: main, steps: [[{name: outer, template: inner}], [{name: after, template: ok}]]}
- {name: inner, dag: {tasks: [{name: a, template: group}, {name: b, template: ok, depends: a}]}}
- {name: group, steps: [[{name: x, template: ok}, {name: y, template: ok}], [{name: z, template: ok}]]}
"""),
    "nested-fails": Play("""
- {name: main, steps: [[{name: outer, template: inner}], [{name: after, template: ok}]]}
- {name: inner, dag: {tasks: [{name: a, template: group}, {name: b, template: ok, depends: a}]}}
- {name: group, steps: [[{name: x, template: ok}, {name: y, template: fail}], [{name: z, template: ok}]]}
"""),
    "dag": dag(
        "{tasks: [{name: a, template: ok}, {name: b, template: ok, depends: a}, {name: c, template: ok, depends: a}, {name: d, template: ok, depends: 'b && c'}]}"
    ),
    "dag-dependencies": dag("{tasks: [{name: a, template: ok}, {name: b, template: ok, dependencies: [a]}]}"),
    "dag-fails": dag(
        "{tasks: [{name: a, template: ok}, {name: b, template: fail, depends: a}, {name: c, template: ok, depends: a}, {name: d, template: ok, depends: 'b && c'}]}"
    ),
    "dag-fail-fast": dag(
        "{tasks: [{name: a, template: fail}, {name: b, template: ok}, {name: c, template: ok, depends: b}, {name: d, template: ok, depends: c}]}"
    ),
    "dag-to-the-end": dag(
        "{failFast: false, tasks: [{name: a, template: fail}, {name: b, template: ok}, {name: c, template: ok, depends: b}, {name: d, template: ok, depends: c}]}"
    ),
    "dag-target": dag(
        "{target: b, tasks: [{name: a, template: ok}, {name: b, template: ok, depends: a}, {name: c, template: ok, depends: b}]}"
    ),
    "dag-after-failure": dag(CHAIN % ("fail", "a.Failed")),
    "dag-either": dag(CHAIN % ("fail", "'a.Succeeded || a.Failed'")),
    "dag-not": dag(CHAIN % ("ok", "'!a.Succeeded'")),
    "dag-errored": dag(CHAIN % ("fail", "a.Errored")),
    "dag-skipped": dag(
        "{tasks: [{name: a, template: ok, when: 'false'}, {name: b, template: ok, depends: a.Skipped}, {name: c, template: ok, depends: a}, {name: d, template: ok, depends: a.Succeeded}]}"
    ),
    "dag-omitted": dag(
        "{tasks: [{name: a, template: ok}, {name: b, template: ok, depends: a.Failed}, {name: c, template: ok, depends: b.Omitted}, {name: d, template: ok, depends: b}]}"
    ),
    "dag-continue": dag(
        "{tasks: [{name: a, template: fail, continueOn: {failed: true}}, {name: b, template: ok, dependencies: [a]}]}"
    ),
    "dag-any": dag(
        "{tasks: "
        + MATRIX
        + ", withItems: [1, 2]}, {name: b, template: ok, depends: test.AnySucceeded}, {name: c, template: ok, depends: test.AllFailed}]}"
    ),
    "dag-all-failed": dag(
        "{tasks: "
        + MATRIX.replace("say", "say-fail")
        + ", withItems: [1, 2]}, {name: b, template: ok, depends: test.AnySucceeded}, {name: c, template: ok, depends: test.AllFailed}]}"
    ),
    "dag-retried": dag("{tasks: [{name: a, template: flaky}, {name: b, template: ok, depends: a.Failed}]}"),
    "dag-exit-code": dag(
        "{tasks: [{name: a, template: fail}, {name: b, template: ok, depends: a.Failed, when: '{{tasks.a.exitCode}} == 2'}, {name: c, template: ok, depends: a.Failed, when: '{{tasks.a.status}} == Succeeded'}]}"
    ),
    "suspend-alone": Play("- {name: main, suspend: {}}", when="WF", resume=True),
    "suspend-failed": Play(
        f"- {{name: main, steps: [[{{name: approve, template: pause}}], [{{name: after, template: ok}}]]}}\n{PAUSE}",
        when="approve",
        resume=True,
        ends="Failed",
    ),
    "suspend-twice": Play(
        f"- {{name: main, steps: [[{{name: approve, template: pause}}], [{{name: again, template: short}}]]}}\n{PAUSE}\n"
        "- {name: short, suspend: {duration: '1'}}",
        when="approve",
        resume=True,
    ),
    "steps-empty-group": steps("[[], [{name: a, template: ok}]]"),
    "steps-of-items-retried": steps(
        "[[{name: a, template: flaky, withItems: [x], continueOn: {failed: true}}], [{name: b, template: ok}]]"
    ),
    "steps-called-twice": Play("""
- {name: main, steps: [[{name: a, template: group}], [{name: b, template: group}]]}
- {name: group, steps: [[{name: x, template: ok}]]}
"""),
    "dag-of-dags": Play("""
- {name: main, dag: {tasks: [{name: a, template: inner}, {name: b, template: inner, depends: a}]}}
- {name: inner, dag: {tasks: [{name: x, template: ok}, {name: y, template: ok, depends: x}]}}
"""),
    "dag-of-failing-dags": Play("""
- {name: main, dag: {tasks: [{name: a, template: inner}, {name: b, template: inner, depends: a.Failed}, {name: c, template: ok}]}}
- {name: inner, dag: {tasks: [{name: x, template: fail}, {name: y, template: ok, depends: x}]}}
"""),
    "dag-of-skipped-steps": Play("""
- {name: main, dag: {tasks: [{name: a, template: inner}, {name: b, template: ok, depends: a}]}}
- {name: inner, steps: [[{name: x, template: ok, when: 'false'}]]}
"""),
    "dag-complex": dag(
        "{tasks: [{name: a, template: fail}, {name: b, template: ok, depends: '(a.Failed && !a.Skipped) || a.Errored'}, "
        "{name: c, template: ok, depends: 'a || b'}, {name: d, template: ok, depends: 'a && b'}, {name: e, template: ok, depends: 'd.Omitted && c'}]}"
    ),
    "dag-two-targets": dag(
        "{target: 'a c', tasks: [{name: a, template: ok}, {name: b, template: ok}, {name: c, template: ok}]}"
    ),
    "dag-items-continue": dag(
        "{tasks: [{name: a, template: say-fail, continueOn: {failed: true}, arguments: {parameters: [{name: text, value: '{{item}}'}]}, "
        "withItems: [1, 2]}, {name: b, template: ok, dependencies: [a]}]}"
    ),
    "exit-of-terminated-steps": Play(
        f"- name: main\n  dag: {{tasks: [{{name: build, template: inner}}]}}\n- name: inner\n  steps: {SLOW}",
        {"onExit": "ok"},
        when="build",
        patch={"spec": {"shutdown": "Stop"}},
    ),
    "parallelism-fails": steps(
        "[[{name: a, template: fail}, {name: b, template: ok}, {name: c, template: ok}]]", parallelism=1
    ),
    "arguments-of-exit": Play(
        "- {name: bye, inputs: {parameters: [{name: branch}]}, steps: [[{name: a, template: say, arguments: {parameters: [{name: text, value: '{{inputs.parameters.branch}}'}]}}]]}",
        {"entrypoint": "ok", "onExit": "bye", "arguments": PARAMETERS},
    ),
    "item-arguments-json": steps(
        "[[{name: a, template: say, arguments: {parameters: [{name: text, value: '{{item}}'}]}, withItems: [{a: 1, b: [x, {c: null}]}, [1, two]]}]]"
    ),
    "when-of-items-maps": steps(
        "[[{name: a, template: say, when: '{{item.os}} != mac && {{item.n}} < 3', arguments: {parameters: [{name: text, value: '{{item.os}}'}]}, "
        "withItems: [{os: linux, n: 1}, {os: mac, n: 2}, {os: linux, n: 3}]}]]"
    ),
}
