"""`retryStrategy`: a Retry node with an attempt `NAME(0)`, `NAME(1)`, ... for each try."""

from __future__ import annotations

from dataclasses import replace

from kubeci.local.engine.nodes import Birth, failed, fulfilled
from kubeci.local.engine.operation import Call, CallError, Execute, Operation, Waiting
from kubeci.model.json import JsonObject

RETRIED: dict[str, frozenset[str]] = {
    "Always": frozenset({"Failed", "Error"}),
    "OnFailure": frozenset({"Failed"}),
    "OnError": frozenset({"Error"}),
    "OnTransientError": frozenset(),
}


def run(operation: Operation, call: Call, template: JsonObject, execute: Execute) -> JsonObject:
    """Bring a Retry node forward: wait for the last attempt, end with it, or start the next."""
    nodes = operation.nodes
    inputs = template.get("inputs") or {}
    node = nodes.born(
        Birth(call.node_name, "Retry", call.template, call.boundary, flag=call.flag, inputs=inputs)
    )
    attempts = nodes.children(node)
    number = len(attempts)
    if attempts and not fulfilled(attempts[-1]):
        number -= 1
    elif attempts and (limit := _unreadable(template["retryStrategy"])) is not None and failed(attempts[-1]):
        why = f"value '{limit}' cannot be resolved to an int"
        nodes.mark(node, "Error", why)
        raise CallError(why)
    elif attempts and (message := _end(operation, template["retryStrategy"], attempts)) is not None:
        if outputs := attempts[-1].get("outputs"):
            node["outputs"] = outputs
        return nodes.mark(node, attempts[-1]["phase"], message)
    attempt = replace(
        call,
        node_name=f"{call.node_name}({number})",
        flag={"retried": True},
        scope={**call.scope, "retries": str(number)},
    )
    try:
        nodes.join(node, execute(operation, attempt))
    except Waiting:
        return node
    return node


def _unreadable(strategy: JsonObject) -> object:
    """Give a limit that is no number; None for any other."""
    limit = strategy.get("limit")
    return None if limit is None or str(limit).lstrip("-").isdecimal() else limit


def _end(operation: Operation, strategy: JsonObject, attempts: list[JsonObject]) -> str | None:
    """Give the message with which to end like the last attempt; None to try again."""
    last = attempts[-1]
    if last["phase"] not in RETRIED["Always"]:
        return ""
    if operation.shutdown:
        return f"Stopped with strategy '{operation.shutdown}'"
    if last["phase"] not in RETRIED[strategy.get("retryPolicy") or "OnFailure"]:
        return str(last.get("message", ""))
    limit = strategy.get("limit")
    return "No more retries left" if limit is not None and len(attempts) > int(str(limit)) else None
