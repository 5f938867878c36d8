"""How workflows end: exit handlers, retries, suspension, shutdown, deadlines; and names and metadata."""

from __future__ import annotations

from contract_workflows import SLOW, Play, steps

ENDS: dict[str, Play] = {
    "on-exit": Play("", {"entrypoint": "ok", "onExit": "ok"}),
    "on-exit-after-failure": Play("", {"entrypoint": "fail", "onExit": "ok"}),
    "on-exit-fails": Play("", {"entrypoint": "ok", "onExit": "fail"}),
    "on-exit-both-fail": Play(
        "",
        {
            "entrypoint": "fail",
            "onExit": "say-fail",
            "arguments": {"parameters": [{"name": "text", "value": "x"}]},
        },
    ),
    "on-exit-steps": Play(
        "- {name: bye, steps: [[{name: a, template: ok, when: '{{workflow.status}} == Failed'}, {name: b, template: ok, when: '{{workflow.status}} == Succeeded'}]]}",
        {"entrypoint": "fail", "onExit": "bye"},
    ),
    "on-exit-dag": Play(
        "- {name: bye, dag: {tasks: [{name: a, template: ok}, {name: b, template: ok, depends: a}]}}",
        {"entrypoint": "ok", "onExit": "bye"},
    ),
    "retry-none": Play(
        "- {name: main, retryStrategy: {limit: 0}, container: {image: busybox, command: [sh, -c, exit 2]}, metadata: {annotations: {kubeci.test/exit-code: '2'}}}"
    ),
    "retry-on-error": Play(
        "- {name: main, retryStrategy: {limit: 2, retryPolicy: OnError}, container: {image: busybox, command: [sh, -c, exit 2]}, metadata: {annotations: {kubeci.test/exit-code: '2'}}}"
    ),
    "retry-always": Play(
        "- {name: main, retryStrategy: {limit: '2', retryPolicy: Always}, container: {image: busybox, command: [sh, -c, exit 2]}, metadata: {annotations: {kubeci.test/exit-code: '2'}}}"
    ),
    "retry-succeeds": Play(
        "- {name: main, retryStrategy: {limit: 2}, container: {image: busybox, command: [sh, -c, exit 0]}}"
    ),
    "retry-steps": Play("- {name: main, retryStrategy: {limit: 1}, steps: [[{name: a, template: fail}]]}"),
    "retry-items": steps("[[{name: a, template: flaky, withItems: [1, 2]}]]"),
    "suspend-duration": Play(
        "- {name: main, steps: [[{name: wait, template: pause}], [{name: after, template: ok}]]}\n- {name: pause, suspend: {duration: 1s}}"
    ),
    "suspend-resumed": Play(
        "- {name: main, steps: [[{name: approve, template: pause}], [{name: after, template: ok}]]}\n- {name: pause, suspend: {}}",
        when="approve",
        resume=True,
    ),
    "suspend-stopped": Play(
        "- {name: main, steps: [[{name: approve, template: pause}], [{name: after, template: ok}]]}\n- {name: pause, suspend: {}}",
        {"onExit": "ok"},
        when="approve",
        patch={"spec": {"shutdown": "Stop"}},
    ),
    "suspend-terminated": Play(
        "- {name: main, dag: {tasks: [{name: approve, template: pause}, {name: after, template: ok, depends: approve}]}}\n- {name: pause, suspend: {}}",
        when="approve",
        patch={"spec": {"shutdown": "Terminate"}},
    ),
    "created-suspended": Play("", {"entrypoint": "ok", "suspend": True}, patch={"spec": {"suspend": None}}),
    "stopped": Play(
        f"- name: main\n  steps: {SLOW}",
        {"onExit": "ok"},
        when="build",
        patch={"spec": {"shutdown": "Stop"}},
    ),
    "terminated": Play(
        f"- name: main\n  steps: {SLOW}",
        {"onExit": "ok"},
        when="build",
        patch={"spec": {"shutdown": "Terminate"}},
    ),
    "dag-stopped": Play(
        "- {name: main, dag: {tasks: [{name: build, template: slow}, {name: deploy, template: ok, depends: build}]}}",
        {"onExit": "ok"},
        when="build",
        patch={"spec": {"shutdown": "Stop"}},
    ),
    "items-terminated": Play(
        "- {name: main, steps: [[{name: build, template: slow, withItems: [1, 2]}]]}",
        when="build(0:1)",
        patch={"spec": {"shutdown": "Terminate"}},
    ),
    "retry-terminated": Play(
        """
- {name: main, steps: [[{name: build, template: again}]]}
- {name: again, retryStrategy: {limit: 3}, container: {image: busybox, command: [sleep, '40']}, metadata: {annotations: {kubeci.test/seconds: 40s}}}
""",
        when="build(0)",
        patch={"spec": {"shutdown": "Terminate"}},
    ),
    "created-shut-down": Play("", {"entrypoint": "ok", "shutdown": "Terminate"}),
    "parallelism": steps("[[{name: a, template: ok, withItems: [1, 2, 3]}]]", parallelism=1),
    "parallelism-of-template": Play(
        "- {name: main, parallelism: 1, dag: {tasks: [{name: a, template: ok}, {name: b, template: ok}]}}"
    ),
    "odd-names": Play("""
- {name: main, steps: [[{name: A_b-1, template: Upper}, {name: '0', template: dots.in.it}]]}
- {name: Upper, suspend: {duration: 1s}}
- {name: dots.in.it, container: {image: busybox, command: [sh, -c, exit 0]}}
"""),
    "upper-case": Play(
        "- {name: main, steps: [[{name: a, template: Upper}], [{name: b, template: ok}]]}\n- {name: Upper, container: {image: busybox, command: [sh, -c, exit 0]}}"
    ),
    "upper-case-dag": Play(
        "- {name: main, dag: {tasks: [{name: a, template: Upper}, {name: b, template: ok, depends: a.Errored}]}}\n- {name: Upper, container: {image: busybox, command: [sh, -c, exit 0]}}"
    ),
    "long-names": Play(
        f"- {{name: main, steps: [[{{name: {'s' * 100}, template: {'t' * 120}}}]]}}\n- {{name: {'t' * 120}, container: {{image: busybox, command: [sh, -c, exit 0]}}}}"
    ),
    "metadata": Play(
        "- {name: main, metadata: {labels: {a: b}, annotations: {x/y: z}}, container: {image: busybox, command: [sh, -c, exit 0]}}",
        {
            "podMetadata": {"labels": {"c": "d"}, "annotations": {"e": "f"}},
            "workflowMetadata": {"labels": {"g": "h"}, "annotations": {"i": "j"}},
        },
    ),
    "volumes": Play(
        "- {name: main, volumes: [{name: tmp, emptyDir: {}}], container: {image: busybox, command: [sh, -c, exit 0], volumeMounts: [{name: tmp, mountPath: /t}, {name: work, mountPath: /w}]}}",
        {
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "work"},
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
                }
            ]
        },
    ),
    "deadline-suspended": Play("- {name: main, suspend: {}}", {"activeDeadlineSeconds": 2}),
    "deadline-between": Play(
        "- {name: main, steps: [[{name: wait, template: pause}], [{name: after, template: ok}]]}\n- {name: pause, suspend: {duration: 30s}}",
        {"activeDeadlineSeconds": 2, "onExit": "ok"},
    ),
}
