"""What the tests of references share: small workflows, and what is told of them."""

from __future__ import annotations

from kubeci.definition.yaml_reader import read_yaml
from kubeci.workflow.references import Run, reference_problems

BUILD = "\n  - name: build\n    container: {image: alpine}\n"
TAKES = "\n  - {name: takes, inputs: {parameters: [{name: os}]}, script: {source: 'echo {{inputs.parameters.os}}'}}\n"


def told(text: str, run: Run | None = None) -> list[str]:
    manifest, positions = read_yaml(text, "ci.yaml")
    found = reference_problems(manifest, positions, "ci.yaml", run or Run())
    return [
        f"{problem.severity} {problem.where.line}:{problem.where.column} {problem.rule}: {str(problem).split(': ', 1)[1]}"
        for problem in found
    ]


def told_like(expected: list[str], text: str) -> list[str]:
    """Give what is told of a workflow as `expected` is written: whole lines, or the names of the rules alone."""
    found = told(text)
    if expected and " " not in expected[0]:
        found = [line.split()[2].removesuffix(":") for line in found]
    return found


def spec(text: str) -> str:
    """Give a workflow whose spec is `text`; its first line is the second of the file."""
    return "spec:\n" + text


def steps(*lines: str, more: str = BUILD) -> str:
    """Give a workflow with the steps of a template `main`, the first step in line 4."""
    body = "\n".join(f"    {line}" for line in lines)
    return spec(f"  templates:\n  - {{name: main, steps: [\n{body}\n    ]}}{more}")


def tasks(*lines: str, more: str = BUILD) -> str:
    """Give a workflow with the tasks of a template `main`, the first task in line 4."""
    body = "\n".join(f"    {line}," for line in lines)
    return spec(f"  templates:\n  - {{name: main, dag: {{tasks: [\n{body}\n    ]}}}}{more}")
