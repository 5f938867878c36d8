from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from engine_recordings import comparable_nodes, facts, failures, last_object, manifest

from kubeci.local.engine.items import LoopError, expand
from kubeci.local.engine.names import fnv32a, node_id, pod_name
from kubeci.local.engine.operate import Outcome, operate
from kubeci.local.engine.operation import PodState
from kubeci.local.engine.refuse import refusal
from kubeci.local.engine.times import seconds_of
from kubeci.local.engine.validate import invalid

START = datetime(2026, 11, 21, tzinfo=UTC)
ENDED = "2026-11-21T00:00:01Z"


def given(spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    created = {"name": "wf", "namespace": "ci", "uid": "u", "creationTimestamp": "2026-11-21T00:00:00Z"}
    return {"metadata": created | metadata, "spec": spec}


class Play:
    """Plays a workflow: each pass, every pod that was asked for ends as `ends` says."""

    def __init__(self, workflow: dict[str, Any], ends: dict[str, PodState] | None = None) -> None:
        self.workflow = workflow
        self.ends = ends or {}
        self.pods: dict[str, PodState] = {}
        self.started: list[list[str]] = []
        self._wanted: dict[str, PodState] = {}
        self.now = START

    def once(self) -> Outcome:
        outcome = operate(self.workflow, self.pods, self.now)
        self.workflow = outcome.workflow
        self.pods |= {request.node_id: PodState() for request in outcome.start}
        for request in outcome.start:
            succeeded = PodState("Succeeded", exit_code=0, finished_at=ENDED)
            self._wanted[request.node_id] = self.ends.get(request.template["name"], succeeded)
        self.started.append([request.node_name for request in outcome.start])
        self.now += timedelta(seconds=1)
        return outcome

    def to_the_end(self) -> dict[str, Any]:
        for _ in range(50):
            self.once()
            if "finishedAt" in self.workflow["status"]:
                return self.workflow
            self.pods |= self._wanted
        raise AssertionError(self.workflow["status"])


@pytest.mark.parametrize(
    "prefix",
    ["01", "02", "03", "04", "05", "06", "07", "12", "14", "16", "21", "22", "25", "29", "31", "34", "36"],
)
def test_the_core_alone_gives_the_recorded_status(prefix: str) -> None:
    workflow = manifest(prefix)
    recorded = last_object(prefix)
    workflow["metadata"] |= {"uid": "u", "namespace": "ci", "creationTimestamp": "2026-11-21T00:00:00Z"}
    ends = {
        name: PodState(
            "Failed", f"main: Error (exit code {code}): {message}", exit_code=code, finished_at=ENDED
        )
        for name, (code, message) in failures(workflow).items()
    }
    done = Play(workflow, ends).to_the_end()
    assert comparable_nodes(done) == comparable_nodes(recorded)
    assert facts(done) == facts(recorded)
    assert done["spec"] == recorded["spec"]


def test_parallelism_holds_pods_back() -> None:
    play = Play(manifest("21"))
    play.workflow["metadata"] |= {"uid": "u", "namespace": "ci", "creationTimestamp": "2026-11-21T00:00:00Z"}
    play.to_the_end()
    assert [len(names) for names in play.started] == [10, 10, 10, 10, 10, 10, 0]


def test_a_pass_that_changes_nothing_changes_nothing() -> None:
    play = Play(
        given(
            {
                "entrypoint": "main",
                "templates": [{"name": "main", "container": {"image": "i", "command": ["x"]}}],
            }
        )
    )
    play.once()
    play.once()
    before = play.workflow
    assert play.once().workflow == before


def test_a_lost_pod_is_an_error() -> None:
    play = Play(
        given(
            {
                "entrypoint": "main",
                "templates": [{"name": "main", "container": {"image": "i", "command": ["x"]}}],
            }
        )
    )
    play.once()
    play.pods.clear()
    status = play.once().workflow["status"]
    assert (status["phase"], status["message"]) == ("Error", "pod deleted")


def test_a_pending_pod_does_not_outlive_the_deadline() -> None:
    template = {"name": "main", "container": {"image": "i", "command": ["x"]}}
    play = Play(given({"entrypoint": "main", "templates": [template], "activeDeadlineSeconds": 8}))
    play.once()
    outcome = play.once()
    assert outcome.wake_at == START + timedelta(seconds=8)
    play.now = START + timedelta(seconds=8)
    outcome = play.once()
    assert outcome.workflow["status"]["message"] == "Step exceeded its deadline"
    assert outcome.stop == ("wf",)


@pytest.mark.parametrize(
    ("policy", "phase", "attempts", "message"),
    [
        (None, "Failed", 3, "No more retries left"),
        ("OnFailure", "Error", 1, "lost"),
        ("OnError", "Failed", 1, "lost"),
        ("OnError", "Error", 3, "No more retries left"),
        ("Always", "Error", 3, "No more retries left"),
    ],
)
def test_retry_policies(policy: str | None, phase: str, attempts: int, message: str) -> None:
    strategy = {"limit": 2} | ({"retryPolicy": policy} if policy else {})
    template = {
        "name": "main",
        "retryStrategy": strategy,
        "container": {"image": "i", "command": ["{{retries}}"]},
    }
    play = Play(
        given({"entrypoint": "main", "templates": [template]}),
        {"main": PodState(phase, "lost", finished_at=ENDED)},
    )
    status = play.to_the_end()["status"]
    assert (status["phase"], status["message"]) == (phase, message)
    assert sum(names != [] for names in play.started) == attempts


def test_endless_recursion_comes_to_an_end() -> None:
    templates = [{"name": "main", "steps": [[{"name": "again", "template": "main"}]]}]
    status = Play(given({"entrypoint": "main", "templates": templates})).to_the_end()["status"]
    assert status["phase"] == "Failed"
    assert any("nests templates at most" in node.get("message", "") for node in status["nodes"].values())


def test_a_loop_over_nothing_is_skipped() -> None:
    step = {"name": "s", "template": "ok", "withParam": "[]"}
    templates = [
        {"name": "main", "steps": [[step]]},
        {"name": "ok", "container": {"image": "i", "command": ["x"]}},
    ]
    status = Play(given({"entrypoint": "main", "templates": templates})).to_the_end()["status"]
    assert status["phase"] == "Succeeded"
    assert [node["phase"] for node in status["nodes"].values() if node["type"] == "Skipped"] == ["Skipped"]


def test_a_long_chain_of_tasks_is_no_recursion() -> None:
    tasks = [
        {"name": f"t{n}", "template": "ok", **({"dependencies": [f"t{n - 1}"]} if n else {})}
        for n in range(1500)
    ]
    templates = [
        {"name": "main", "dag": {"tasks": tasks}},
        {"name": "ok", "container": {"image": "i", "command": ["x"]}},
    ]
    play = Play(given({"entrypoint": "main", "templates": templates}))
    play.once()
    assert play.started == [["wf.t0"]]


def test_names() -> None:
    assert fnv32a("ci-qjnw2[0].checkout") == 2554799674
    assert node_id("wf", "wf") == "wf"
    assert pod_name("wf", "wf", "main") == "wf"
    assert pod_name("w" * 200, "x", "t" * 100) == ("w" * 200 + "-" + "t" * 41) + f"-{fnv32a('x')}"


@pytest.mark.parametrize(
    ("loop", "names", "values"),
    [
        ({"withItems": [1, "a", True]}, ["s(0:1)", "s(1:a)", "s(2:true)"], ["1", "a", "true"]),
        ({"withItems": [{"k": "(v)"}]}, ["s(0:k:v)"], ['{"k":"(v)"}']),
        ({"withParam": '["x", 2.5]'}, ["s(0:x)", "s(1:2.5)"], ["x", "2.5"]),
        ({"withSequence": {"count": "2", "start": 5}}, ["s(0:5)", "s(1:6)"], ["5", "6"]),
        (
            {"withSequence": {"start": "2", "end": "1", "format": "n%02d"}},
            ["s(0:n02)", "s(1:n01)"],
            ["n02", "n01"],
        ),
        ({"withParam": "[]"}, [], []),
    ],
)
def test_loops(loop: dict[str, Any], names: list[str], values: list[str]) -> None:
    expanded = expand({"name": "s", "when": "{{item}}", **loop})
    assert [one["name"] for one in expanded] == names
    assert [one["when"] for one in expanded] == values


@pytest.mark.parametrize(
    "loop",
    [
        {"withParam": "no list"},
        {"withParam": '{"a": 1}'},
        {"withSequence": {"count": "many"}},
        {"withItems": list(range(1001))},
        {"withSequence": {"count": "100000000000"}},
        {"withSequence": {"count": 1, "format": "none"}},
    ],
)
def test_loops_that_cannot_be(loop: dict[str, Any]) -> None:
    with pytest.raises(LoopError):
        expand({"name": "s", **loop})


POD = {"name": "main", "container": {"image": "i", "command": ["x"]}}


@pytest.mark.parametrize(
    ("spec", "template", "named"),
    [
        ({"hooks": {"exit": {}}}, {}, "hooks"),
        ({"synchronization": {"mutexes": [{"name": "m"}]}}, {}, "synchronization"),
        ({"podSpecPatch": "x"}, {}, "podSpecPatch"),
        ({"hostAliases": [{"ip": "1.2.3.4"}]}, {}, "hostAliases"),
        ({"volumes": [{"name": "v", "secret": {"secretName": "s"}}]}, {}, "volumes.v.secret"),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, {}, "volumes.v.hostPath"),
        ({}, {"sidecars": [{"name": "db"}]}, "templates.main.sidecars"),
        ({}, {"initContainers": [{"name": "i"}]}, "templates.main.initContainers"),
        ({}, {"memoize": {"key": "k"}}, "templates.main.memoize"),
        ({}, {"daemon": True}, "templates.main.daemon"),
        ({}, {"containerSet": {"containers": []}}, "templates.main.containerSet"),
        ({}, {"retryStrategy": {"backoff": {"duration": "1"}}}, "templates.main.retryStrategy.backoff"),
        ({}, {"outputs": {"artifacts": [{"name": "a"}]}}, "templates.main.outputs.artifacts"),
        ({}, {"container": {"command": ["x"], "envFrom": [{}]}}, "templates.main.container.envFrom"),
        (
            {},
            {
                "container": {
                    "command": ["x"],
                    "env": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"key": "k"}}}],
                }
            },
            "templates.main.container.env.TOKEN.valueFrom",
        ),
        (
            {},
            {"inputs": {"artifacts": [{"name": "a", "path": "/a", "s3": {"key": "k"}}]}},
            "templates.main.inputs.artifacts.a.s3",
        ),
        (
            {},
            {
                "inputs": {
                    "artifacts": [{"name": "a", "path": "/a", "git": {"repo": "r", "insecureSkipTLS": True}}]
                }
            },
            "templates.main.inputs.artifacts.a.git.insecureSkipTLS",
        ),
        (
            {},
            {"steps": [[{"name": "s", "templateRef": {"name": "r"}}]]},
            "templates.main.steps[0].s.templateRef",
        ),
        ({}, {"container": {"command": ["{{= 1 + 1}}"]}}, "templates.main.container.command[0]"),
        ({}, {"container": {"image": "i"}}, "templates.main.container.command"),
        ({}, {"a-misspelling": 1}, "templates.main.a-misspelling"),
    ],
)
def test_what_is_not_run_is_refused_by_name(
    spec: dict[str, Any], template: dict[str, Any], named: str
) -> None:
    message = refusal({"entrypoint": "main", "templates": [POD | template], **spec})
    assert f"`{named}`" in message
    assert "local engine" in message


