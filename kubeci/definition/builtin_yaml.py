"""`builtin:///encoding/yaml`: YAML read and written as the rest of kubeci does (contract, section 3)."""

from __future__ import annotations

from typing import Any

import yaml

from kubeci.definition.yaml_reader import read_yaml
from kubeci.definition.yaml_scalars import resolve


def loads(source: str) -> Any:
    """Read a YAML document."""
    if not isinstance(source, str):
        raise TypeError("yaml.loads: the source must be a string")
    return read_yaml(source, "yaml.loads")[0]


def dumps(source: Any) -> str:
    """Write a value as YAML, keys sorted; strings that would be read as something else are quoted."""
    return yaml.dump(
        source, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=2**31 - 1, default_flow_style=False
    )


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's own signature
        return True


def _text(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None if _is_plain(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _is_plain(text: str) -> bool:
    try:
        return isinstance(resolve(text), str)
    except ValueError:
        return False


_Dumper.add_representer(str, _text)
