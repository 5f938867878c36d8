"""Plays workflows side by side on a cluster, and gives what it said of each, without what differs from run to run."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from contract_requests import Case, shown
from contract_target import Target, eventually
from contract_workflows import CONTRACT_LABEL, Play, manifest

from kubeci.workflow.pod_names import pod_name
from kubeci.workflow.status import Node

_ARGO = "workflows.argoproj.io"
PLAYING_SECONDS = 180.0  # 45 where the machine has nothing else to do
_OF_EXECUTOR = {"var-run-argo", "tmp-dir-argo", "argo-staging"}
_MERGE = {"Content-Type": "application/merge-patch+json"}


class Stage:
    """The workflows of a table, all at once on one cluster."""

    def __init__(self, target: Target, plays: Mapping[str, Play]) -> None:
        self._target = target
        self._plays = plays
        self._patched: set[str] = set()
        self._submitted: set[str] = set()
        self.steps: dict[str, list[Any]] = {name: [] for name in plays}
        self.ends: dict[str, Any] = {}
        self.refused: dict[str, Any] = {}
        """What the API server answered where it did not even take the workflow."""

    def workflow_name(self, name: str) -> str:
        """Give the name under which a play is submitted."""
        return f"{self._target.nonce}-{name}"

    def run(self, names: Collection[str]) -> None:
        """Submit workflows, follow them by one watch, and patch each when its moment has come."""
        since = self._target.got(self._target.workflows, limit="1")["metadata"]["resourceVersion"]
        for name in names:
            body = manifest(self._plays[name], self.workflow_name(name), self._target.nonce)
            answer = self._target.http.post(self._target.workflows, json=body)
            self._submitted.add(name)
            if answer.status_code != 201:
                self.refused[name] = shown(answer.json(), Case(name, ()))
        missing = set(names) - self.refused.keys()
        if not missing:
            return
        query = {
            "watch": "true",
            "labelSelector": f"{CONTRACT_LABEL}={self._target.nonce}",
            "resourceVersion": since,
            "timeoutSeconds": f"{PLAYING_SECONDS:g}",
        }
        with self._target.http.stream(
            "GET", self._target.workflows, params=query, timeout=PLAYING_SECONDS
        ) as lines:
            for line in lines.iter_lines():
                self._look(json.loads(line)["object"])
                if not (missing := missing - self.ends.keys()):
                    return

    def _look(self, workflow: Any) -> None:
        name = workflow["metadata"]["name"].removeprefix(f"{self._target.nonce}-")
        play, status = self._plays[name], workflow.get("status", {})
        labels = workflow["metadata"]["labels"]
        step = [status.get("phase"), labels.get(f"{_ARGO}/phase"), labels.get(f"{_ARGO}/completed")]
        if step not in self.steps[name][-1:]:
            self.steps[name].append(step)
        if labels.get(f"{_ARGO}/completed") == "true":
            self.ends[name] = workflow
        elif name not in self._patched and (node := _moment(play, workflow)) is not None:
            self._patched.add(name)
            self._act(play, workflow, node)

    def _act(self, play: Play, workflow: Any, node: Any) -> None:
        name = workflow["metadata"]["name"]
        path = f"{self._target.workflows}/{name}"
        if play.patch:
            answer = self._target.http.patch(path, content=json.dumps(play.patch), headers=_MERGE)
        elif play.resume:
            ended = {"phase": play.ends, "finishedAt": node["startedAt"]}
            resumed = {"status": {"nodes": {node["id"]: ended}}}
            answer = self._target.http.patch(path, content=json.dumps(resumed), headers=_MERGE)
        assert answer.status_code == 200, answer.text

    def told(self, name: str) -> Any:
        """Give what the cluster said of a play: the workflow at its end, and its pods.

        The real controller takes its time, and so plays all of them at once.
        """
        if name not in self._submitted:
            self.run([name] if self._target.local else list(self._plays))
        assert name in self.refused or name in self.ends, f"{name} did not finish in time"
        if name in self.refused:
            return json.loads(json.dumps(self.refused[name]).replace(self.workflow_name(name), "WF"))
        workflow = self.ends[name]
        status = workflow["status"]
        nodes = status.get("nodes", {})
        found = {
            "steps": self.steps[name],
            "phase": status["phase"],
            "message": status.get("message", ""),
            "progress": status.get("progress"),
            "conditions": _conditions(workflow),
            "claims": status.get("persistentVolumeClaims"),
            "labels": {k: v for k, v in workflow["metadata"]["labels"].items() if k != CONTRACT_LABEL},
            "annotations": _untraced(workflow["metadata"].get("annotations", {})),
            "nodes": {node["name"]: _node(node, nodes) for node in nodes.values()},
            "pods": self._pods(workflow),
        }
        return _masked(found, workflow, nodes)

    def _pods(self, workflow: Any) -> Any:
        """Give the pods by the names of their nodes, once they are labelled as completed."""
        name = workflow["metadata"]["name"]
        nodes = workflow["status"].get("nodes", {})

        def settled() -> Any:
            pods = self._target.got(self._target.pods, labelSelector=f"{_ARGO}/workflow={name}")["items"]
            done = all(pod["metadata"]["labels"][f"{_ARGO}/completed"] == "true" for pod in pods)
            return pods if done else None

        return {
            pod["metadata"]["annotations"][f"{_ARGO}/node-name"]: _pod(pod, name, nodes)
            for pod in eventually(settled, f"pods of {name}", 20)
        }


def _moment(play: Play, workflow: Any) -> Any:
    """Give the node whose phase was waited for (or the workflow's status); None before that."""
    status = workflow.get("status", {})
    if not (play.patch or play.resume):
        return None
    found = (
        [
            node
            for node in status.get("nodes", {}).values()
            if node["displayName"] in {play.when, play.when.replace("WF", workflow["metadata"]["name"])}
        ]
        if play.when
        else [status]
    )
    return next((node for node in found if node.get("phase") == play.phase), None)


def _node(node: Any, nodes: Any) -> Any:
    kept = (
        "displayName",
        "type",
        "templateName",
        "templateScope",
        "phase",
        "message",
        "nodeFlag",
        "inputs",
        "progress",
    )
    # Of a DAG their order is that in which the controller happened to see its tasks end.
    related = {
        key: sorted(nodes[one]["name"] for one in node.get(key, [])) for key in ("children", "outboundNodes")
    }
    boundary = nodes[node["boundaryID"]]["name"] if node.get("boundaryID") else None
    code = (node.get("outputs") or {}).get("exitCode")
    return {key: node.get(key) for key in kept} | related | {"boundary": boundary, "exitCode": code}


def _pod(pod: Any, workflow: str, nodes: Any) -> Any:
    metadata = pod["metadata"]
    node = nodes[metadata["annotations"][f"{_ARGO}/node-id"]]
    named = Node(
        id=node["id"],
        name=node["name"],
        display_name="",
        type="Pod",
        phase="",
        template_name=node["templateName"],
    )
    assert metadata["name"] == pod_name(workflow, named)
    owner = metadata["ownerReferences"][0]
    return {
        "labels": metadata["labels"],
        "annotations": _untraced(metadata["annotations"]),
        "owner": {key: value for key, value in owner.items() if key != "uid"},
        "containers": [one["name"] for one in pod["spec"]["containers"]],
        "init": [one["name"] for one in pod["spec"].get("initContainers", [])],
        "volumes": [
            v
            for v in pod["spec"].get("volumes", [])
            if v["name"] not in _OF_EXECUTOR and "projected" not in v
        ],
    }


def _conditions(workflow: Any) -> Any:
    """Give the conditions; that a pod runs not of what was stopped, since KWOK's pods do not heed it."""
    found = workflow["status"].get("conditions", [])
    stopped = "shutdown" in workflow["spec"]
    return [one for one in found if not (stopped and one["type"] == "PodRunning")]


def _untraced(annotations: Any) -> Any:
    return {
        key: value for key, value in annotations.items() if not re.match(rf"{_ARGO}/(span|trace)-id$", key)
    }


def _masked(found: Any, workflow: Any, nodes: Any) -> Any:
    """Write `WF` for the workflow's name, and `<NAME>` for the id of a node."""
    text = json.dumps(found)
    name = workflow["metadata"]["name"]
    for node in sorted(nodes.values(), key=lambda one: -len(one["id"])):
        if node["id"] != name:
            text = text.replace(node["id"], json.dumps(f"<{node['name']}>")[1:-1])
    text = re.sub(rf"({name}-[-\w.]+)-\d{{6,10}}", r"\1-HASH", text)  # the name of a pod
    # What the expressions' library says of one that it cannot read is its own affair.
    text = re.sub(r"(Invalid 'when' expression '.*?'): [^\"]*", r"\1", text)
    return json.loads(text.replace(name, "WF"))
