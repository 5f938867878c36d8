"""The example projects that come with kubeci, and how their check-runs are expected to end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import kubeci
from kubeci.local.github.repositories import Entry, Files, executable, symlink
from kubeci.local.github.state import CheckRun

EXPECTED_FILE = "expected.yaml"


@dataclass(frozen=True, slots=True)
class Expected:
    """How one check-run ends; `annotations` are compared by the keys that they give."""

    conclusion: str
    annotations: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A project to push, and its expected check-runs by name."""

    name: str
    files: Files
    expected: Mapping[str, Expected]


def load_example(name: str) -> Example:
    """Read an example project; it stands in the installed package, or beside it in a checkout."""
    package = Path(kubeci.__file__).parent
    found = next(
        (root / name for root in (package / "examples", package.parent / "examples") if root.is_dir()), None
    )
    if found is None or not found.is_dir():
        raise FileNotFoundError(f"the example project {name!r} is not installed beside kubeci")
    files = {
        path.relative_to(found).as_posix(): _entry(path)
        for path in sorted(found.rglob("*"))
        if (path.is_file() or path.is_symlink()) and "__pycache__" not in path.parts
    }
    document = yaml.safe_load((found / EXPECTED_FILE).read_text(encoding="utf-8"))
    expected = {
        check: Expected(wanted["conclusion"], tuple(wanted.get("annotations", ())))
        for check, wanted in document.items()
    }
    return Example(name, files, expected)


def _entry(path: Path) -> bytes | Entry:
    if path.is_symlink():
        return symlink(str(path.readlink()))
    content = path.read_bytes()
    return executable(content) if path.stat().st_mode & 0o100 else content


def differences(expected: Mapping[str, Expected], runs: Mapping[str, CheckRun]) -> list[str]:
    """Say in sentences where check-runs ended otherwise than expected; `runs` are by name."""
    found = [f"check-run `{name}` was not expected" for name in runs if name not in expected]
    for name, wanted in expected.items():
        run = runs.get(name)
        if run is None:
            found.append(f"there is no check-run `{name}`")
            continue
        if run.conclusion != wanted.conclusion:
            found.append(f"`{name}` ended as {run.conclusion or run.status}, expected {wanted.conclusion}")
        shown = [_plain(annotation) for annotation in run.annotations]
        lacking = [
            each for each in wanted.annotations if not any(each.items() <= one.items() for one in shown)
        ]
        found += [f"`{name}` lacks the annotation {dict(each)}" for each in lacking]
        if len(shown) != len(wanted.annotations):
            found.append(f"`{name}` has {len(shown)} annotations, expected {len(wanted.annotations)}")
    return found


def _plain(annotation: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "path": annotation["path"],
        "line": annotation["start_line"],
        "level": annotation["annotation_level"],
        "message": annotation["message"],
    }