@pytest.mark.parametrize(
    ("spec", "template"),
    [
        (
            {
                "serviceAccountName": "sa",
                "podGC": {"strategy": "OnPodSuccess"},
                "ttlStrategy": {"secondsAfterSuccess": 1},
            },
            {},
        ),
        ({}, {"nodeSelector": {"gpu": "yes"}, "tolerations": [{}], "metadata": {"labels": {"a": "b"}}}),
        (
            {},
            {
                "container": {
                    "command": ["x"],
                    "resources": {"limits": {"cpu": 1}},
                    "imagePullPolicy": "Always",
                }
            },
        ),
        ({"hooks": {}, "podSpecPatch": ""}, {"sidecars": [], "daemon": False}),
        ({"volumes": [{"name": "v", "emptyDir": {}}]}, {}),
    ],
)
def test_what_cannot_change_the_outcome_is_accepted(spec: dict[str, Any], template: dict[str, Any]) -> None:
    assert refusal({"entrypoint": "main", "templates": [POD | template], **spec}) == ""


CALLED = {
    "name": "say",
    "inputs": {"parameters": [{"name": "text"}]},
    "container": {"image": "i", "command": ["{{inputs.parameters.text}}"]},
}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"templates": [POD]}, "spec.entrypoint is required"),
        ({"entrypoint": "none", "templates": [POD]}, "template name 'none' undefined"),
        ({"entrypoint": "main", "templates": [POD, POD]}, "spec.templates[1].name 'main' is not unique"),
        ({"entrypoint": "main", "templates": [{"name": "main"}]}, "template 'main' type is unknown"),
        (
            {"entrypoint": "main", "templates": [POD], "arguments": {"parameters": [{"name": "p"}]}},
            "spec.arguments.p.value or spec.arguments.p.valueFrom is required",
        ),
        (
            {
                "entrypoint": "main",
                "templates": [{"name": "main", "steps": [[{"name": "s", "template": "say"}]]}, CALLED],
            },
            "templates.main.steps[0].s templates.say inputs.parameters.text was not supplied",
        ),
        (
            {
                "entrypoint": "main",
                "templates": [
                    {"name": "main", "dag": {"tasks": [{"name": "t", "template": "main", "depends": "u"}]}}
                ],
            },
            "templates.main sorting failed: invalid dependency u",
        ),
        (
            {
                "entrypoint": "main",
                "templates": [
                    {
                        "name": "main",
                        "dag": {
                            "tasks": [
                                {"name": "a", "template": "main", "depends": "b"},
                                {"name": "b", "template": "main", "depends": "a"},
                            ]
                        },
                    }
                ],
            },
            "templates.main sorting failed: graph with cycle",
        ),
        (
            {
                "entrypoint": "main",
                "templates": [
                    {"name": "main", "container": {"image": "i", "args": ["{{inputs.parameters.x}}"]}}
                ],
            },
            "templates.main: failed to resolve {{inputs.parameters.x}}",
        ),
        (
            {
                "entrypoint": "main",
                "templates": [
                    {
                        "name": "main",
                        "steps": [
                            [
                                {
                                    "name": "s",
                                    "template": "say",
                                    "arguments": {
                                        "parameters": [{"name": "text", "value": "{{steps.x.status}}"}]
                                    },
                                }
                            ]
                        ],
                    },
                    CALLED,
                ],
            },
            "templates.main.steps failed to resolve {{steps.x.status}}",
        ),
    ],
)
def test_invalid_specs(spec: dict[str, Any], message: str) -> None:
    assert invalid(spec) == message


@pytest.mark.parametrize(
    "tag", ["{{ jinja }}", "{{.Go}}", "{{ $x }}", "{{workflow.name}}", "{{pod.name}}", "{{retries}}"]
)
def test_tags_that_are_no_variables_of_argo_stay(tag: str) -> None:
    assert (
        invalid(
            {"entrypoint": "main", "templates": [{"name": "main", "script": {"image": "i", "source": tag}}]}
        )
        == ""
    )


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90.0), ("30s", 30.0), ("1h30m", 5400.0), ("500ms", 0.5)]
)
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "x", "1y", "1s!", "-1s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        seconds_of(text)
