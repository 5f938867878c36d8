from __future__ import annotations

import re

import pytest

from kubeci.errors import ConfigurationError
from kubeci.policy.asks import Own, refusals
from kubeci.policy.asks_told import problems_of
from kubeci.settings.asks import RESTRICTED, rules_of
from kubeci.settings.config import load_config

OWN = Own("argo")


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


@pytest.mark.parametrize(
    ("name", "listed"),
    [("prod", "[prod]"), ("80", "['80']"), ("no", "['no']"), ("a=b", "['a=b']"), ("/etc", "[/etc]")],
)
def test_what_the_operator_is_to_write_is_yaml_of_a_list(name: str, listed: str) -> None:
    manifest = {"spec": {"serviceAccountName": name}}
    [told] = problems_of(refusals(manifest, RESTRICTED, OWN), {}, "ci.yaml", untrusted=True)
    assert told.hint.endswith(f"`workflowPolicy.untrusted.serviceAccounts: {listed}`")
    line = told.hint.rpartition(": ")[2].strip("`")
    policy = load_config(
        f"workflowPolicy: {{untrusted: {{serviceAccounts: {line}}}}}", source="c"
    ).config.workflow_policy
    assert refusals(manifest, rules_of(policy, untrusted=True), OWN) == ()
