from __future__ import annotations

import copy
from datetime import UTC, datetime

import msgspec
import pytest

from kubeci.errors import DefinitionError
from kubeci.model.build import Build
from kubeci.model.json import JsonObject
from kubeci.model.repository import Commit, Ref, RefType, Repository
from kubeci.model.source import PullRequest
from kubeci.settings.config import Config
from kubeci.workflow import metadata
from kubeci.workflow.decorate import SIZE_LIMIT, Surroundings, decorate

REPOSITORY = Repository("Acme", "Widgets", installation_id=7)
BUILD = Build(
    id="b1",
    commit=Commit(REPOSITORY, "a" * 40),
    ref=Ref("feature/X"),
    entrypoint="main",
    check_name="Workflow - main",
    namespace="ci",
    workflow_name="widgets.feature-x.xabc",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    check_run_id=99,
)
REPO_OBJECT = {
    "ssh_url": "git@github.com:Acme/Widgets.git",
    "git_url": "git://github.com/Acme/Widgets.git",
    "clone_url": "https://github.com/Acme/Widgets.git",
    "default_branch": "trunk",
}
PULL = PullRequest(5, "Add X", "https://github.com/Acme/Widgets/pull/5", False, "trunk", "Acme/Widgets")


def manifest(**spec: object) -> JsonObject:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "x-"},
        "spec": {"entrypoint": "main", "templates": [{"name": "main"}], **spec},
    }


def parameters(workflow: JsonObject) -> dict[str, str]:
    given = workflow["spec"]["arguments"]["parameters"]
    assert len({entry["name"] for entry in given}) == len(given), "Argo refuses duplicate parameters"
    return {entry["name"]: entry["value"] for entry in given}


def test_a_branch_build_gets_the_contracts_parameters() -> None:
    workflow = decorate(
        manifest(), BUILD, Surroundings(REPO_OBJECT, PULL), Config(extra_parameters={"team": "red"})
    )
    assert parameters(workflow) == {
        "repo": "git@github.com:Acme/Widgets.git",
        "repo_git_url": "git://github.com/Acme/Widgets.git",
        "repo_https_url": "https://github.com/Acme/Widgets.git",
        "repoName": "Widgets",
        "orgName": "Acme",
        "revision": "a" * 40,
        "refType": "branch",
        "refName": "feature/X",
        "branch": "feature/X",
        "repoDefaultBranch": "trunk",
        "pullRequestID": "5",
        "pullRequestBaseBranch": "trunk",
        "team": "red",
    }


def test_a_tag_build_without_pull_request_has_empty_strings() -> None:
    build = Build(
        **{**{name: getattr(BUILD, name) for name in Build.__slots__}, "ref": Ref("v1", RefType.TAG)}
    )
    given = parameters(decorate(manifest(), build, Surroundings({}), Config()))
    assert (given["tag"], given["refType"], given["pullRequestID"]) == ("v1", "tag", "")
    assert given["repoDefaultBranch"] == "main"
    assert "branch" not in given


def test_an_authors_parameters_of_our_names_are_replaced_and_others_kept() -> None:
    authors = [{"name": "revision", "value": "evil"}, {"name": "colour", "value": "blue"}]
    given = parameters(
        decorate(manifest(arguments={"parameters": authors}), BUILD, Surroundings({}), Config())
    )
    assert given["revision"] == "a" * 40
    assert given["colour"] == "blue"


def test_metadata_is_ours_where_it_decides_and_the_authors_elsewhere() -> None:
    written = manifest()
    written["metadata"] |= {
        "labels": {"team": "red", "managedBy": "me"},
        "annotations": {"note": "kept", metadata.CHECK_RUN_ID: "1", metadata.DEPLOYMENT_IDS: "{}"},
    }
    meta = decorate(written, BUILD, Surroundings({}, PULL), Config(managed_by="us"))["metadata"]
    assert "generateName" not in meta
    assert (meta["name"], meta["namespace"]) == ("widgets.feature-x.xabc", "ci")
    assert meta["labels"] == {
        "team": "red",
        "managedBy": "us",
        "org": "acme",
        "repo": "widgets",
        "branch": "feature-x",
    }
    assert meta["annotations"] == {
        "note": "kept",
        metadata.SHA: "a" * 40,
        metadata.BRANCH: "feature/X",
        metadata.REPO: "Widgets",
        metadata.ORG: "Acme",
        metadata.INSTALLATION: "7",
        metadata.CHECK_RUN_NAME: "Workflow - main",
        metadata.CHECK_RUN_ID: "99",
        metadata.BUILD_ID: "b1",
        metadata.PR_URL: PULL.url,
        metadata.TITLE: "Add X",
    }


