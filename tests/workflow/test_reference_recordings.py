"""What a controller ran has no error, and what it refused has one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from reference_kit import told

ROOT = Path(__file__).parents[2]
RECORDINGS = sorted((ROOT / "tests" / "data" / "argo-recordings").iterdir())
EXAMPLES = Path(os.environ.get("KUBECI_ARGO_EXAMPLES", ROOT.parent / "shared" / "data" / "argo-examples"))


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.name)
def test_what_a_controller_ran_has_no_error_and_what_it_refused_has_one(recording: Path) -> None:
    if not (recording / "workflow.yaml").exists():
        pytest.skip("no manifest kept")
    errors = [line for line in told((recording / "workflow.yaml").read_text()) if line.startswith("error")]
    expected = {
        "12-invalid-undefined-template": [
            "error 14:32 undefined-template: there is no template `deploy`; the templates are `pipeline`, `build`"
        ]
    }
    assert errors == expected.get(recording.name, [])


@pytest.mark.skipif(
    not EXAMPLES.is_dir(),
    reason="the examples of argo-workflows are not here: set KUBECI_ARGO_EXAMPLES to the folder `examples` of a checkout of v4.1.2",
)
def test_every_example_of_argo_passes() -> None:
    refused: dict[str, list[str]] = {}
    for path in sorted(EXAMPLES.rglob("*.yaml")):
        for text in path.read_text().split("\n---\n"):
            if "\nkind: Workflow\n" not in f"\n{text}":
                continue
            errors = [line for line in told(text) if line.startswith("error")]
            if errors:
                refused[path.name] = errors
    assert refused == {}
