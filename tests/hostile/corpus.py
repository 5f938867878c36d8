"""The corpus: all attacks, by family."""

from __future__ import annotations

from collections.abc import Mapping

from attack import Attack
from attacks_starlark import DEEP, FLOODS, MEMORY_BOMBS, MODULES, TIME_BOMBS
from attacks_workflows import BREADTH, PRETENDERS, SIZES, STRANGERS
from attacks_yaml import BOMBS, NAMES, TRICKS

CORPUS: Mapping[str, tuple[Attack, ...]] = {
    "memory": MEMORY_BOMBS,
    "time": TIME_BOMBS,
    "output": FLOODS,
    "depth": DEEP,
    "modules": MODULES,
    "yaml bombs": BOMBS,
    "yaml tricks": TRICKS,
    "names": NAMES,
    "strangers": STRANGERS,
    "pretenders": PRETENDERS,
    "sizes": SIZES,
    "breadth": BREADTH,
}
