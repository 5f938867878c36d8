"""Which variables are known where: what Argo's page "Workflow Variables" says, as its controller checks it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from kubeci.workflow.flaws import quoted
from kubeci.workflow.outline import Call, Outline, Template, named

PREFIXES = ("inputs.", "item.", "steps.", "tasks.", "workflow.")
"""What the tags begin with that are judged; others are none of Argo's, or known too late."""
_WORKFLOW = frozenset(
    [
        "name",
        "namespace",
        "uid",
        "mainEntrypoint",
        "serviceAccountName",
        "priority",
        "status",
        "failures",
        "parameters",
        "annotations",
        "labels",
    ]
)
_WORKFLOW_OPEN = (
    "annotations.",
    "labels.",
    "creationTimestamp",
    "scheduledTime",
    "duration",
    "parameters.json",
)
_OF_NODES = frozenset(["id", "startedAt", "finishedAt", "hostNodeName", "status"])
_NO_RESULT = frozenset({"steps", "dag", "suspend"})


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why a variable is not known, and the names that its misspelt part could have meant."""

    message: str
    hint: str = ""
    wrong: str = ""
    known: Collection[str] = ()
    severity: Literal["error", "warning"] = "error"
    rule: str = "unknown-variable"


Judge: TypeAlias = Callable[[str], "Unknown | None"]


def judge_with(rules: Mapping[str, Judge], where: str) -> Judge:
    """Make one judge of several: each knows the tags of one prefix, and gets what comes after it."""

    def judge(tag: str) -> Unknown | None:
        prefix, _, rest = tag.partition(".")
        rule = rules.get(prefix)
        if rule:
            return rule(rest)
        if tag.startswith(PREFIXES) and not rest.startswith("name"):
            hint = "give it as an argument" if prefix in {"steps", "tasks", "item"} else ""
            return Unknown(f"`{{{{{_inside(tag)}}}}}` is not known in {where}", hint)
        return None

    return judge


def workflow_judge(outline: Outline, given: Collection[str]) -> Judge:
    """Judge `workflow.…`; `given` are the parameters that every run gets."""
    names = frozenset(each.name for each in outline.parameters) | frozenset(given)
    outputs = {kind: _global_names(outline, kind) for kind in ("parameters", "artifacts")}

    def judge(rest: str) -> Unknown | None:
        field, _, name = rest.partition(".")
        if rest in _WORKFLOW or rest.startswith(_WORKFLOW_OPEN):
            return None
        if field == "parameters":
            return None if name in names else _no_parameter(name, names)
        if field == "outputs":
            kind, _, name = name.partition(".")
            there = outputs.get(kind, frozenset())
            if there is None or name in there:
                return None
            hint = "an output gets there with `globalName`"
            return Unknown(
                f"no template has an output with the global name {quoted(name)}", hint, name, there
            )
        known = sorted(_WORKFLOW)
        return Unknown(f"there is no variable `workflow.{_inside(rest)}`", "", field, known)

    return judge


def inputs_judge(template: Template, *inner: Template) -> Judge:
    """Judge `inputs.…` in a template, or in one written inline in it."""
    known = {
        kind: [each.name for one in (template, *inner) for each in one.declared("inputs", kind)]
        for kind in ("parameters", "artifacts")
    }
    sets = {kind: frozenset(names) for kind, names in known.items()}

    def judge(rest: str) -> Unknown | None:
        kind, _, name = rest.partition(".")
        if kind not in known:
            return Unknown(f"there is no variable `inputs.{_inside(rest)}`", "", kind, list(known))
        if not name and kind == "parameters":
            return None
        if name in sets[kind] or (kind == "artifacts" and name.removesuffix(".path") in sets[kind]):
            return None
        what = f"the template {quoted(template.name)}" if template.name else "the template"
        name = name.removesuffix(".path") if kind == "artifacts" else name
        return Unknown(
            f"{what} has no input {kind.removesuffix('s')} {quoted(name)}",
            f"declare it in `inputs.{kind}`", name, known[kind],
        )  # fmt: skip

    return judge


def item_judge(call: Call, *, looped_before: bool = False) -> Judge:
    """Judge `item` and `item.…` in a step or task; `looped_before`: the controller lets it pass, and it stays as it is."""
    items = call.body.get("withItems")
    keys: set[str] | None = None
    if isinstance(items, list) and items and not any(isinstance(each, str) for each in items):
        keys = {key for each in items if isinstance(each, dict) for key in each if isinstance(key, str)}
        keys |= {f"[{at}]" for each in items if isinstance(each, list) for at in range(len(each))}

    def judge(rest: str) -> Unknown | None:
        if not call.loops:
            severity: Literal["error", "warning"] = "error" if rest and not looped_before else "warning"
            message = f"the {call.kind} {quoted(call.name)} has no items to go through"
            return Unknown(message, "add `withItems`, `withParam` or `withSequence`", severity=severity)
        if not rest or keys is None or rest in keys:
            return None
        return Unknown(f"the items of {quoted(call.name)} have no {quoted(rest)}", "", rest, keys)

    return judge


def node_fault(call: Call, field: str, outline: Outline) -> Unknown | None:
    """Say what is wrong with `steps.NAME.field` or `tasks.NAME.field`, when that step or task is there."""
    if field in _OF_NODES or call.elsewhere:
        return None
    called = outline.by_name.get(call.target)
    if called is None:
        return None  # told at the call itself, or known only at run time
    what = f"the template {quoted(called.name)}"
    if field == "ip":
        return None if called.body.get("daemon") else Unknown(f"{what} is no daemon and has no address", "")
    if field in {"outputs.result", "exitCode"}:
        if call.loops or not _NO_RESULT.issuperset(called.kinds):
            return None
        return Unknown(
            f"{what} has no `{field}`, since it runs no container itself", "use its `outputs.parameters`"
        )
    outputs, _, rest = field.partition(".")
    kind, _, name = rest.partition(".")
    if outputs != "outputs" or kind not in {"parameters", "artifacts"}:
        return Unknown(
            f"a step or task has no {quoted(field)}", "", field, [*_OF_NODES, "outputs.result", "exitCode"]
        )
    known = [each.name for each in called.declared("outputs", kind)]
    if name in known or (not name and call.loops):
        return None
    return Unknown(
        f"{what} has no output {kind.removesuffix('s')} {quoted(name)}",
        f"declare it in its `outputs.{kind}`", name, known,
    )  # fmt: skip


def _no_parameter(name: str, names: Collection[str]) -> Unknown:
    hint = "declare it in `spec.arguments.parameters`"
    if name == "cacheVolumeClaimName":
        hint = "a build with a cache has it: set the annotation `kube-ci.qutics.com/cacheScope`"
    elif name in {"branch", "tag"}:
        hint = "`refName` is there for branches and tags"
    # The two are alike for no one but a spelling checker.
    known = [each for each in names if {each, name} != {"branch", "tag"}]
    return Unknown(
        f"the workflow has no parameter {quoted(name)}", hint, "" if name in {"branch", "tag"} else name, known,
        rule="unknown-parameter",
    )  # fmt: skip


def _global_names(outline: Outline, kind: str) -> frozenset[str] | None:
    """Name what templates hand to the whole workflow; None: what is called elsewhere may do so, too."""
    names: list[str] = []
    for template in outline.templates:
        if any(call.elsewhere for call in (*template.calls, *template.hooks)):
            return None
        for output in named(template.body.get("outputs"), kind, ()):
            name = output.body.get("globalName")
            names.append(name if isinstance(name, str) else "")
    return None if any("{{" in name for name in names) else frozenset(names)


def _inside(tag: str) -> str:
    return quoted(tag)[1:-1]