@pytest.mark.parametrize(
    ("authors", "expected"),
    [
        (None, {"secondsAfterCompletion": 259200}),
        ({"secondsAfterCompletion": 86400}, {"secondsAfterCompletion": 86400}),
        ({"secondsAfterSuccess": 5}, {"secondsAfterSuccess": 900}),
    ],
)
def test_an_authors_ttl_is_kept_but_the_end_is_always_seen(
    authors: JsonObject | None, expected: JsonObject
) -> None:
    written = manifest(ttlStrategy=authors) if authors else manifest()
    assert decorate(written, BUILD, Surroundings({}), Config())["spec"]["ttlStrategy"] == expected


def test_tolerations_are_appended_and_the_node_selector_merged() -> None:
    written = manifest(tolerations=[{"key": "a"}], nodeSelector={"disk": "ssd", "zone": "x"})
    config = Config(tolerations=({"key": "b"},), node_selector={"zone": "y"})
    spec = decorate(written, BUILD, Surroundings({}), config)["spec"]
    assert spec["tolerations"] == [{"key": "a"}, {"key": "b"}]
    assert spec["nodeSelector"] == {"disk": "ssd", "zone": "y"}


def test_the_authors_manifest_is_not_touched() -> None:
    written = manifest(arguments={"parameters": [{"name": "revision", "value": "x"}]})
    before = copy.deepcopy(written)
    decorate(written, BUILD, Surroundings({}), Config())
    assert written == before


def test_a_workflow_that_no_cluster_takes_is_refused_with_its_size() -> None:
    with pytest.raises(DefinitionError, match=r"1,\d{3},\d{3} bytes large"):
        decorate(manifest(podSpecPatch="x" * 1_000_000), BUILD, Surroundings({}), Config())


def keys(count: int) -> dict[str, object]:
    """Give a spec with a map of so many keys of seven characters: 13 bytes each, and 15 where the API server notes them."""
    return {"podMetadata": {"annotations": {f"a/{n:05d}": "" for n in range(count)}}}


def test_keys_of_maps_count_twice_since_the_api_server_notes_each() -> None:
    decorate(manifest(**keys(35_000)), BUILD, Surroundings({}), Config())
    with pytest.raises(DefinitionError, match=r"1,0\d\d,\d{3} bytes large \(keys of maps count twice\)"):
        decorate(manifest(**keys(36_000)), BUILD, Surroundings({}), Config())


def test_a_workflow_of_many_steps_counts_once() -> None:
    steps = [
        {"name": f"s{n:04d}", "container": {"image": "alpine", "args": ["x" * 440]}} for n in range(1_900)
    ]
    written = manifest(templates=steps)
    assert len(msgspec.json.encode(written)) > 940_000
    decorate(written, BUILD, Surroundings({}), Config())


def test_the_limit_is_reached_and_not_passed() -> None:
    def decorated(letters: int) -> JsonObject:
        return decorate(manifest(podSpecPatch="x" * letters), BUILD, Surroundings({}), Config())

    with pytest.raises(DefinitionError) as told:
        decorated(SIZE_LIMIT)
    size = int(str(told.value).split("is ")[1].split(" bytes")[0].replace(",", ""))
    assert decorated(2 * SIZE_LIMIT - size)
    with pytest.raises(DefinitionError):
        decorated(2 * SIZE_LIMIT - size + 1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1", True), ("t", True), ("True", True), ("0", False), ("F", False), ("false", False)],
)
def test_switches_are_read_as_go_reads_booleans(value: str, expected: bool) -> None:
    written = {"metadata": {"annotations": {metadata.RUN_FOR_TAG: value}}}
    assert metadata.switch(written, metadata.RUN_FOR_TAG, default=not expected) is expected


@pytest.mark.parametrize("value", ["yes", "on", "tRUE", "", "2"])
def test_a_switch_that_is_no_boolean_is_reported(value: str) -> None:
    written = {"metadata": {"annotations": {metadata.RUN_FOR_TAG: value}}}
    with pytest.raises(DefinitionError, match="runForTag"):
        metadata.switch(written, metadata.RUN_FOR_TAG, default=False)
