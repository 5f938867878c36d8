from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest
from asks_cases import CASES, Case
from hypothesis import assume, given
from hypothesis import strategies as st

from kubeci.model.build import BuildRequest
from kubeci.model.repository import Commit, Ref, Repository
from kubeci.model.source import CommitSource, PullRequest
from kubeci.model.trust import What
from kubeci.policy.asks import LIMIT, Own, RefusedAsk, is_untrusted, refusals
from kubeci.policy.asks_told import problems_of
from kubeci.settings.asks import OPEN, RESTRICTED, Ask, Rules, Word
from kubeci.settings.pattern import Pattern
from kubeci.workflow.canonical import canonical
from kubeci.workflow.faults import faults

OWN = Own("argo", cache=True)


def plain_template(**body: Any) -> dict[str, Any]:
    return {"name": "t", "container": {"image": "alpine"}, **body}


def put(case: Case) -> dict[str, Any]:
    """The smallest workflow that asks for one thing."""
    template = plain_template()
    spec: dict[str, Any] = {"entrypoint": "t", "templates": [template]}
    match case.place:
        case "pod" | "spec":
            spec |= case.piece
        case "metadata":
            return {"metadata": case.piece, "spec": spec}
        case "template":
            template |= case.piece
        case "container":
            template["container"] |= case.piece
        case "volume":
            spec["volumes"] = [case.piece]
        case "artifact":
            template["inputs"] = {"artifacts": [case.piece]}
        case "call":
            template["steps"] = [[{"name": "s", "template": "t", **case.piece}]]
    return {"spec": spec}


def without(ask: Ask, rule: Any) -> Rules:
    return {**OPEN, ask: rule}


def summary(found: tuple[RefusedAsk, ...]) -> list[tuple[Ask, str]]:
    return [(each.ask, each.name) for each in found]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_ask_is_refused_alone_and_allowed_when_it_is_listed(case: Case) -> None:
    manifest = put(case)
    if case.ask is not Ask.UNKNOWN_FIELDS:
        assert [fault for fault in faults(manifest) if fault.kind == "unknown"] == [], (
            "the case itself is right"
        )
    assert (case.ask, case.name) in summary(refusals(manifest, RESTRICTED, OWN))
    assert (case.ask, case.name) in summary(refusals(manifest, without(case.ask, Word.NONE), OWN))
    assert refusals(manifest, OPEN, OWN) == ()
    assert refusals(manifest, {**RESTRICTED, **dict.fromkeys(Ask, Word.ANY)}, OWN) == ()
    if case.name:
        listed = (Pattern("other"), Pattern(re.escape(case.name)), Pattern("CHOWN"))
        assert refusals(manifest, without(case.ask, listed), OWN) == ()
        [*refused] = refusals(manifest, without(case.ask, listed[:1]), OWN)
        assert case.name in [each.name for each in refused]


def test_there_is_a_case_of_every_ask() -> None:
    assert {case.ask for case in CASES} == set(Ask)


Spots = list[tuple[str, dict[str, Any]]]


@st.composite
def workflows(draw: st.DrawFn) -> tuple[dict[str, Any], Spots]:
    """A workflow of templates of any kind at any depth, and the places in it where something may be asked for."""
    spots: Spots = []

    def noted(place: str, body: dict[str, Any]) -> dict[str, Any]:
        spots.append((place, body))
        return body

    def call(depth: int) -> dict[str, Any]:
        body = noted("call", {"name": "c"})
        body |= {"arguments": {"artifacts": [noted("artifact", {"name": "a"})]}}
        body |= {"inline": template(depth - 1)} if depth and draw(st.booleans()) else {"template": "t"}
        return body

    def template(depth: int) -> dict[str, Any]:
        body = noted("template", {"name": "t", "volumes": [noted("volume", {"name": "v"})]})
        spots.append(("pod", body))
        body["inputs"] = {"artifacts": [noted("artifact", {"name": "a"})]}
        body["outputs"] = {"artifacts": [noted("artifact", {"name": "a"})]}
        for more in draw(st.sets(st.sampled_from(["sidecars", "initContainers"]))):
            body[more] = [noted("container", {"name": "x"})]
        match draw(st.sampled_from(["container", "script", "containerSet", "steps", "dag", "suspend"])):
            case "containerSet":
                body["containerSet"] = {"containers": [noted("container", {"name": "main"})]}
            case "steps":
                body["steps"] = [[call(depth) for _ in range(draw(st.integers(1, 2)))]]
            case "dag":
                body["dag"] = {"tasks": [call(depth)]}
            case "suspend":
                body["suspend"] = {}
            case kind:
                body[kind] = noted("container", {"image": "x"})
        return body

    spec = noted("spec", {"entrypoint": "t", "volumes": [noted("volume", {"name": "v"})]})
    spots.append(("pod", spec))
    spec["arguments"] = {"artifacts": [noted("artifact", {"name": "a"})]}
    spec["templates"] = [template(3) for _ in range(draw(st.integers(1, 3)))]
    spec["templateDefaults"] = template(1)
    return {"metadata": noted("metadata", {"labels": {"team": "red"}}), "spec": spec}, spots


@given(workflows(), st.sampled_from(CASES), st.data())
def test_what_is_asked_for_anywhere_is_found(
    made: tuple[dict[str, Any], Spots], case: Case, data: st.DataObject
) -> None:
    manifest, spots = made
    assert refusals(canonical(manifest), RESTRICTED, OWN) == ()
    places = [body for place, body in spots if place == case.place]
    assume(places)  # few workflows have a place of each kind
    spot = data.draw(st.sampled_from(places))
    spot |= copy.deepcopy(case.piece)
    [*found] = refusals(canonical(manifest), RESTRICTED, OWN)
    assert (case.ask, case.name) in summary(tuple(found))
    for each in found:
        value: Any = manifest
        for step in each.path:
            value = value[step]


