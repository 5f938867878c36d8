"""Slash commands as people write them on the local GitHub, up to the workflow and the answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from shared_stacks import Stacks
from tests_stack import PASSING, SharedScene, workflow
from world import FAST

from kubeci.local.github import git
from kubeci.local.github.conversation import Comment, Thread
from kubeci.local.github.faults import Fault
from kubeci.local.stack import StackSettings
from kubeci.settings.config import Config, TemplateFiles
from kubeci.settings.pattern import Pattern
from kubeci.workflow import metadata

MEMBERS_ONLY = "you must be an organisation member to execute commands"
LONG = {".kube-ci/ci.yaml": workflow(["sleep", "60"])}
TEMPLATE = workflow(["true"])
RUNNING_FAST = StackSettings()
PACE = replace(FAST, github=replace(FAST.github, answer_seconds=20.0))


def deploying(*names: str) -> str:
    """A definition with templates that deploy."""
    environment = {"inputs": {"parameters": [{"name": "environment"}]}}
    image = {"container": {"image": "alpine", "command": ["true"]}}
    arguments = {"parameters": [{"name": "environment", "value": "nowhere"}]}
    templates = [{"name": "ci", **image}, *({"name": name, **environment, **image} for name in names)]
    return yaml.safe_dump(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "spec": {"entrypoint": "ci", "arguments": arguments, "templates": templates},
        }
    )


@dataclass
class Talk(SharedScene):
    """A scene in which people talk."""

    @property
    def github(self) -> Any:
        return self.stack.github

    def said(self, thread: Thread) -> list[str]:
        """Our comments on an issue or a pull request."""
        bot = f"{self.github.state.app.slug}[bot]"
        comments = self.github.state.comments.values()
        return [each.body for each in comments if each.thread is thread and each.user.login == bot]

    def reactions(self, subject: Comment | Thread) -> list[str]:
        return [each.content for each in self.github.state.reactions.get(subject.id, [])]

    async def say(self, thread: Thread, text: str, by: str = "ada") -> Comment:
        """Comment, and wait until the server has dealt with it."""
        comment: Comment = await self.github.comment(self.repository, thread.number, text, by=by)
        await self.quiet()
        return comment

    async def told(self, thread: Thread, text: str, by: str = "ada") -> tuple[str, list[str]]:
        """Comment; give the newest answer, empty without one, and the reactions."""
        before = len(self.said(thread))
        comment = await self.say(thread, text, by)
        after = self.said(thread)[before:]
        assert len(after) <= 1
        assert all(not line.startswith("/kube-ci") for each in after for line in each.splitlines())
        return (after[0] if after else ""), self.reactions(comment)

    async def fork(self, files: dict[str, str] | None = None) -> tuple[Any, str]:
        """Open a pull request of a stranger's fork; give it and its head's sha."""
        await self.github.fork(self.repository, "stranger")
        self.github.user = "stranger"
        sha = await self.push_to_fork(files or {"x": "1"})
        pull = await self.github.open_pull_request(self.repository, head=f"{self.fork_name}:patch")
        self.github.user = "octocat"
        await self.heard()
        return pull, sha

    async def heard(self) -> None:
        """Wait until the server has dealt with all, and a comment's time, in whole seconds, comes after that."""
        await self.quiet()
        now = datetime.now(UTC).replace(microsecond=0)
        await self.until(lambda: datetime.now(UTC) >= now + timedelta(seconds=1))

    async def push_to_fork(self, files: dict[str, str]) -> str:
        self.github.user = "stranger"
        sha: str = await self.github.push(self.fork_name, files, branch="patch", message="Mine")
        self.github.user = "octocat"
        return sha

    async def branch(self, files: dict[str, str]) -> tuple[Any, str]:
        """Open a pull request of a branch of the repository."""
        await self.push({"README": "x"})
        sha = await self.push(files, branch="feature")
        pull = await self.github.open_pull_request(self.repository, head="feature")
        await self.quiet()
        return pull, sha

    def built(self, sha: str) -> list[dict[str, Any]]:
        """The workflows of a commit."""
        return [each for each in self.workflows() if metadata.annotations_of(each)[metadata.SHA] == sha]

    async def file(self, branch: str, path: str) -> tuple[str, str]:
        """A file of a branch, and the message of the branch's newest commit."""
        repository = self.github.state.repository(self.repository)
        async with git.objects(repository.path) as objects:
            blob, commit = await objects.get(f"{branch}:{path}"), await objects.get(branch)
        assert commit
        return blob.content.decode() if blob else "", commit.content.decode().partition("\n\n")[2].strip()


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with templates, good and bad."""
    folder = tmp_path_factory.mktemp("templates")
    (folder / "go.yaml").write_text(TEMPLATE)
    (folder / "go.star").write_text("workflow = None\n")
    (folder / "big.yaml").write_text("#" * 1_000_001)
    (folder / "binary.yaml").write_bytes(b"\xff")
    return folder


@pytest.fixture(scope="session")
def settings(templates: Path) -> StackSettings:
    """Two templates that may be used, and workflows that nobody runs."""
    found = {
        "go": TemplateFiles("For @everyone who writes Go", str(templates / "go.yaml")),
        "star": TemplateFiles("Starlark", str(templates / "go.star")),
        "lost": TemplateFiles("", str(templates / "nothing.yaml")),
        "none": TemplateFiles(),
        "big": TemplateFiles("", str(templates / "big.yaml")),
        "binary": TemplateFiles("", str(templates / "binary.yaml")),
    }
    config = Config(build_branches=Pattern("^main$"), templates=found, deploy_templates=Pattern("^deploy"))
    return StackSettings(config=config, engine=False)


@pytest_asyncio.fixture(loop_scope="session")
async def talk(stacks: Stacks, settings: StackSettings) -> Talk:
    """A stack of those settings, and a member `ada` who has no write permission."""
    scene = await stacks.scene(settings, PACE)
    scene.stack.github.member(scene.owner, "ada")
    return Talk(scene.stack, scene.repository)


async def test_a_member_runs_a_forks_pull_request(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, sha = await talk.fork()
    assert talk.built(sha) == []
    assert await talk.told(pull, "Looks good.\n\n/kube-ci run") == ("", ["+1"])
    [built] = talk.built(sha)
    assert metadata.annotations_of(built)[metadata.PR_URL].endswith(f"/pull/{pull.number}")
    assert [run.name for run in talk.runs(sha) if run.status != "completed"] == ["Workflow - ci"]


async def test_a_stranger_is_told_so_and_nothing_runs(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, sha = await talk.fork()
    text, reactions = await talk.told(pull, "/kube-ci run\n/kube-ci deploy\n/kube-ci setup go", by="stranger")
    assert (text.splitlines()[0], reactions) == (MEMBERS_ONLY, ["-1"])
    assert talk.built(sha) == []
    assert not talk.deployments()


async def test_a_push_after_the_comment_is_not_built(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, seen = await talk.fork()
    # The comment is written, and the stranger pushes before its delivery is dealt with.
    fault = talk.github.faults.add(
        Fault("GET", f"/{talk.owner}/.*/pulls/{pull.number}$", status=502, times=100)
    )
    comment = await talk.github.comment(talk.repository, pull.number, "/kube-ci run", by="ada")
    await talk.until(lambda: fault.times < 100)
    sha = await talk.push_to_fork({"evil": "1"})
    talk.github.faults.clear()
    await talk.quiet()
    assert talk.built(seen) == talk.built(sha) == []
    [text] = talk.said(pull)
    assert f"`/kube-ci run {sha}`" in text
    assert talk.reactions(comment) == ["confused"]
    text, _ = await talk.told(pull, f"/kube-ci run {seen}")
    assert f"the head is not `{seen}`" in text
    assert await talk.told(pull, f"/kube-ci run {sha}") == ("", ["+1"])
    assert len(talk.built(sha)) == 1
    assert talk.built(seen) == []


ON_A_FORK = [
    ("/kube-ci run zzz", "the sha of the head"),
    ("/kube-ci run abc", "at least 7 digits"),
    ("/kube-ci run 0123456", "the head is not `0123456`"),
    ("/kube-ci deploy a b", "please specify one environment"),
    ("/kube-ci deploy", "what is deployed must be in this one"),
    ("/kube-ci setup go", "the pull request comes from another repository"),
    ("/kube-ci retry", "nothing has failed"),
    ("/kube-ci cancel", "nothing is running"),
    ("/kube-ci rum", "did you mean `/kube-ci run`?"),
    ("/kube-ci run 'a", "a quote is not closed"),
]


async def test_what_is_refused_on_a_forks_pull_request(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, sha = await talk.fork()
    for text, answer in ON_A_FORK:
        told, reactions = await talk.told(pull, text)
        assert (answer in told, reactions) == (True, ["confused"]), told
    assert talk.built(sha) == []
    repository = talk.github.state.repository(talk.repository)
    assert list(await git.refs(repository.path, "refs/heads/")) == ["refs/heads/main"]


async def test_what_is_no_command_costs_nothing(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, sha = await talk.fork()
    talk.github.requests.clear()
    for text in ("```\n/kube-ci run\n```", "> /kube-ci run", "see /kube-ci run"):
        assert await talk.told(pull, text) == ("", [])
    comment = await talk.say(pull, "Hello")
    await talk.github.edit_comment(talk.repository, comment.id, "/kube-ci run", by="ada")
    await talk.quiet()
    asked = [each.path for each in talk.github.requests]
    assert [path for path in asked if "/acme-" not in path or f"/{talk.owner}/" in path] == []
    assert talk.built(sha) == []


async def test_several_commands_get_one_answer(talk: Talk) -> None:
    pull, sha = await talk.branch(LONG)
    text, reactions = await talk.told(
        pull, "/kube-ci cancel\r\n/kube-ci nonsense @ada\r\n\r\n/kube-ci run\r\n/kube-ci 'x"
    )
    assert reactions == ["confused"]
    assert [line.split("`")[1] for line in text.splitlines() if line.startswith("- ")] == [
        "/kube-ci cancel",
        "/kube-ci nonsense @ada",
        "/kube-ci run",
        "/kube-ci 'x",
    ]
    old, new = sorted(talk.built(sha), key=lambda each: int(each["metadata"]["resourceVersion"]))
    assert {old["spec"].get("shutdown"), new["spec"].get("shutdown")} == {"Stop", None}


async def test_cancel_stops_and_a_second_terminates(talk: Talk) -> None:
    pull, sha = await talk.branch(LONG)
    for wanted in ("Stop", "Terminate"):
        assert await talk.told(pull, "/kube-ci cancel") == ("", ["+1"])
        [running] = talk.built(sha)
        assert running["spec"]["shutdown"] == wanted


async def test_a_cancel_that_is_tried_again_does_not_terminate(talk: Talk) -> None:
    pull, sha = await talk.branch(LONG)
    # First the cluster does not stop it, then GitHub does not take the answer.
    [name] = [each["metadata"]["name"] for each in talk.built(sha)]
    talk.stack.cluster.faults.add("PATCH", f"/workflows/{name}", status=500, times=2)
    talk.github.faults.add(Fault("POST", f"/{talk.owner}/.*/reactions", status=502, times=3))
    comment = await talk.say(pull, "/kube-ci cancel")
    assert talk.reactions(comment) == ["+1"]
    [running] = talk.built(sha)
    assert running["spec"]["shutdown"] == "Stop"


async def test_without_an_answer_about_people_nobody_may(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, sha = await talk.fork()
    talk.github.installation(talk.repository).permissions.pop("members")
    talk.github.faults.add(
        Fault("GET", f"/{talk.owner}/members/", status=403, body='{"message": "No"}', times=1)
    )
    text, reactions = await talk.told(pull, "/kube-ci run")
    assert "GitHub does not say whether you may execute commands" in text
    assert (reactions, talk.built(sha)) == (["-1"], [])


async def test_without_a_permission_the_answer_says_which(talk: Talk) -> None:
    talk.github.installation(talk.repository).permissions["contents"] = "read"
    pull, sha = await talk.branch({"a": "1"})
    text, reactions = await talk.told(pull, "/kube-ci setup go")
    assert ("not accessible by integration" in text, "contents: write" in text) == (True, True)
    assert reactions == ["confused"]
    repository = talk.github.state.repository(talk.repository)
    assert (await git.refs(repository.path, "refs/heads/"))["refs/heads/feature"] == sha


async def test_a_build_that_was_begun_goes_on_whatever_is_pushed(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, seen = await talk.fork()
    talk.stack.cluster.faults.add("POST", "/workflows", status=500, times=100)
    comment = await talk.github.comment(talk.repository, pull.number, "/kube-ci run", by="ada")
    await talk.until(lambda: [run for run in talk.runs(seen) if run.name == "Workflow - ci"])
    sha = await talk.push_to_fork({"evil": "1"})
    talk.stack.cluster.faults.clear()
    await talk.quiet()
    assert (len(talk.built(seen)), talk.built(sha)) == (1, [])
    assert talk.reactions(comment) == ["+1"]


async def held(talk: Talk, pull: Any, text: str) -> Comment:
    """Comment, and let GitHub fail until `faults` are cleared."""
    fault = talk.github.faults.add(
        Fault("GET", f"/{talk.owner}/.*/pulls/{pull.number}$", status=502, times=100)
    )
    comment: Comment = await talk.github.comment(talk.repository, pull.number, text, by="ada")
    await talk.until(lambda: fault.times < 100)
    return comment


def heard_later(talk: Talk) -> None:
    """Have GitHub begin all check-runs an hour later than it did: their heads may be newer than any comment."""
    for run in talk.github.state.runs.values():
        if run.suite.repository.full_name == talk.repository and run.started_at:
            later = datetime.fromisoformat(run.started_at) + timedelta(hours=1)
            run.started_at = later.strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_only_a_whole_sha_says_what_was_looked_at(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, sha = await talk.fork()
    heard_later(talk)
    for written, reaction in (("", "confused"), (sha[:12], "confused"), (sha, "+1")):
        comment = await talk.say(pull, f"/kube-ci run {written}")
        assert talk.reactions(comment) == [reaction]
    assert len(talk.built(sha)) == 1


async def test_an_answer_to_a_deleted_comment_is_let_go(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, sha = await talk.fork()
    comment = await held(talk, pull, f"/kube-ci run {sha}")
    await talk.github.delete_comment(talk.repository, comment.id, by="ada")
    talk.github.faults.clear()
    await talk.quiet()
    assert len(talk.built(sha)) == 1
    assert [reason for _, _, reason in talk.deliveries("done") if "GitHub does not take the answer" in reason]


async def test_retry_builds_what_failed(stacks: Stacks) -> None:
    scene = await stacks.scene(RUNNING_FAST, PACE)
    talk = Talk(scene.stack, scene.repository)
    pull, sha = await talk.branch({".kube-ci/ci.yaml": workflow(["false"])})
    await talk.concluded(sha)
    await talk.until(lambda: "failure" in {run.conclusion for run in talk.runs(sha)})
    unfinished = f"SELECT id FROM builds WHERE state != 'finished' AND owner = '{talk.owner}'"
    await talk.until(lambda: not talk.stored(unfinished))
    await talk.quiet()
    talk.github.faults.add(
        Fault("POST", f"/{talk.owner}/.*/reactions", status=502, times=3)
    )  # tried again, done once
    assert await talk.told(pull, "/kube-ci retry", by="octocat") == ("", ["+1"])
    again = await talk.concluded(sha, count=2)
    assert (again.name, again.conclusion) == ("Workflow - ci", "failure")
    assert len(talk.built(sha)) == 1, "its failed steps were retried"


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


ON_AN_ISSUE = [
    ("/kube-ci setup", "please specify one template"),
    ("/kube-ci setup gp", "unknown template `gp`"),
    ("/kube-ci setup lost", "the operator's setting `templates` is wrong"),
    ("/kube-ci setup none", "the operator's setting `templates` is wrong"),
    ("/kube-ci setup big", "the operator's setting `templates` is wrong"),
    ("/kube-ci setup binary", "the operator's setting `templates` is wrong"),
    ("/kube-ci run", "run is only valid on PR comments"),
    ("/kube-ci cancel", "cancel is only valid on PR comments"),
    ("/kube-ci retry", "retry is only valid on PR comments"),
    ("/kube-ci deploy", "no template deploys"),
    ("/kube-ci deploy staging --template ci", "is not a deployment template"),
]


async def test_what_is_refused_on_an_issue(talk: Talk, templates: Path) -> None:
    sha = await talk.push(PASSING)
    issue = await talk.github.open_issue(talk.repository, "CI", "", by="ada")
    for text, answer in ON_AN_ISSUE:
        told, reactions = await talk.told(issue, text)
        assert (answer in told, reactions) == (True, ["confused"]), told
        assert str(templates) not in told
    repository = talk.github.state.repository(talk.repository)
    assert (await git.refs(repository.path, "refs/heads/"))["refs/heads/main"] == sha
    text, reactions = await talk.told(issue, "/kube-ci")
    assert reactions == ["+1"]
    assert "- `/kube-ci deploy [ENV] [--template NAME]`: " in text
    assert "- `go`: `For @everyone who writes Go`" in text


async def test_bots_give_no_commands(talk: Talk) -> None:
    await talk.push(PASSING)
    pull, sha = await talk.fork()
    for bot in ("renovate[bot]", f"{talk.github.state.app.slug}[bot]"):
        comment = await talk.say(pull, "/kube-ci run", by=bot)
        assert talk.reactions(comment) == []
    assert talk.built(sha) == []
    assert [reason for _, _, reason in talk.deliveries("done") if "bots" in reason]


async def test_an_issue_without_text_asks_for_nothing(talk: Talk) -> None:
    await talk.github.open_issue(talk.repository, "CI", "", by="ada")
    await talk.quiet()
    assert [reason for event, _, reason in talk.deliveries("done") if event == "issues"] == ["no command"]


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
