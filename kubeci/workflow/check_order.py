"""The order in which a DAG's tasks run, cycles in it, and templates that call themselves for ever."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

from kubeci.workflow.flaws import Flaw, quoted
from kubeci.workflow.outline import GATES, Call, Outline, Template, first_by_name, text

_OPERAND = re.compile(r"([A-Za-z0-9_][-A-Za-z0-9_]*)(?:\.([A-Za-z]+))?")
_RESULTS = ("Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned", "AnySucceeded", "AllFailed")
_SHOWN = 10  # names of a cycle that are written out


class Order:
    """Which tasks of a DAG come before which."""

    def __init__(self, template: Template) -> None:
        self.tasks = first_by_name(call for call in template.calls if call.kind == "task")

    @cached_property
    def needs(self) -> dict[str, list[str]]:
        """The tasks that each task waits for, those that are not there left out."""
        return {
            name: [need for need, _ in needed(call) if need in self.tasks]
            for name, call in self.tasks.items()
        }

    def is_before(self, first: str, then: str) -> bool:
        """Say whether a task has ended, in whatever way, when another starts."""
        number = self._numbers.get(first)
        return number is not None and bool(self._before.get(then, 0) >> number & 1)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.tasks)}

    @cached_property
    def _before(self) -> dict[str, int]:
        """For each task the set of those before it, as the bits of a number: thousands of tasks stay cheap."""
        before: dict[str, int] = {}
        for name in _post_order(self.needs):
            bits = 0
            for need in self.needs[name]:
                bits |= before.get(need, 0) | 1 << self._numbers[need]
            before[name] = bits
        return before


def needed(task: Call) -> Iterator[tuple[str, str]]:
    """Give the tasks that a task waits for, each with the result it waits for, if it names one."""
    listed = task.body.get("dependencies")
    for name in listed if isinstance(listed, list) else ():
        if isinstance(name, str) and "{{" not in name:
            yield name, ""
    depends = text(task.body.get("depends"))
    if "{{" not in depends:
        for found in _OPERAND.finditer(depends):
            yield found[1], found[2] or ""


def order_flaws(outline: Outline) -> Iterator[Flaw]:
    """Find dependencies on tasks that are not there, cycles, and recursion that nothing ends."""
    for template in outline.templates:
        order = Order(template)
        if order.tasks:
            for task in order.tasks.values():
                yield from _dependencies(task, order)
            yield from _targets(template, order)
            if cycle := _cycle(order.needs):
                yield Flaw(
                    "dependency-cycle", "error", order.tasks[cycle[0]].path,
                    f"the tasks wait for each other: {_arrows(cycle)}", "one of them must not wait",
                )  # fmt: skip
    always = {
        name: [
            call.target
            for call in template.calls
            if call.target in outline.by_name and not _may_not_run(call)
        ]
        for name, template in outline.by_name.items()
    }
    if cycle := _cycle(always):
        yield Flaw(
            "endless-recursion", "warning", outline.by_name[cycle[0]].path,
            f"the templates call each other for ever: {_arrows(cycle)}", "a `when` at one of the calls ends it",
        )  # fmt: skip


def _may_not_run(call: Call) -> bool:
    return any(call.body.get(gate) is not None for gate in GATES) or "." in text(call.body.get("depends"))


def _dependencies(task: Call, order: Order) -> Iterator[Flaw]:
    field = "depends" if task.body.get("depends") else "dependencies"
    path = (*task.path, field)
    if task.body.get("depends") and task.body.get("dependencies"):
        yield Flaw(
            "dependency", "error", path, f"the task {quoted(task.name)} has `depends` and `dependencies`", "choose one"
        )  # fmt: skip
    for name, result in needed(task):
        if name not in order.tasks:
            yield Flaw(
                "dependency", "error", path, f"the task {quoted(task.name)} waits for {quoted(name)}, which is no task here",
                "", name, order.tasks,
            )  # fmt: skip
        elif result and result not in _RESULTS:
            yield Flaw(
                "dependency", "error", path, f"{quoted(result)} is not a result of a task",
                f"the results are {', '.join(_RESULTS)}", result, _RESULTS,
            )  # fmt: skip


def _targets(template: Template, order: Order) -> Iterator[Flaw]:
    target = template.body["dag"].get("target")
    for name in text(target).split(" ") if target else ():
        if "{{" not in name and "}}" not in name and name not in order.tasks:
            path = (*template.path, "dag", "target")
            yield Flaw(
                "dependency",
                "error",
                path,
                f"the target {quoted(name)} is no task here",
                "",
                name,
                order.tasks,
            )


def _post_order(edges: Mapping[str, list[str]]) -> list[str]:
    """Order the names so that what a name leads to comes before it, as far as there is no cycle."""
    done: dict[str, None] = {}
    for start in edges:
        stack = [(start, iter(edges[start]))]
        entered = {start}
        while stack and start not in done:
            name, rest = stack[-1]
            further = next((each for each in rest if each not in done and each not in entered), None)
            if further is None:
                done[name] = None
                stack.pop()
            else:
                entered.add(further)
                stack.append((further, iter(edges.get(further, ()))))
    return list(done)


def _cycle(edges: Mapping[str, list[str]]) -> list[str]:
    """Give the names of one cycle in their order; empty when there is none."""
    done: set[str] = set()
    for start in edges:
        way: dict[str, int] = {start: 0}
        stack = [(start, iter(edges[start]))] if start not in done else []
        while stack:
            name, rest = stack[-1]
            further = next((each for each in rest if each not in done), None)
            if further is None:
                done.add(name)
                way.pop(name)
                stack.pop()
            elif further in way:
                return list(way)[way[further] :]
            else:
                way[further] = len(way)
                stack.append((further, iter(edges.get(further, ()))))
    return []


def _arrows(cycle: list[str]) -> str:
    shown = cycle if len(cycle) <= _SHOWN else [*cycle[: _SHOWN - 1], "…"]
    return " -> ".join(name if name == "…" else quoted(name)[1:-1] for name in [*shown, cycle[0]])
