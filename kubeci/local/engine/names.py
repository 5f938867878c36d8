"""Names and ids of nodes and pods, as Argo's controller derives them."""

from __future__ import annotations

import re

POD_PREFIX_LIMIT = 242  # Kubernetes allows 253 characters; ten digits and a dash follow
_POD_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def fnv32a(text: str) -> int:
    """Hash `text` (as UTF-8) with 32 bit FNV-1a."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def node_id(workflow: str, node_name: str) -> str:
    """Give the id of a node: the workflow's name for the root, else with the hash of the node's name."""
    return workflow if node_name == workflow else f"{workflow}-{fnv32a(node_name)}"


def pod_name(workflow: str, node_name: str, template: str) -> str:
    """Give a node's pod name by the rule of `workflows.argoproj.io/pod-name-format: v2`."""
    if node_name == workflow:
        return workflow
    return f"{workflow}-{template}"[:POD_PREFIX_LIMIT] + f"-{fnv32a(node_name)}"


def pod_name_error(name: str) -> str:
    """Say what the API server answers to this pod name; empty when it accepts it."""
    if _POD_NAME.fullmatch(name):
        return ""
    return (
        f'Pod "{name}" is invalid: metadata.name: Invalid value: "{name}": a lowercase RFC 1123 subdomain must consist of '
        "lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character "
        "(e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
    )
