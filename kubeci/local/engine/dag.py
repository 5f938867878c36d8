"""A `dag` template: tasks that wait for each other."""

from __future__ import annotations

from kubeci.local.engine.depends import Depends, DependsError, depends_of, satisfied_results
from kubeci.local.engine.items import LoopError, expand, is_loop
from kubeci.local.engine.nodes import COMPLETED, Birth, failed, fulfilled
from kubeci.local.engine.operation import Call, CallError, Execute, Operation, Waiting
from kubeci.local.engine.outputs import loop_variables, node_variables, publish, template_outputs
from kubeci.local.engine.steps import continues_on
from kubeci.local.engine.variables import substitute
from kubeci.local.engine.when import WhenError, should_execute
from kubeci.model.json import JsonObject

_RESULTS = {
    "Succeeded": "Succeeded",
    "Failed": "Failed",
    "Error": "Errored",
    "Skipped": "Skipped",
    "Omitted": "Omitted",
}


def run(operation: Operation, call: Call, template: JsonObject, execute: Execute) -> JsonObject:
    """Bring a DAG node as far as it goes now, and give it."""
    inputs = template.get("inputs") or {}
    node = operation.nodes.born(
        Birth(call.node_name, "DAG", call.template, call.boundary, flag=call.flag, inputs=inputs)
    )
    graph = _Dag(operation, call, template["dag"], node, execute)
    phase = graph.advance()
    if phase == "Running":
        return node
    graph.end_outbound()
    if phase == "Succeeded" and (
        outputs := template_outputs(template, operation.variables | graph.variables())
    ):
        node["outputs"] = outputs
        publish(operation, node)
    return operation.nodes.mark(node, phase)


