"""What happens in a local stack, told to a person at a terminal, a line each time something changes."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from kubeci.local.cluster.resources import CLAIMS, WORKFLOWS
from kubeci.local.github.state import CheckRun
from kubeci.local.stack import LocalStack
from kubeci.workflow.status import read_state

STYLES = {
    "success": "green",
    "Succeeded": "green",
    "failure": "red",
    "Failed": "red",
    "Error": "red",
    "warning": "yellow",
    "Running": "yellow",
    "in_progress": "yellow",
    "cancelled": "magenta",
    "skipped": "dim",
    "neutral": "dim",
    "action_required": "magenta",
    "Skipped": "dim",
    "Omitted": "dim",
}
STEP_TYPES = frozenset({"Pod", "Skipped", "Suspend"})


@dataclass(slots=True)
class Narrator:
    """Tells only what is new since it last looked."""

    console: Console
    _told: dict[str, str] = field(default_factory=dict)

    def started(self, stack: LocalStack) -> None:
        """Say what runs where."""
        isolation = stack.engine.isolation if stack.engine else "none"
        how = {
            "namespace": "in mount namespaces of their own; images are not pulled, this machine's programs run",
            "process": "as plain processes, since this machine allows no namespaces; this machine's programs run",
        }
        self.console.print(Text("kubeci on this machine", style="bold"))
        for name, value in (
            ("a GitHub", stack.github.base_url),
            ("a cluster", stack.cluster.url),
            ("the server", stack.server_url),
            ("steps run", how.get(isolation, isolation)),
        ):
            self.console.print(f"  {name:<11} {value}", highlight=False, soft_wrap=True)
        self.console.print()

    def pushed(self, repository: str, branch: str, sha: str, message: str) -> None:
        """Say that a commit was pushed."""
        self._line("git", f"pushed {sha[:7]} to {repository}, branch {branch}: {message}")

    def opened(self, number: int, title: str, head: str) -> None:
        """Say that a pull request was opened."""
        self._line("git", f"opened pull request #{number} from {head}: {title}")

    def pressed(self, login: str, button: str, name: str) -> None:
        """Say that somebody pressed a button on a check-run."""
        self._line("button", f"{login} pressed {button} on {name}")

    def look(self, stack: LocalStack) -> None:
        """Tell deliveries, steps, caches, deployments and check-runs that changed."""
        for delivery in list(stack.github.deliveries.sent):
            # Events that ask nothing of the server are many, and say nothing to a person.
            if delivery.status_code and "ignored" not in delivery.response_body:
                what = f"{delivery.event} {delivery.payload.get('action', '')}".strip()
                self._change(f"delivery {delivery.id}", "webhook", what, f"answered {delivery.status_code}")
        for workflow in stack.cluster.objects.list(WORKFLOWS, None):
            state = read_state(workflow)
            for node in state.nodes:
                if node.type in STEP_TYPES and node.phase not in {"", "Pending"}:
                    self._change(
                        f"{state.name} {node.id}", "step", f"{state.name}: {node.display_name}", node.phase
                    )
        for claim in stack.cluster.objects.list(CLAIMS, None):
            name, size = claim["metadata"]["name"], claim["spec"]["resources"]["requests"]["storage"]
            self._change(f"claim {name}", "cache", f"{name}, {size}", claim["status"]["phase"])
        for deployment in list(stack.github.state.deployments.values()):
            url = deployment.statuses[-1].environment_url if deployment.statuses else ""
            what = " ".join(filter(None, (f"{deployment.wish.ref} to {deployment.environment}", url)))
            self._change(f"deployment {deployment.id}", "deployment", what, deployment.state or "created")
        for run in list(stack.github.state.runs.values()):
            shown = run.conclusion or run.status
            where = f"{run.suite.head_branch or run.suite.head_sha[:7]}: {run.name}"
            self._change(f"run {run.id}", "check-run", where, shown)

    def judged(self, branch: str, says: str, runs: Iterable[CheckRun], wrong: Sequence[str]) -> None:
        """Show a branch's annotations, and say whether its check-runs ended as expected; `says` is who expects it."""
        ended = []
        for run in runs:
            ended.append(f"{run.name}: {run.conclusion}")
            for annotation in run.annotations:
                where = f"{annotation['path']}:{annotation['start_line']}"
                self._line(
                    "annotation",
                    f"{branch}: {where}: {annotation['message']}",
                    annotation["annotation_level"],
                )
        if not wrong:
            self.console.print(
                Text(f"✓ {branch} ended as {says} says ({', '.join(ended)})", style="green"), soft_wrap=True
            )
        for sentence in wrong:
            self.console.print(Text(f"✗ {branch}: {sentence}", style="red"), soft_wrap=True)

    def pages(self, stack: LocalStack, repository: str, commits: Sequence[tuple[str, str]]) -> None:
        """Give the addresses of the pages."""
        self.console.print()
        for branch, sha in commits:
            url = f"{stack.github.base_url}/{repository}/commit/{sha}"
            self.console.print(f"  checks of {branch:<11} {url}", highlight=False, soft_wrap=True)
        for name, url in (
            ("pull requests", f"{stack.github.base_url}/{repository}/pulls"),
            ("deployments", f"{stack.github.base_url}/{repository}/deployments"),
            ("builds, live", stack.server_url),
        ):
            self.console.print(f"  {name:<21} {url}", highlight=False, soft_wrap=True)

    def kept(self, settings: Path) -> None:
        """Give the line that lists what the server heard, and what became of it."""
        line = f"kubeci events --config {shlex.quote(str(settings))}"
        self.console.print(f"  {'what the server did':<21} {line}", highlight=False, soft_wrap=True)

    def waiting(self, stack: LocalStack, repository: str) -> None:
        """Say what a person can do now."""
        self.console.print(
            f"\nLook at the pages, press their buttons, write `/kube-ci help` under a pull request, or push something of your own:\n\n"
            f"  git clone {stack.github.base_url}/{repository}.git && cd {repository.partition('/')[2]}\n"
            f"  …change words.py…\n"
            f"  git commit -am 'Try it' && git push\n\n"
            f"Ctrl-C ends it all.",
            highlight=False,
            soft_wrap=True,
        )

    def _change(self, key: str, kind: str, what: str, state: str) -> None:
        if self._told.get(key) != state:
            self._told[key] = state
            self._line(kind, what, state)

    def _line(self, kind: str, what: str, state: str = "") -> None:
        now = f"{datetime.now().astimezone():%H:%M:%S}"
        line = Text.assemble((now, "dim"), f"  {kind:<10} ", what)
        if state:
            line.append(f"  {state}", style=STYLES.get(state, "cyan"))
        self.console.print(line, soft_wrap=True)
