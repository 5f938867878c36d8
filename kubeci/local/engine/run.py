"""One workflow from its first look to its end: passes of the pure core, and the pods they ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from types import MappingProxyType

import structlog

from kubeci.local.cluster.objects import AT_ONCE
from kubeci.local.cluster.resources import CLAIMS, PODS, WORKFLOWS
from kubeci.local.cluster.status import ApiError
from kubeci.local.engine import claims, pods
from kubeci.local.engine.nodes import fulfilled
from kubeci.local.engine.operate import Outcome, operate
from kubeci.local.engine.operation import PodRequest, PodState
from kubeci.local.engine.runner import Machine, PodRun
from kubeci.local.engine.status import claim_name, finish
from kubeci.local.engine.uninterrupted import uninterrupted
from kubeci.model.json import JsonObject

_log = structlog.get_logger(__name__)
_TTL_FIELDS = MappingProxyType(
    {"Succeeded": "secondsAfterSuccess", "Failed": "secondsAfterFailure", "Error": "secondsAfterFailure"}
)


class WorkflowRun:
    """Runs one workflow; `wake` asks it to look again, cancelling `run` kills its pods."""

    def __init__(self, machine: Machine, namespace: str, name: str) -> None:
        self._machine = machine
        self._objects = machine.objects
        self._key = (namespace, name)
        self._changed = asyncio.Event()
        self._states: dict[str, PodState] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._pods: dict[str, JsonObject] = {}
        self._labelled: set[str] = set()

    def wake(self) -> None:
        """Look at the workflow again: something changed."""
        self._changed.set()

    def lose(self, uid: str, *, gone: bool) -> None:
        """Stop a pod that somebody deletes; forget it once it is gone."""
        for node_id, pod in self._pods.items():
            if pod["metadata"]["uid"] != uid:
                continue
            if node_id in self._tasks:
                self._tasks[node_id].cancel()
            if gone and node_id in self._states:
                del self._states[node_id]
                self.wake()

    async def run(self) -> None:
        """Bring the workflow to its end; returns early when it is deleted."""
        finished = None
        try:
            finished = await self._follow()
        finally:
            await uninterrupted(self._settle())
        if finished is not None:
            await self._expire(finished)

    async def _follow(self) -> JsonObject | None:
        while True:
            self._changed.clear()
            outcome = self._pass()
            if outcome is None:
                return None
            if "finishedAt" in outcome.workflow["status"]:
                return outcome.workflow
            await self._wait(outcome.wake_at)

    def _pass(self) -> Outcome | None:
        """Make one pass, without giving way to others; None when the workflow is not there to be run."""
        try:
            workflow = self._objects.get(WORKFLOWS, *self._key)
        except ApiError:
            return None
        if "deletionTimestamp" in workflow["metadata"]:
            return None
        outcome = self._decide(workflow)
        self._make_claims(outcome.workflow)
        for request in outcome.start:
            self._create(outcome.workflow, request)
        if outcome.workflow != workflow:
            self._objects.replace(WORKFLOWS, *self._key, outcome.workflow)
        for node_id in outcome.stop:
            if node_id in self._tasks:
                self._tasks[node_id].cancel()
        self._label_completed(outcome.workflow)
        return outcome

    def _decide(self, workflow: JsonObject) -> Outcome:
        try:
            return operate(workflow, self._states, self._machine.clock())
        except Exception as error:  # noqa: BLE001 - a defect on one workflow must not stop the others
            _log.exception(
                "the local engine failed on a workflow", workflow=self._key[1], namespace=self._key[0]
            )
            finish(workflow, "Error", f"the local engine failed: {type(error).__name__}", self._machine.now())
            return Outcome(workflow)

    def _create(self, workflow: JsonObject, request: PodRequest) -> None:
        namespace = self._key[0]
        with suppress(ApiError):  # what is left of a pod of that name, before a retry
            self._objects.delete(PODS, namespace, request.pod_name, AT_ONCE)
        try:
            pod = self._objects.create(PODS, namespace, pods.manifest(workflow, request))
        except ApiError as error:
            self._states[request.node_id] = PodState("Error", str(error), finished_at=self._machine.now())
            self.wake()
            return
        self._pods[request.node_id] = pod
        self._states[request.node_id] = PodState()
        self._labelled.discard(request.node_id)
        run = PodRun(self._machine, request, pod, lambda state: self._report(request.node_id, state))
        self._tasks[request.node_id] = asyncio.create_task(self._run_pod(run, request))

    async def _run_pod(self, run: PodRun, request: PodRequest) -> None:
        try:
            await run.run()
        except Exception as error:  # noqa: BLE001 - a defect on one pod ends that pod
            _log.exception("the local engine failed on a pod", pod=request.pod_name, namespace=self._key[0])
            message = f"the local engine failed: {type(error).__name__}"
            self._report(request.node_id, PodState("Error", message, finished_at=self._machine.now()))
        finally:
            self._bury(request.pod_name)

    def _bury(self, name: str) -> None:
        """Confirm the end of a pod that is being deleted, as its kubelet does."""
        with suppress(ApiError):
            if "deletionTimestamp" in self._objects.get(PODS, self._key[0], name)["metadata"]:
                self._objects.delete(PODS, self._key[0], name, AT_ONCE)

    def _report(self, node_id: str, state: PodState) -> None:
        if node_id in self._states:
            self._states[node_id] = state
        self.wake()

    def _label_completed(self, workflow: JsonObject) -> None:
        for node in (workflow["status"].get("nodes") or {}).values():
            if fulfilled(node) and node["id"] in self._pods and node["id"] not in self._labelled:
                self._labelled.add(node["id"])
                with suppress(ApiError):
                    patch = {"metadata": {"labels": {pods.COMPLETED_LABEL: "true"}}}
                    self._objects.merge_patch(
                        PODS, self._key[0], self._pods[node["id"]]["metadata"]["name"], patch
                    )

    def _make_claims(self, workflow: JsonObject) -> None:
        """Make the claims of `volumeClaimTemplates`; once the workflow succeeded, delete them (`volumeClaimGC`)."""
        for template in workflow["spec"].get("volumeClaimTemplates") or []:
            metadata = template.get("metadata") or {}
            name = claim_name(workflow, template)
            if workflow["status"]["phase"] == "Succeeded":
                claims.delete(self._objects, self._key[0], name)
            elif "finishedAt" not in workflow["status"]:
                with suppress(ApiError):
                    owner = pods.owner_reference(workflow)
                    claim = {**template, "metadata": {**metadata, "name": name, "ownerReferences": [owner]}}
                    self._objects.create(CLAIMS, self._key[0], claim)

    async def _wait(self, wake_at: datetime | None) -> None:
        seconds = None
        if wake_at is not None:
            seconds = max((wake_at - self._machine.clock()) / timedelta(seconds=1), 0.0) + 0.001
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    async def _settle(self) -> None:
        """Kill the pods that nobody waits for any more, and wait for the ends of all."""
        for node_id, task in self._tasks.items():
            if self._states.get(node_id, PodState()).phase in {"Pending", "Running"}:
                task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _expire(self, workflow: JsonObject) -> None:
        """Delete the finished workflow when its `ttlStrategy` says so; one that goes on meanwhile is left alone."""
        ttl: Mapping[str, int] = workflow["spec"].get("ttlStrategy") or {}
        seconds = ttl.get(_TTL_FIELDS[workflow["status"]["phase"]], ttl.get("secondsAfterCompletion"))
        if seconds is None:
            return
        end = self._machine.clock() + timedelta(seconds=float(seconds))
        with suppress(ApiError):
            while self._machine.clock() < end:
                self._changed.clear()
                await self._wait(end)
                if "finishedAt" not in self._objects.get(WORKFLOWS, *self._key)["status"]:
                    return
            self._objects.delete(WORKFLOWS, *self._key)