class _Dag:
    """One pass over a DAG's tasks."""

    def __init__(
        self, operation: Operation, call: Call, dag: JsonObject, node: JsonObject, execute: Execute
    ) -> None:
        self._operation = operation
        self._nodes = operation.nodes
        self._call = call
        self._node = node
        self._execute = execute
        self._tasks: dict[str, JsonObject] = {task["name"]: task for task in dag["tasks"]}
        self._fail_fast = dag.get("failFast") is not False
        self._depends: dict[str, Depends] = {}
        for name, task in self._tasks.items():
            try:
                self._depends[name] = depends_of(task)
            except DependsError:  # the spec was checked before; a template that lost it waits for nothing
                self._depends[name] = Depends(())
        self._targets = (dag.get("target") or "").split() or self._leaves()
        self._visited: set[str] = set()

    def advance(self) -> str:
        """Start what can start, and give the DAG's phase."""
        for target in self._targets:
            self._task(target)
        return self._phase()

    def end_outbound(self) -> None:
        """Note the nodes that end this one."""
        ends = [
            end
            for name in self._targets
            if (node := self._task_node(name))
            for end in self._nodes.outbound(node)
        ]
        if ends:
            self._node["outboundNodes"] = list(dict.fromkeys(ends))

    def variables(self, only: set[str] | None = None) -> dict[str, str]:
        """Give the variables of the finished tasks (of those named)."""
        variables: dict[str, str] = {}
        for name in self._tasks:
            node = self._task_node(name)
            if node is None or not fulfilled(node) or (only is not None and name not in only):
                continue
            variables |= node_variables(f"tasks.{name}", node)
            if node["type"] == "TaskGroup":
                variables |= loop_variables(f"tasks.{name}", self._nodes.children(node))
        return variables

    def _leaves(self) -> list[str]:
        needed = {task for depends in self._depends.values() for task in depends.tasks}
        return sorted(name for name in self._tasks if name not in needed)

    def _name(self, task: str) -> str:
        return f"{self._node['name']}.{task}"

    def _task_node(self, task: str) -> JsonObject | None:
        return self._nodes.get(self._name(task))

    def _ancestors(self, task: str) -> set[str]:
        found: set[str] = set()
        stack = list(self._depends[task].tasks)
        while stack:
            if (name := stack.pop()) not in found:
                found.add(name)
                stack.extend(self._depends[name].tasks)
        return found

    def _task(self, name: str) -> None:
        """Bring a task forward, after those it depends on (without recursion: a chain may be long)."""
        order: list[str] = []
        stack = [(name, iter(self._depends[name].tasks))]
        while stack:
            current, dependencies = stack[-1]
            following = next((task for task in dependencies if task not in self._visited), None)
            if following is not None:
                self._visited.add(following)
                stack.append((following, iter(self._depends[following].tasks)))
            else:
                order.append(current)
                stack.pop()
        for task in order:
            self._one(task)

    def _one(self, name: str) -> None:
        node = self._task_node(name)
        if fulfilled(node):
            return
        task, depends = self._tasks[name], self._depends[name]
        if node is None and depends.tasks:
            if not all(fulfilled(self._task_node(one)) for one in depends.tasks):
                return
            if not depends.holds({one: self._results(one) for one in depends.tasks}):
                self._skipped(name, "Omitted", "omitted: depends condition not met")
                return
        try:
            self._start(task)
        except (WhenError, LoopError) as error:
            self._skipped(name, "Error", str(error))

    def _results(self, name: str) -> frozenset[str]:
        node = self._task_node(name)
        assert node is not None
        results = {_RESULTS[node["phase"]]}
        if results & satisfied_results(self._tasks[name]):
            results.add("")
        if node["type"] == "TaskGroup":
            phases = [child["phase"] for child in self._nodes.children(node)]
            if "Succeeded" in phases:
                results.add("AnySucceeded")
            if phases and set(phases) == {"Failed"}:
                results.add("AllFailed")
        return frozenset(results)

    def _skipped(
        self, name: str, phase: str, message: str, *, task: str = "", parent: JsonObject | None = None
    ) -> None:
        template = self._tasks[task or name]["template"]
        birth = Birth(self._name(name), "Skipped", template, self._node["id"], phase, message, flag={})
        self._join(task or name, self._nodes.born(birth), parent)

    def _join(self, task: str, node: JsonObject, group: JsonObject | None) -> None:
        """Make a node follow what its task depends on, or the group of its loop."""
        dependencies = self._depends[task].tasks
        if group is not None or not dependencies:
            self._nodes.join(group or self._node, node)
            return
        for dependency in dependencies:
            before = self._task_node(dependency)
            for end in self._nodes.outbound(before) if before else []:
                self._nodes.join(self._nodes.by_id[end], node)

    def _start(self, task: JsonObject) -> None:
        name = task["name"]
        scope = self._operation.variables | self.variables(self._ancestors(name))
        resolved = substitute(task, scope)
        if not is_loop(resolved):
            self._run(name, resolved, None)
            return
        expanded = expand(resolved)
        if not expanded:
            self._skipped(name, "Skipped", "Skipped, empty params")
            return
        birth = Birth(self._name(name), "TaskGroup", task["template"], self._node["id"], flag={})
        group = self._nodes.born(birth)
        self._join(name, group, None)
        for one in expanded:
            self._run(name, one, group)
        children = [self._nodes.get(self._name(one["name"])) for one in expanded]
        if all(fulfilled(child) for child in children):
            phases = [child["phase"] for child in children if child and failed(child)]
            self._nodes.mark(group, phases[-1] if phases else "Succeeded")

    def _run(self, task: str, resolved: JsonObject, group: JsonObject | None) -> None:
        node_name = self._name(resolved["name"])
        if self._nodes.get(node_name) is None:
            when = resolved.get("when") or ""
            if not should_execute(when):
                message = f"when '{when}' evaluated false"
                self._skipped(resolved["name"], "Skipped", message, task=task, parent=group)
                return
        call = Call(
            node_name,
            resolved["template"],
            resolved.get("arguments") or {},
            self._node["id"],
            self._call.on_exit,
        )
        try:
            node = self._execute(self._operation, call)
        except Waiting:
            return
        except CallError as error:
            if (errored := self._nodes.get(node_name)) is None:
                raise
            self._nodes.mark(errored, "Error", f"task '{node_name}' errored: {error}")
            node = errored
        self._join(task, node, group)

    def _phase(self) -> str:
        """Give the DAG's phase: an omitted target has that of the branch it stands on."""
        branch = self._branch_phases()
        if branch is None:
            return "Running"
        result = "Succeeded"
        for target in self._targets:
            phase = branch.get(self._name(target))
            if phase is None:
                result = "Running"
                if not self._fail_fast:
                    break
            elif phase in {"Failed", "Error"} and not continues_on(self._tasks[target], phase):
                result = phase
                if self._fail_fast:
                    break
        return result

    def _branch_phases(self) -> dict[str, str] | None:
        """Give for each node name the phase that ends there; None when a node still runs."""
        phases: dict[str, str] = {}
        queue = [(child, "Succeeded") for child in self._node.get("children", [])]
        seen = set(queue)
        while queue:
            node_id, phase = queue.pop(0)
            node = self._nodes.by_id[node_id]
            if not fulfilled(node):
                return None
            phase = node["phase"] if node["phase"] in COMPLETED else phase
            if phases.get(node["name"]) not in {"Failed", "Error"}:
                phases[node["name"]] = phase
            for child in self._following(node):
                if (child, phase) not in seen:
                    seen.add((child, phase))
                    queue.append((child, phase))
        return phases

    def _following(self, node: JsonObject) -> list[str]:
        children: list[str] = node.get("children", [])
        if node["type"] == "Retry" and children:
            return list(self._nodes.by_id[children[-1]].get("children", []))
        return children
