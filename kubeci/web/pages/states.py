"""The states of builds and steps as people read them: a word, and a kind that has a sign and a colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kubeci.model.build import Build, BuildState
from kubeci.model.report import StepSeen
from kubeci.model.trust import What
from kubeci.report.plain import one_line

Kind = Literal["success", "failure", "running", "queued", "asking", "neutral"]


@dataclass(frozen=True, slots=True)
class State:
    """A state's word, and the kind whose sign and colour it has."""

    word: str
    kind: Kind


_CONCLUSIONS = {
    "success": State("success", "success"),
    "failure": State("failed", "failure"),
    "timed_out": State("timed out", "failure"),
    "action_required": State("action required", "asking"),
    "cancelled": State("cancelled", "neutral"),
    "skipped": State("skipped", "neutral"),
    "neutral": State("neutral", "neutral"),
}
_PHASES: dict[str, State] = {
    "Succeeded": State("succeeded", "success"),
    "Failed": State("failed", "failure"),
    "Error": State("error", "failure"),
    "Running": State("running", "running"),
    "Pending": State("pending", "queued"),
    "Skipped": State("skipped", "neutral"),
    "Omitted": State("omitted", "neutral"),
}
_ASKED = {
    What.PUSH: "push",
    What.TAG: "tag",
    What.MERGE_QUEUE: "merge queue",
    What.PULL_REQUEST: "pull request",
    What.FORK: "pull request from a fork",
    What.RERUN: "re-run",
    What.RERUN_FORK: "re-run",
    What.RUN: "Run button",
    What.COMMAND: "comment",
    What.DEPLOYMENT: "deployment",
    What.SLACK: "Slack",
    What.API: "API",
}


def state_of(build: Build) -> State:
    """Say how a build is."""
    if build.state is BuildState.SKIPPED:
        return _CONCLUSIONS["skipped"]
    if build.superseded_by and build.conclusion in {"", "cancelled", "action_required"}:
        ended = build.state is BuildState.FINISHED
        return State("superseded", "neutral") if ended else State("stopping", "running")
    if build.conclusion:
        return _CONCLUSIONS.get(build.conclusion, State(build.conclusion, "neutral"))
    if build.state is BuildState.OFFERED:
        return State("offered", "asking")
    if build.state is BuildState.FINISHED:
        return State("ended", "neutral")
    if build.state is BuildState.SUBMITTING:
        return State("queued", "queued")
    return State("stopping" if build.stopped else "running", "running")


def runs(build: Build) -> bool:
    """Say whether a build's state is about to change by itself."""
    return build.state in {BuildState.SUBMITTING, BuildState.RUNNING}


def step_state(step: StepSeen) -> State:
    """Say how a step is."""
    if step.type == "Suspend" and step.phase == "Running":
        return State("waiting", "asking")
    return _PHASES.get(step.phase) or State(one_line(step.phase, 20) or "unknown", "neutral")


def asked_by(build: Build) -> str:
    """Say what asked for a build, and who where that is known."""
    word = _ASKED.get(build.what, "button")
    return f"{word} by {one_line(build.actor, 60)}" if build.actor else word
