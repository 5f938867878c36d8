"""The deployments that a workflow's steps are shown as."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from node_deployments_kit import ERROR, FAILURE, IN_PROGRESS, RULES, SUCCESS, node, rules, to, workflow

from kubeci.model.deployment import DeploymentState
from kubeci.report.deployments import MAX_DEPLOYMENTS, NodeDeployment, wanted
from kubeci.workflow.status import read_state

RECORDINGS = Path(__file__).parents[1] / "data" / "argo-recordings"


def test_the_recorded_deployments() -> None:
    lines = (RECORDINGS / "16-deploy-environments" / "workflow-events.jsonl").read_text().splitlines()
    seen: list[dict[str, str]] = []
    for line in lines:
        event = json.loads(line)
        if event["type"] == "DELETED":
            continue
        found, warnings = wanted(read_state(event["object"]), RULES)
        assert not warnings
        now = {each.environment: each.state.value for each in found}
        seen += [now] if not seen or seen[-1] != now else []
    assert seen == [
        {},
        {"staging": "success"},
        {"staging": "success", "production": "success"},
    ]


@pytest.mark.parametrize("recording", ["14-retry-strategy", "06-with-items-matrix", "15-retried"])
def test_a_recorded_retry_or_loop_without_environment_is_one_warning(recording: str) -> None:
    lines = (RECORDINGS / recording / "workflow-events.jsonl").read_text().splitlines()
    state = read_state(json.loads(lines[-1])["object"])
    pods = {each.template_name for each in state.nodes if each.type == "Pod"}
    found, warnings = wanted(state, rules("|".join(f"^{name}$" for name in pods)))
    assert found == []
    assert sorted(warnings) == sorted(
        f"the template `{name}` deploys, but has no input parameter `environment`: GitHub shows no deployment"
        for name in pods
    )


def test_a_deployment_in_full() -> None:
    fields: dict[str, Any] = {
        "phase": "Failed",
        "message": "exit status 2\nat once " + "x" * 200,
        "outputs": {"parameters": [{"name": "environmentURL", "value": "https://staging.example.com/a?b"}]},
    }
    state = workflow({"wf-1/ü": node("wf.a", **fields)})
    assert wanted(state, RULES) == (
        [
            NodeDeployment(
                node_id="wf-1/ü",
                template="deploy",
                environment="staging",
                state=FAILURE,
                log_url="https://argo.example.com/workflows/ci/wf"
                "?tab=workflow&nodeId=wf-1%2F%C3%BC&nodePanelView=inputs-outputs",
                environment_url="https://staging.example.com/a?b",
                description="exit status 2 at once " + "x" * 117 + "…",
            )
        ],
        [],
    )


@pytest.mark.parametrize(
    ("phase", "state"),
    [
        ("Running", IN_PROGRESS),
        ("Succeeded", SUCCESS),
        ("Failed", FAILURE),
        ("Error", ERROR),
        ("Pending", None),
        ("Skipped", None),
        ("Omitted", None),
        ("", None),
        ("odd", None),
    ],
)
def test_phases(phase: str, state: DeploymentState | None) -> None:
    found, warnings = wanted(workflow({"a": node("wf.a", phase=phase)}), RULES)
    assert [each.state for each in found] == ([state] if state else [])
    assert warnings == []


@pytest.mark.parametrize(
    ("pattern", "number"), [("^deploy", 1), ("plo", 1), ("", 0), ("^$", 0), ("^deploy-x$", 0)]
)
def test_patterns(pattern: str, number: int) -> None:
    nodes = {"a": node("wf.a"), "b": node("wf.b", templateName="")}
    found, warnings = wanted(workflow(nodes), rules(pattern))
    assert len(found) == number
    assert warnings == []


def test_a_retry_and_its_attempts_are_one_deployment() -> None:
    outputs = {"parameters": [{"name": "environmentURL", "value": "https://x.example.com"}]}
    nodes = {
        "r": node("wf.a", type="Retry", children=["r0", "r1"], phase="Succeeded", outputs=outputs),
        "r0": node("wf.a(0)", phase="Failed"),
        "r1": node("wf.a(1)", phase="Succeeded", outputs=outputs),
    }
    found, _ = wanted(workflow(nodes), RULES)
    assert [(each.node_id, each.state, each.environment_url) for each in found] == [
        ("r", SUCCESS, "https://x.example.com")
    ]


def test_groups_containers_and_what_was_skipped_are_none() -> None:
    nodes = {
        "g": node("wf.a", type="TaskGroup", inputs=None, children=["g0", "g1"]),
        "g0": node("wf.a(0:eu)", inputs=to("eu")),
        "g1": node("wf.a(1:us)", inputs=to("us"), children=["c"]),
        "c": node("wf.a(1:us).main", type="Container", boundaryID="g1", inputs=None),
        "s": node("wf.s", type="Skipped", phase="Error", inputs=None),
    }
    found, warnings = wanted(workflow(nodes), RULES)
    assert [each.environment for each in found] == ["eu", "us"]
    assert warnings == []


def test_a_template_that_calls_itself_for_other_environments_is_several() -> None:
    nodes = {
        "a": node("wf.a", type="Steps", inputs=to("all")),
        "b": node("wf.a[0].eu", boundaryID="a", inputs=to("eu")),
    }
    found, _ = wanted(workflow(nodes), RULES)
    assert [each.environment for each in found] == ["all", "eu"]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (None, "the template `deploy` deploys, but has no input parameter `environment`"),
        ({"parameters": [{"name": "other", "value": "x"}]}, "has no input parameter `environment`"),
        (to(7), "has no input parameter `environment`"),
        (to(""), "the step `wf.a` deploys, but its `environment` is empty"),
        (to(" \n"), "the step `wf.a` deploys, but its `environment` is empty"),
        (to("e" * 256), "whose name has 256 characters, GitHub takes 255: it"),
    ],
)
def test_what_cannot_be_shown_is_a_warning(inputs: object, words: str) -> None:
    found, warnings = wanted(workflow({"a": node("wf.a", inputs=inputs)}), RULES)
    assert found == []
    (warning,) = warnings
    assert words in warning
    assert warning.endswith("shows no deployment")


def test_there_is_a_limit() -> None:
    nodes = {f"n{at:03}": node(f"wf.n{at}") for at in range(MAX_DEPLOYMENTS + 2)}
    found, warnings = wanted(workflow(nodes), RULES)
    assert len(found) == MAX_DEPLOYMENTS
    assert warnings == ["more than 100 steps deploy; the others are not shown on GitHub"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example.com", "https://a.example.com"),
        (" HTTP://a.example.com\n", "HTTP://a.example.com"),
        ("javascript:alert(1)", ""),
        ("ftp://a.example.com", ""),
        ("a.example.com", ""),
        ("https://a.example.com/\x00", ""),
        ("https://a example.com", ""),
        ("https://a.example.com/" + "x" * 2_000, ""),
        ("", ""),
        (None, ""),
    ],
)
def test_only_addresses_of_the_web_are_shown(url: object, shown: str) -> None:
    outputs = {"parameters": [{"name": "environmentURL", "value": url}]}
    found, _ = wanted(workflow({"a": node("wf.a", outputs=outputs)}), RULES)
    assert [each.environment_url for each in found] == [shown]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.text(max_size=3),
        st.fixed_dictionaries(
            {},
            optional={
                "templateName": st.sampled_from(["deploy", "x"]) | anything,
                "type": st.sampled_from(["Pod", "Retry", "Steps"]) | anything,
                "phase": st.sampled_from(["Running", "Failed", "Succeeded"]) | anything,
                "inputs": st.just(to("a")) | st.builds(to, anything) | anything,
                "outputs": anything,
                "message": anything,
            },
        ),
        max_size=5,
    )
)
def test_whatever_a_workflow_holds_nothing_raises(nodes: dict[str, Any]) -> None:
    found, _ = wanted(workflow(nodes), RULES)
    assert {each.node_id for each in found} <= {*nodes, "wf"}
