from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from kubeci.definition.definition import Definition, EvaluationFailed
from kubeci.definition.loader import ContextNames, Inputs, load_definition
from kubeci.definition.sandbox import Sandbox
from kubeci.errors import DefinitionError

YAML = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: yaml}\n"
STAR = 'workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "star"}}\n'
INPUTS = Inputs("main", "branch", "0" * 40)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as sandbox:
        yield sandbox


async def load(files: dict[str, str], sandbox: Sandbox, **more: Any) -> Definition | None:
    return await load_definition(files, INPUTS, ContextNames(), sandbox, **more)


async def test_which_file_wins(sandbox: Sandbox) -> None:
    cases: list[tuple[dict[str, str], tuple[str, str] | None]] = [
        ({}, None),
        ({"other.yaml": YAML, "sub/ci.star": STAR}, None),
        ({"ci.yaml": YAML}, ("ci.yaml", "yaml")),
        ({"ci.star": STAR}, ("ci.star", "star")),
        ({"ci.star": STAR, "ci.yaml": "not: read: at all"}, ("ci.star", "star")),
        ({"ci.star": "workflow = None", "ci.yaml": YAML}, ("ci.yaml", "yaml")),
        ({"ci.star": "workflow = None"}, None),
    ]
    for files, expected in cases:
        found = await load(files, sandbox)
        assert (found and (found.path, found.manifest["metadata"]["name"])) == expected


async def test_other_names(sandbox: Sandbox) -> None:
    names = ContextNames(folder=".ci", yaml_file="build.yaml", starlark_file="build.star")
    found = await load_definition({"build.star": STAR, "ci.star": "fail()"}, INPUTS, names, sandbox)
    assert found is not None
    assert found.path == "build.star"
    with pytest.raises(DefinitionError, match=r"^\.ci/build\.yaml:1:1: "):
        await load_definition({"build.yaml": "- 1"}, INPUTS, names, sandbox)


async def test_prints_survive_none_and_errors(sandbox: Sandbox) -> None:
    found = await load({"ci.star": "print('to yaml')\nworkflow = None", "ci.yaml": YAML}, sandbox)
    assert found is not None
    assert found.prints == ("ci.star:1: to yaml",)
    with pytest.raises(EvaluationFailed) as caught:
        await load({"ci.star": "print('here')\nfail('there')"}, sandbox)
    assert caught.value.prints == ("ci.star:1: here",)
    assert str(caught.value).startswith(".kube-ci/ci.star:2:1: fail: there\n")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"ci.yaml": "a: b: c"},
            ".kube-ci/ci.yaml:1:5: is no YAML: mapping values are not allowed in this context",
        ),
        (
            {"ci.star": "load('lib/a.star', 'x')", "lib/a.star": "x = 1 // 0"},
            ".kube-ci/lib/a.star:1:5: Floor division by zero: 1 // 0",
        ),
        ({"ci.yaml": "#" * 10_000_000}, ".kube-ci/ci.yaml: has more than 1,000,000 bytes"),
        (
            {"ci.star": STAR, "data": "x" * 5_000_000},
            ".kube-ci/ci.star: the files of the folder have more than 4,000,000 bytes together",
        ),
        ({"ci.star": "#" * 100_000}, ".kube-ci/ci.star: has more than 64 KB"),
        (
            {"ci.star": STAR + "# \ud800"},
            ".kube-ci/ci.star: the files of the folder are not all Unicode (surrogates not allowed)",
        ),
    ],
)
async def test_errors_have_the_folder_in_their_path(
    sandbox: Sandbox, files: dict[str, str], message: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        await load(files, sandbox)
    assert str(caught.value).splitlines()[0] == message


async def test_a_definition_that_was_kept_out_is_no_absence(sandbox: Sandbox) -> None:
    problems = ("ci.yaml: has 10,000,000 bytes; a file of the CI folder may have 1,000,000",)
    with pytest.raises(DefinitionError, match=r"^\.kube-ci/ci\.yaml: has 10,000,000 bytes"):
        await load({}, sandbox, problems=problems)
    found = await load({"ci.star": STAR}, sandbox, problems=problems)
    assert found is not None


async def test_inputs_reach_starlark_as_dicts(sandbox: Sandbox) -> None:
    source = 'workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"a": [input.repo, input.event, input.ref_type]}}'
    inputs = Inputs("v1", "tag", "0" * 40, {"id": 2**53 + 1, "gone": None}, {"text": "half \ud83d"})
    found = await load_definition({"ci.star": source}, inputs, ContextNames(), sandbox)
    assert found is not None
    assert found.manifest["metadata"]["a"] == [{"id": 2**53 + 1}, {"text": "half ?"}, "tag"]
