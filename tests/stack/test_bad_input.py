"""What is wrong ends in a concluded check-run that says what and where, and the server goes on as before."""

from __future__ import annotations

import pytest
from tests_stack import PASSING, Scene, SharedScene

BOMB = "\n".join(
    [
        "a0: &a0 [x, x]",
        *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)),
        "kind: Workflow",
    ]
)

HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n"

DEFINITIONS = [
    # name of the case, file, content, what the check-run says, line of the annotation (0: none)
    ("yaml that is none", "ci.yaml", "kind: Workflow\nspec: [", ".kube-ci/ci.yaml:", 0),
    ("two documents", "ci.yaml", "kind: Workflow\n---\nkind: Workflow\n", "document", 0),
    (
        "another kind",
        "ci.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: CronWorkflow\nspec: {}\n",
        "CronWorkflow",
        0,
    ),
    ("a duplicate key", "ci.yaml", "kind: Workflow\nkind: Workflow\n", ".kube-ci/ci.yaml:2:", 2),
    ("an anchor bomb", "ci.yaml", BOMB, ".kube-ci/ci.yaml:", 0),
    ("ten megabytes", "ci.yaml", "# " + "x" * 10_000_000, "ci.yaml", 0),
    ("a list for a mapping", "ci.yaml", HEAD + "spec:\n  templates: {}\n", ".kube-ci/ci.yaml:4:", 4),
    (
        "no entrypoint",
        "ci.yaml",
        HEAD + "spec:\n  templates: []\n",
        "error finding workflow endpoint",
        0,
    ),
    ("a loop", "ci.star", "def f():\n    for i in range(1000000000):\n        pass\nf()\n", "CPU", 0),
    ("recursion", "ci.star", "def f():\n    f()\nf()\n", "recurs", 0),
    ("memory", "ci.star", "x = 'a' * 2000000000 * 10\n", "ci.star", 0),
    ("nested brackets", "ci.star", "x = " + "[" * 60_000 + "\n", "ci.star", 0),
    ("loads itself", "ci.star", 'load("ci.star", "x")\n', "ci.star", 0),
    ("raises", "ci.star", "x = 1\nfail('on purpose')\n", ".kube-ci/ci.star:2:", 2),
    ("a syntax error", "ci.star", "x = 1\ny = (\n", ".kube-ci/ci.star:", 0),
    ("no global", "ci.star", "x = 1\n", "workflow", 0),
    ("a function in the result", "ci.star", "workflow = {'spec': {'x': [print]}}\n", "workflow", 0),
]


@pytest.mark.parametrize(
    ("file", "content", "says", "line"), [case[1:] for case in DEFINITIONS], ids=[c[0] for c in DEFINITIONS]
)
async def test_a_wrong_definition_is_a_failed_check_run(
    still: SharedScene, file: str, content: str, says: str, line: int
) -> None:
    sha = await still.push({f".kube-ci/{file}": content})
    run = await still.concluded(sha)
    assert (run.name, run.conclusion) == ("Default Workflow", "failure")
    summary = str(run.output["summary"])
    assert summary.startswith(("unable to parse workflow, ", "error finding workflow endpoint, "))
    assert says in summary
    if line:
        assert [(each["path"], each["start_line"]) for each in run.annotations] == [
            (f".kube-ci/{file}", line)
        ]
    # The next event is answered and built as if nothing had been.
    following = await still.push(PASSING | {f".kube-ci/{file}": PASSING.get(f".kube-ci/{file}")})
    await still.until(lambda: [each for each in still.runs(following) if each.name == "Workflow - ci"])


async def test_a_misspelt_field_is_a_warning_with_a_suggestion_on_the_check_run(scene: SharedScene) -> None:
    text = str(PASSING[".kube-ci/ci.yaml"]).replace(
        "image: alpine", "image: alpine\n      imagePullPolice: Always"
    )
    sha = await scene.push({".kube-ci/ci.yaml": text})
    run = await scene.concluded(sha)
    assert "imagePullPolicy" in str(run.output["summary"])


async def test_a_refusal_is_not_a_workflow_check(still_strict: SharedScene) -> None:
    sha = await still_strict.push(PASSING, branch="feature")
    run = await still_strict.concluded(sha)
    assert (run.name, run.conclusion) == ("Default Workflow", "neutral")
    assert "do not match `^main$`" in str(run.output["summary"])
    # Asked for by a person, it is built, and the refusal asks for nothing any more.
    await still_strict.stack.github.rerequest(run.id)
    await still_strict.until(
        lambda: [each for each in still_strict.runs(sha) if each.name == "Workflow - ci"]
    )
    await still_strict.until(lambda: "superseded by" in str(run.output["summary"]))
    assert run.conclusion == "neutral"


async def test_what_the_cluster_refuses_is_said_on_the_check_run(still_alone: Scene) -> None:
    still_alone.stack.cluster.faults.add("POST", r"/workflows\?", status=403, times=1)
    sha = await still_alone.push(PASSING)
    run = await still_alone.concluded(sha)
    assert (run.name, run.conclusion) == ("Workflow - ci", "failure")
    assert str(run.output["summary"]).startswith("argo workflow creation failed, ")
