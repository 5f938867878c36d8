"""`/kube-ci setup` and `/kube-ci deploy`, up to the file, the deployment and the answer."""

from __future__ import annotations

from talk_kit import TEMPLATE, Talk, deploying

from kubeci.local.github import git
from kubeci.local.github.faults import Fault


async def test_without_a_permission_the_answer_says_which(talk: Talk) -> None:
    talk.github.installation(talk.repository).permissions["contents"] = "read"
    pull, sha = await talk.branch({"a": "1"})
    text, reactions = await talk.told(pull, "/kube-ci setup go")
    assert ("not accessible by integration" in text, "contents: write" in text) == (True, True)
    assert reactions == ["confused"]
    repository = talk.github.state.repository(talk.repository)
    assert (await git.refs(repository.path, "refs/heads/"))["refs/heads/feature"] == sha


async def test_setup_writes_the_template(talk: Talk) -> None:
    await talk.push({"README": "x"})
    issue = await talk.github.open_issue(talk.repository, "CI", "Please\n/kube-ci setup go", by="ada")
    await talk.quiet()
    text, message = await talk.file("main", ".kube-ci/ci.yaml")
    assert text == TEMPLATE
    assert (
        message
        == f"kube-ci configured by ada via {talk.github.state.base_url}/{talk.repository}/issues/{issue.number}"
    )
    assert talk.reactions(issue) == ["+1"]
    assert "`.kube-ci/ci.yaml` on `main` now is the template `go`" in talk.said(issue)[0]
    again, _ = await talk.told(issue, "/kube-ci setup go")
    assert "is already the template" in again
    star, _ = await talk.told(issue, "/kube-ci setup star")
    assert "`ci.yaml` beside it is not used any more" in star
    yaml_again, _ = await talk.told(issue, "/kube-ci setup go")
    assert "**not used** while `ci.star`" in yaml_again


async def test_setup_on_a_pull_request_writes_to_its_branch(talk: Talk) -> None:
    pull, _ = await talk.branch({"a": "1"})
    before = await talk.file("main", "README")
    text, reactions = await talk.told(pull, "/kube-ci setup go")
    assert ("on `feature`" in text, reactions) == (True, ["+1"])
    assert (await talk.file("feature", ".kube-ci/ci.yaml"))[0] == TEMPLATE
    assert await talk.file("main", "README") == before


async def test_deploy_creates_the_deployment_that_runs(talk: Talk) -> None:
    pull, sha = await talk.branch({".kube-ci/ci.yaml": deploying("deploy")})
    assert await talk.told(pull, "/kube-ci deploy production") == ("", ["+1"])
    [deployment] = talk.deployments()
    assert (deployment.wish.task, deployment.environment, deployment.sha, deployment.wish.ref) == (
        "deploy",
        "production",
        sha,
        "feature",
    )
    assert deployment.wish.payload["kube_ci"]["run"] is True
    await talk.until(lambda: [run for run in talk.runs(sha) if run.name == "Workflow - deploy (deployment)"])


async def test_deploy_asks_which_template(talk: Talk) -> None:
    sha = await talk.push({".kube-ci/ci.yaml": deploying("deploy-a", "deploy-b")})
    issue = await talk.github.open_issue(talk.repository, "CI", "", by="ada")
    text, reactions = await talk.told(issue, "/kube-ci deploy")
    assert "several templates deploy: `deploy-a`, `deploy-b`" in text
    assert reactions == ["confused"]
    assert not talk.deployments()
    assert await talk.told(issue, "/kube-ci deploy --template deploy-b") == ("", ["+1"])
    [deployment] = talk.deployments()
    assert (deployment.wish.task, deployment.environment, deployment.sha) == ("deploy-b", "staging", sha)


async def test_a_deployment_whose_answer_was_lost_is_not_made_twice(talk: Talk) -> None:
    await talk.push({".kube-ci/ci.yaml": deploying("deploy")})
    issue = await talk.github.open_issue(talk.repository, "CI", "", by="ada")
    talk.github.faults.add(Fault("POST", f"/{talk.owner}/.*/deployments$", status=502, after=True))
    assert await talk.told(issue, "/kube-ci deploy") == ("", ["+1"])
    assert len(talk.deployments()) == 1