def recased(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [recased(item, change) for item in value]
    return (
        {change(key): recased(item, change) for key, item in value.items()}
        if isinstance(value, dict)
        else value
    )


@pytest.mark.parametrize(
    "change", [str.upper, str.title, lambda key: key.upper().replace("S", "\u017f").replace("K", "\u212a")]
)
@pytest.mark.parametrize("case", [case for case in CASES if case.place == "container"], ids=str)
def test_a_field_in_another_case_is_that_field(case: Case, change: Callable[[str], str]) -> None:
    """Go's decoder of JSON takes names in any case, and Argo decodes the steps of a template by it."""
    inner = recased({"container": {"image": "x", **case.piece}}, change)
    manifest = {"spec": {"templates": [{"name": "t", "steps": [[{"name": "s", "inline": inner}]]}]}}
    rules = {**RESTRICTED, Ask.UNKNOWN_FIELDS: Word.ANY}
    assert (case.ask, case.name) in summary(refusals(manifest, rules, OWN))
    assert Ask.UNKNOWN_FIELDS in [each.ask for each in refusals(manifest, RESTRICTED, OWN)]


def claim(name: str) -> dict[str, Any]:
    return {"spec": {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": name}}]}}


@pytest.mark.parametrize(
    ("name", "cache", "allowed"),
    [
        ("{{workflow.parameters.cacheVolumeClaimName}}", True, True),
        ("{{ workflow.parameters.cacheVolumeClaimName }}", True, True),
        # Without a cache of the build's own, the parameter would be whatever the author says.
        ("{{workflow.parameters.cacheVolumeClaimName}}", False, False),
        ("{{workflow.parameters.cacheVolumeClaimName}}x", True, False),
        ("{{inputs.parameters.cacheVolumeClaimName}}", True, False),
        ("{{=workflow.parameters.cacheVolumeClaimName}}", True, False),
        ("other", True, False),
    ],
)
def test_the_builds_own_cache_alone_is_allowed(name: str, cache: bool, allowed: bool) -> None:
    assert (refusals(claim(name), RESTRICTED, Own("argo", cache=cache)) == ()) is allowed


def test_a_name_that_only_the_run_tells_is_allowed_by_no_pattern() -> None:
    manifest = claim("{{inputs.parameters.claim}}")
    [refused] = refusals(manifest, without(Ask.CLAIMS, (Pattern(".*"),)), OWN)
    assert refused.at_run_time
    assert refusals(manifest, without(Ask.CLAIMS, Word.ANY), OWN) == ()


def test_the_builds_own_namespace_may_be_named() -> None:
    manifest = {"spec": {"synchronization": {"mutexes": [{"name": "m", "namespace": "argo"}]}}}
    assert [each.ask for each in refusals(manifest, RESTRICTED, OWN)] == [Ask.SYNCHRONIZATION]
    assert {each.ask for each in refusals(manifest, RESTRICTED, Own("other"))} == {
        Ask.SYNCHRONIZATION,
        Ask.NAMESPACES,
    }


def test_a_pattern_is_held_against_the_whole_of_a_name() -> None:
    rules = without(Ask.CLAIMS, (Pattern("data"),))
    assert [bool(refusals(claim(name), rules, OWN)) for name in ("data", "data-prod", "mydata")] == [
        False,
        True,
        True,
    ]


def test_a_workflow_that_asks_for_very_much_is_refused_soon() -> None:
    env = [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "x", "key": "k"}}}] * 20_000
    manifest = {"spec": {"templates": [{"name": "t", "container": {"image": "x", "env": env}}]}}
    assert len(refusals(manifest, RESTRICTED, OWN)) == LIMIT


def test_no_depth_and_no_letter_is_too_much() -> None:
    deep: dict[str, Any] = {"hostPID": True}
    for _ in range(5_000):
        deep = {"name": "s", "inline": {"steps": [[deep]]}}
    manifest = {"spec": {"serviceAccountName": "\ud800", "templates": [{"name": "t", "steps": [[deep]]}]}}
    refused = refusals(manifest, RESTRICTED, OWN)
    assert summary(refused) == [(Ask.SERVICE_ACCOUNTS, "\ud800"), (Ask.UNKNOWN_FIELDS, "hostPID")]
    told = problems_of(refused, {}, "ci.star", untrusted=True)
    assert max(len(str(each).encode()) for each in told) < 1000


REPOSITORY = Repository("acme", "widgets", 1)
COMMIT = Commit(REPOSITORY, "a" * 40)


@pytest.mark.parametrize(
    ("what", "ref", "head", "pull", "untrusted"),
    [
        (What.PUSH, "main", "", "", False),
        (What.RERUN, "main", "", "", False),
        (What.RUN, "patch", "stranger/widgets", "", True),
        (What.COMMAND, "patch", "stranger/widgets", "", True),
        (What.FORK, "patch", "", "stranger/widgets", True),
        (What.PULL_REQUEST, "patch", "", "acme/widgets", False),
        (What.API, "", "", "", False),
        (What.DEPLOYMENT, "", "", "", False),
        (What.RERUN, "", "", "", True),
    ],
)
def test_whose_builds_are_strangers(what: What, ref: str, head: str, pull: str, untrusted: bool) -> None:
    request = BuildRequest("1", COMMIT, Ref(ref), automatic=False, what=what, head_repository=head)
    pulls = (PullRequest(1, "Mine", "", draft=False, base_ref="main", head_repository=pull),) if pull else ()
    assert is_untrusted(request, CommitSource(None, pull_requests=pulls)) is untrusted
