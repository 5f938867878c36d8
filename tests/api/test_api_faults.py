"""What GitHub or the cluster does not do becomes an answer that says so, and nothing is left half done."""

from __future__ import annotations

from typing import Any

import pytest
from api_kit import Api, steps

from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.github.faults import Fault

POST_RUN = ("POST", "/check-runs$")
CONTEXT = {"ci.yaml": steps("true")}


def check_runs(api: Api) -> int:
    return len(api.stack.github.state.runs)


@pytest.mark.parametrize("how", [{"status": 502}, {"after": True}], ids=["refused", "answer lost"])
async def test_the_same_key_takes_up_what_broke_off(how: dict[str, Any], still: Api) -> None:
    sha = await still.push({"README.md": "none"})
    fault = still.stack.github.faults.add(Fault(*POST_RUN, **how))
    broken = await still.run(sha, ci_context=CONTEXT, run=True, key="release-7")
    assert broken.status_code == 503, broken.text
    assert int(broken.headers["retry-after"]) > 0
    assert fault.times == 0
    again = await still.run(sha, ci_context=CONTEXT, run=True, key="release-7")
    assert again.status_code == 201, again.text
    assert check_runs(still) == 1
    assert len(still.stack.cluster.objects.list(WORKFLOWS, None)) == 1


async def test_without_a_key_what_broke_off_ends(still: Api) -> None:
    sha = await still.push({"README.md": "none"})
    still.stack.github.faults.add(Fault(*POST_RUN, status=502))
    broken = await still.run(sha, ci_context=CONTEXT, run=True)
    assert broken.status_code == 503
    [run] = (await still("GET", "/runs")).json()["runs"]
    assert (run["state"], run["conclusion"], run["workflow"]) == ("finished", "cancelled", None)
    assert "broke off" in run["stopped"]
    assert still.stack.cluster.objects.list(WORKFLOWS, None) == []


@pytest.mark.parametrize(
    ("fault", "status", "retry_after"),
    [
        (Fault("POST", "/graphql", status=502, times=10), 503, "10"),
        (Fault("GET", r"/repos/acme/widgets$", status=429, headers={"Retry-After": "7"}), 503, "7"),
        (Fault("GET", r"/commits/", status=403), 502, None),
    ],
    ids=["no answer", "a limit", "no permission"],
)
async def test_github_s_refusals(fault: Fault, status: int, retry_after: str | None, still: Api) -> None:
    sha = await still.push({".kube-ci/ci.yaml": steps("true")})
    await still.built(sha)
    still.stack.github.faults.add(fault)
    answer = await still.run(sha)
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry_after), answer.text
    assert "secret" not in answer.text.lower()
    assert answer.json()["message"]


async def test_what_the_cluster_refuses_is_told(still: Api) -> None:
    sha = await still.push({"README.md": "none"})
    # The cluster's own schema is the judge of fields that ours does not know.
    unknown = {"ci.yaml": steps("true") + "  imaginary: 1\n"}
    refused = await still.run(sha, ci_context=unknown, run=True)
    assert refused.status_code == 409, refused.text
    assert "imaginary" in refused.json()["message"]
    assert "imaginary" in refused.json()["debug"]
    [run] = (await still("GET", "/runs")).json()["runs"]
    assert (run["state"], run["conclusion"]) == ("finished", "failure")
