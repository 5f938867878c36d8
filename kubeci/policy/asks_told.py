"""The refusal of what a workflow asks for, in words for its author, who may not be the one to allow it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kubeci.policy.asks import RUN_TIME, RefusedAsk
from kubeci.settings.asks import NAMELESS, Ask
from kubeci.workflow.faults import Path
from kubeci.workflow.flaws import quoted
from kubeci.workflow.schema import LIMIT, Problem, place

RULE = "workflow-policy"
"""The name of these problems, for machines."""
_SHOWN = 5  # patterns of a rule that are told
_LONGEST = 160
_PLAIN = re.compile(r"[A-Za-z/_][-\w./]*")
_NO_TEXT = frozenset({"true", "false", "null", "yes", "no", "on", "off"})

WORDS: Mapping[Ask, str] = {
    Ask.AFFINITY: "nodes by affinity",
    Ask.ARTIFACT_REPOSITORIES: "the artifact repository",
    Ask.ARTIFACT_STORES: "a place of its own choice in the artifact store",
    Ask.CAPABILITIES: "the capability",
    Ask.CLAIMS: "the persistent volume or claim",
    Ask.CLUSTER_WORKFLOW_TEMPLATES: "the ClusterWorkflowTemplate",
    Ask.CONFIG_MAPS: "the ConfigMap",
    Ask.HOST_NETWORK: "the node's network",
    Ask.HOST_PATHS: "the node's path",
    Ask.HOST_PORTS: "the node's port",
    Ask.MEMOIZATION: "results kept in the ConfigMap",
    Ask.NAMESPACES: "something of the namespace",
    Ask.NODE_SELECTORS: "nodes with the label",
    Ask.OBJECT_METADATA: "a hold on the workflow object by",
    Ask.PLUGINS: "the plugin",
    Ask.POD_METADATA: "pods with the label or annotation",
    Ask.POD_SPEC_PATCH: "a change to the whole pod",
    Ask.PRIORITY_CLASSES: "the priority class",
    Ask.PRIVILEGED: "a privileged container",
    Ask.PROBE_HOSTS: "requests from the node to the host",
    Ask.RESOURCE_CLAIMS: "the resource claim",
    Ask.RESOURCE_TEMPLATES: "objects of the cluster, with the action",
    Ask.SCHEDULERS: "the scheduler",
    Ask.SECRETS: "the secret",
    Ask.SECURITY_PROFILES: "a weaker isolation,",
    Ask.SERVICE_ACCOUNT_TOKENS: "a token of its service account for the audience",
    Ask.SERVICE_ACCOUNTS: "the service account",
    Ask.STORAGE_CLASSES: "the storage class",
    Ask.SYNCHRONIZATION: "the mutex or semaphore",
    Ask.SYSCTLS: "the kernel parameter",
    Ask.TOLERATIONS: "nodes with the taint",
    Ask.UNKNOWN_FIELDS: "what nobody here can judge, the unknown field",
    Ask.VOLUME_KINDS: "a volume of the kind",
    Ask.WORKFLOW_TEMPLATES: "the WorkflowTemplate",
}


def problems_of(
    refused: tuple[RefusedAsk, ...], positions: Mapping[str, tuple[int, int]], path: str, *, untrusted: bool
) -> tuple[Problem, ...]:
    """Tell of each refused ask where it stands, what it is, which rule refuses it and what to do; at most `LIMIT`.

    `positions` and `path` are those of the definition, as in `kubeci.workflow.schema.problems`.
    """
    column = f"workflowPolicy.{'untrusted' if untrusted else 'trusted'}"
    whose = "a build of a fork's commit" if untrusted else "a build"
    told = [_problem(each, column, whose) for each in refused[:LIMIT]]
    found = [
        Problem("error", place(each.path, positions, path), message, hint, RULE)
        for each, (message, hint) in zip(refused, told, strict=False)
    ]
    if more := len(refused) - len(found):
        found[-1] = Problem(
            "error", place((), positions, path), f"{more + 1} more asks are refused by `{column}`", rule=RULE
        )
    return tuple(found)


def _problem(refused: RefusedAsk, column: str, whose: str) -> tuple[str, str]:
    ask, setting = refused.ask, f"{column}.{refused.ask}"
    asked_for = f"{WORDS[ask]} {quoted(refused.name)}" if refused.name else WORDS[ask]
    message = f"`{dotted(refused.path)}` asks for {asked_for}, which {whose} may not have: {_rule(refused, setting)}"
    if refused.at_run_time:
        return message, f"write the name itself: what `{RUN_TIME}…}}}}` stands for is known only when it runs"
    allowed = "any" if ask in NAMELESS or not refused.name else f"[{_listed(refused.name)}]"
    return message, f"do without it, or ask who runs this server to allow it with `{setting}: {allowed}`"


def _listed(name: str) -> str:
    """Write a name as it stands in a list of YAML."""
    text = quoted(name).strip("`")
    return text if _PLAIN.fullmatch(text) and text not in _NO_TEXT else f"'{text}'"


def _rule(refused: RefusedAsk, setting: str) -> str:
    if not isinstance(refused.rule, tuple) or not refused.rule:
        return f"`{setting}` is `none`"
    patterns = [quoted(each.source) for each in refused.rule[:_SHOWN]]
    more = ", …" if len(refused.rule) > _SHOWN else ""
    return f"`{setting}` allows {', '.join(patterns)}{more}"


def dotted(path: Path) -> str:
    """Write the way to a field as people do: `spec.templates[0].container`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    line = " ".join(text.encode(errors="replace").decode().replace("`", "'").split())
    return line if len(line) <= _LONGEST else "…" + line[1 - _LONGEST :]
