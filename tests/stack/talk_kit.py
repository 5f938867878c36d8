"""A scene in which people talk on the local GitHub, and what they talk of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml
from tests_stack import SharedScene, workflow
from world import FAST

from kubeci.local.github import git
from kubeci.local.github.conversation import Comment, Thread
from kubeci.local.github.faults import Fault
from kubeci.workflow import metadata

TEMPLATE = workflow(["true"])
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
