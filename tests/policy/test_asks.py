from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest
from asks_cases import CASES, Case
from hypothesis import given
from hypothesis import strategies as st

from kubeci.errors import ConfigurationError
from kubeci.model.build import BuildRequest
from kubeci.model.repository import Commit, Ref, Repository
from kubeci.model.source import CommitSource, PullRequest
from kubeci.model.trust import What
from kubeci.policy.asks import LIMIT, Own, RefusedAsk, is_untrusted, refusals
from kubeci.policy.asks_found import EVERY, FOUND
from kubeci.policy.asks_told import problems_of
from kubeci.settings.asks import OPEN, RESTRICTED, Ask, Rules, Word
from kubeci.settings.config import load_config
from kubeci.settings.pattern import Pattern
from kubeci.workflow.canonical import canonical
from kubeci.workflow.faults import faults, schema

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


def shapes() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = schema()["$defs"]
    return found


def test_what_asks_are_found_by_are_fields_of_the_schema() -> None:
    fields = {field for shape in shapes().values() for field in shape.get("properties", {})}
    unknown = [
        (kind, field)
        for kind, field in FOUND
        if field not in (fields if kind == EVERY else shapes()[kind]["properties"])
    ]
    assert unknown == []


# Fields of the objects by which a pod gets what it has, that ask for nothing of others: looked at one by one.
HARMLESS = {
    "WorkflowSpec": """activeDeadlineSeconds archiveLogs arguments artifactGC automountServiceAccountToken dnsConfig
        dnsPolicy entrypoint executor hooks hostAliases metrics onExit parallelism pendingTimeout podDisruptionBudget podGC
        podMetadata podPriority podResources priority retryStrategy securityContext shutdown suspend synchronization
        templateDefaults templates ttlStrategy volumeClaimGC volumeClaimTemplates volumes workflowMetadata""",
    "Template": """activeDeadlineSeconds annotations archiveLocation automountServiceAccountToken container containerSet
        daemon dag data executor failFast hostAliases http initContainers inputs memoize metadata metrics name outputs
        parallelism pendingTimeout podResources priority retryStrategy script securityContext sidecars steps suspend
        synchronization timeout volumes""",
    "Container": """args command env envFrom image imagePullPolicy lifecycle livenessProbe name ports readinessProbe
        resizePolicy resources restartPolicy restartPolicyRules securityContext startupProbe stdin stdinOnce
        terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts workingDir""",
    "SecurityContext": """allowPrivilegeEscalation appArmorProfile capabilities readOnlyRootFilesystem runAsGroup
        runAsNonRoot runAsUser seccompProfile windowsOptions""",
    "PodSecurityContext": """appArmorProfile fsGroup fsGroupChangePolicy runAsGroup runAsNonRoot runAsUser
        seLinuxChangePolicy seccompProfile supplementalGroups supplementalGroupsPolicy sysctls windowsOptions""",
    "Volume": """configMap downwardAPI emptyDir ephemeral hostPath image name persistentVolumeClaim projected secret""",
    "VolumeProjection": "clusterTrustBundle configMap downwardAPI secret",
    "EnvVarSource": "configMapKeyRef fieldRef resourceFieldRef secretKeyRef",
    "EnvFromSource": "configMapRef prefix secretRef",
    "Artifact": """archive archiveLogs artifactGC deleted from fromExpression git globalName http mode name optional path
        raw recurseMode subPath""",
    "PersistentVolumeClaimSpec": "accessModes dataSource dataSourceRef resources volumeMode",
    "WorkflowStep": "arguments continueOn hooks inline name onExit template when withItems withParam withSequence",
    "DAGTask": """arguments continueOn dependencies depends hooks inline name onExit template when withItems withParam
        withSequence""",
    "LifecycleHook": "arguments expression template",
    "Metadata": "",
    "Mutex": "database",
    "SemaphoreRef": "database",
}  # fmt: skip


@pytest.mark.parametrize("kind", HARMLESS)
def test_each_field_of_what_a_pod_is_made_of_was_judged(kind: str) -> None:
    found = {field for of, field in FOUND if of in {kind, EVERY}}
    assert set(shapes()[kind]["properties"]) - found == set(HARMLESS[kind].split())


@pytest.mark.parametrize("kind", ["ContainerNode", "ScriptTemplate", "UserContainer"])
def test_containers_of_all_kinds_have_no_fields_that_were_not_judged(kind: str) -> None:
    more = {
        "ContainerNode": {"dependencies"},
        "ScriptTemplate": {"source"},
        "UserContainer": {"mirrorVolumeMounts"},
    }
    assert set(shapes()[kind]["properties"]) - set(shapes()["Container"]["properties"]) == more[kind]


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
    return {"spec": spec}, spots


@given(workflows(), st.sampled_from(CASES), st.data())
def test_what_is_asked_for_anywhere_is_found(
    made: tuple[dict[str, Any], Spots], case: Case, data: st.DataObject
) -> None:
    manifest, spots = made
    assert refusals(canonical(manifest), RESTRICTED, OWN) == ()
    spot = data.draw(st.sampled_from([body for place, body in spots if place == case.place]))
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


def test_of_very_many_the_first_are_told_and_the_others_counted() -> None:
    volumes = [{"name": "v", "hostPath": {"path": f"/{number}"}} for number in range(70)]
    told = problems_of(
        refusals({"spec": {"volumes": volumes}}, RESTRICTED, OWN), {}, "ci.yaml", untrusted=False
    )
    assert len(told) == 50
    assert told[0].message.startswith(
        "`spec.volumes[0].hostPath.path` asks for the node's path `/0`, which a build may"
    )
    assert told[-1].message == "21 more asks are refused by `workflowPolicy.trusted`"


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


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("workflowPolicy: opn", "`workflowPolicy`: Invalid enum value 'opn'"),
        ("workflowPolicy: {untrustd: open}", "`workflowPolicy`: Object contains unknown field `untrustd`"),
        ("workflowPolicy: {untrusted: {secret: any}}", "did you mean `secrets`?"),
        ("workflowPolicy: {untrusted: {hostNetwork: [x]}}", "`untrusted.hostNetwork` is `any` or `none`"),
        ("workflowPolicy: {untrusted: {secrets: some}}", "`untrusted.secrets` is `any`, `none` or a list"),
        ("workflowPolicy: {untrusted: {secrets: ['(']}}", "is not a regular expression"),
        ("workflowPolicy: {trusted: {base: lax}}", "`trusted.base` is `open` or `restricted`"),
    ],
)
def test_a_policy_that_could_be_misread_ends_the_start(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        load_config(text, source="c.yaml")
