from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeci.local.cluster.history import History
from kubeci.local.cluster.objects import AT_ONCE, FOREGROUND, DeleteOptions, Objects
from kubeci.local.cluster.resources import CLAIMS, LEASES, PODS, WORKFLOWS
from kubeci.local.cluster.selectors import selector
from kubeci.local.cluster.status import ApiError, Expired

NAMES = st.sampled_from(["a", "b", "c"])
RESOURCE = st.sampled_from([WORKFLOWS, PODS, CLAIMS, LEASES])
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), RESOURCE, NAMES, st.sampled_from(["", "a", "b"])),
        st.tuples(st.just("patch"), RESOURCE, NAMES, st.integers(0, 2)),
        st.tuples(
            st.just("delete"), RESOURCE, NAMES, st.sampled_from([AT_ONCE, FOREGROUND, DeleteOptions()])
        ),
    ),
    max_size=30,
)


def _do(objects: Objects, operation: Any) -> None:
    verb, resource, name, how = operation
    try:
        if verb == "create":
            metadata: dict[str, Any] = {"name": name}
            if how:
                owner = objects.get(WORKFLOWS, "ci", how)["metadata"]
                named = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": how}
                metadata["ownerReferences"] = [{**named, "uid": owner["uid"]}]
            objects.create(resource, "ci", {"metadata": metadata, "spec": {"nodeName": "n"}})
        elif verb == "patch":
            objects.merge_patch(
                resource, "ci", name, {"spec": {"n": how}, "metadata": {"labels": {"n": str(how)}}}
            )
        else:
            objects.delete(resource, "ci", name, how)
    except ApiError as error:
        if error.code not in {404, 409}:
            raise


def _follow(state: dict[str, Any], objects: Objects, resource: Any, since: int) -> dict[str, Any]:
    version = since
    for change in objects.cursor(resource, "ci", since).take():
        assert change.resource_version > version
        version = change.resource_version
        name = change.object["metadata"]["name"]
        assert (change.type == "ADDED") == (name not in state)
        if change.type == "DELETED":
            del state[name]
        else:
            state[name] = change.object
    return state


def _listed(objects: Objects, resource: Any) -> dict[str, Any]:
    return {obj["metadata"]["name"]: obj for obj in objects.list(resource, "ci")}


@given(OPERATIONS, OPERATIONS)
@settings(max_examples=60, deadline=None)
def test_a_list_and_the_changes_since_give_the_store(first: list[Any], second: list[Any]) -> None:
    objects = Objects()
    for operation in first:
        _do(objects, operation)
    since = objects.version
    kinds = (WORKFLOWS, PODS, CLAIMS, LEASES)
    states = {kind: _listed(objects, kind) for kind in kinds}
    for operation in second:
        _do(objects, operation)
    for kind in kinds:
        was = {found.key[1]: found.object for found in objects.stored(kind, "ci", at=since)}
        assert was == states[kind]
        assert _follow(states[kind], objects, kind, since) == _listed(objects, kind)


@given(OPERATIONS)
@settings(max_examples=40, deadline=None)
def test_no_owner_is_gone_while_its_dependents_stay(operations: list[Any]) -> None:
    objects = Objects()
    for operation in operations:
        _do(objects, operation)
    uids = {found.uid for kind in (WORKFLOWS, PODS, CLAIMS, LEASES) for found in objects.stored(kind, None)}
    for kind in (WORKFLOWS, PODS, CLAIMS, LEASES):
        for found in objects.stored(kind, None):
            assert found.deleting or not found.owners or uids & set(found.owners)


def test_what_goes_in_and_out_is_a_copy() -> None:
    objects = Objects()
    given_in = {"metadata": {"name": "a"}, "spec": {"x": [1]}}
    out = objects.create(WORKFLOWS, "ci", given_in)
    given_in["spec"]["x"] = 2  # type: ignore[index]  # a mix of types is what JSON is
    out["spec"]["x"].append(3)
    assert objects.get(WORKFLOWS, "ci", "a")["spec"] == {"x": [1]}


def test_history_is_bounded_and_says_so() -> None:
    history = History(1, changes=3)
    objects = Objects(history=history)
    for number in range(5):
        objects.create(LEASES, "ci", {"metadata": {"name": f"l{number}"}})
    assert (history.floor, objects.version) == (3, 6)
    with pytest.raises(Expired):
        objects.cursor(LEASES, "ci", 2).take()
    assert len(objects.cursor(LEASES, "ci", 3).take()) == 3


async def test_watch_waits_for_what_comes() -> None:
    objects = Objects()
    changes = objects.watch(WORKFLOWS, None, objects.version)
    following = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    objects.create(PODS, "ci", {"metadata": {"name": "p"}})
    objects.create(WORKFLOWS, "ci", {"metadata": {"name": "w"}})
    async with asyncio.timeout(5):
        assert (await following).object["metadata"]["name"] == "w"


def _owned(objects: Objects, node: str) -> None:
    owner = objects.create(WORKFLOWS, "ci", {"metadata": {"name": "w"}})["metadata"]
    reference = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": "w", "uid": owner["uid"]}
    spec = {"nodeName": node} if node else {}
    objects.create(PODS, "ci", {"metadata": {"name": "p", "ownerReferences": [reference]}, "spec": spec})


def _changes(objects: Objects, resource: Any) -> list[tuple[str, Any, Any]]:
    found = objects.cursor(resource, None, 1).take()
    metadata = [change.object["metadata"] for change in found]
    grace = [meta.get("deletionGracePeriodSeconds") for meta in metadata]
    return [(c.type, m.get("finalizers"), g) for c, m, g in zip(found, metadata, grace, strict=True)]


def test_background_deletion_takes_the_pods_after_the_workflow() -> None:
    objects = Objects()
    _owned(objects, node="n")
    objects.delete(WORKFLOWS, "ci", "w")
    assert _changes(objects, WORKFLOWS) == [("ADDED", None, None), ("DELETED", None, None)]
    assert _changes(objects, PODS) == [("ADDED", None, None), ("MODIFIED", None, 30)]
    objects.delete(PODS, "ci", "p", AT_ONCE)
    assert _changes(objects, PODS)[2:] == [("MODIFIED", None, 0), ("DELETED", None, 0)]


def test_foreground_deletion_waits_for_the_pods() -> None:
    objects = Objects()
    _owned(objects, node="n")
    marked = objects.delete(WORKFLOWS, "ci", "w", FOREGROUND)
    assert marked["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert [change[0] for change in _changes(objects, WORKFLOWS)] == ["ADDED", "MODIFIED"]
    objects.delete(PODS, "ci", "p", AT_ONCE)
    assert _changes(objects, WORKFLOWS)[1:] == [
        ("MODIFIED", ["foregroundDeletion"], 0),
        ("DELETED", ["foregroundDeletion"], 0),
    ]


def test_orphans_stay() -> None:
    objects = Objects()
    _owned(objects, node="")
    objects.delete(WORKFLOWS, "ci", "w", DeleteOptions(propagation="Orphan"))
    assert "ownerReferences" not in objects.get(PODS, "ci", "p")["metadata"]


def test_a_pod_on_no_node_goes_at_once() -> None:
    objects = Objects()
    _owned(objects, node="")
    objects.delete(WORKFLOWS, "ci", "w")
    assert objects.list(PODS, None) == []


def _mounting(objects: Objects, node: str) -> None:
    objects.create(CLAIMS, "ci", {"metadata": {"name": "cache"}})
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "cache"}}, {"name": "odd"}]
    objects.create(PODS, "ci", {"metadata": {"name": "p"}, "spec": {"volumes": volumes, "nodeName": node}})


def test_a_mounted_claim_stays_until_the_pod_is_deleted() -> None:
    objects = Objects()
    _mounting(objects, node="n")
    assert "deletionTimestamp" in objects.delete(CLAIMS, "ci", "cache")["metadata"]
    objects.merge_patch(PODS, "ci", "p", {"status": {"phase": "Succeeded"}})
    assert len(objects.list(CLAIMS, None)) == 1
    objects.delete(PODS, "ci", "p")
    assert objects.list(CLAIMS, None) == []


def test_a_pod_on_no_node_holds_no_claim() -> None:
    objects = Objects()
    _mounting(objects, node="")
    objects.delete(CLAIMS, "ci", "cache")
    assert objects.list(CLAIMS, None) == []


def test_a_rehearsal_changes_nothing() -> None:
    objects = Objects()
    _owned(objects, node="")
    version = objects.version
    objects.rehearsal().delete(WORKFLOWS, "ci", "w")
    assert (objects.version, len(objects.list(PODS, None))) == (version, 1)


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"name": "Upper"}, "metadata.name"),
        ({"name": "a" * 254}, "metadata.name"),
        ({}, "metadata.name"),
        ({"name": "a", "labels": {"k": "x" * 64}}, "metadata.labels"),
        ({"name": "a", "labels": {"/k": "x"}}, "metadata.labels"),
        ({"name": "a", "labels": {"k": "-x"}}, "metadata.labels"),
        ({"name": "a", "annotations": {"a b": "x"}}, "metadata.annotations"),
        ({"name": "a", "annotations": {"a": "x" * 262_144}}, "metadata.annotations"),
    ],
)
def test_names_that_kubernetes_does_not_accept(metadata: dict[str, Any], field: str) -> None:
    with pytest.raises(ApiError) as refused:
        Objects().create(WORKFLOWS, "ci", {"metadata": metadata})
    assert refused.value.code == 422
    assert (refused.value.details or {})["causes"][0]["field"] == field


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": []},
        {"labels": {"a": 1}},
        {"name": 3},
        {"finalizers": "x"},
        {"ownerReferences": [1]},
        "text",
        [1],
    ],
)
def test_metadata_of_another_shape_cannot_be_read(metadata: Any) -> None:
    objects = Objects()
    objects.create(WORKFLOWS, "ci", {"metadata": {"name": "w"}})
    with pytest.raises(ApiError) as refused:
        objects.create(WORKFLOWS, "ci", {"metadata": metadata})
    assert refused.value.code == 400
    with pytest.raises(ApiError) as refused:
        objects.replace(WORKFLOWS, "ci", "w", {"metadata": metadata})
    assert refused.value.code == 400


def test_a_generated_name_fits_a_label() -> None:
    name = Objects().create(WORKFLOWS, "ci", {"metadata": {"generateName": "a" * 70}})["metadata"]["name"]
    assert len(name) == 63


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("", {"a", "b", "c"}),
        ("x=1", {"a"}),
        ("x==1", {"a"}),
        ("x!=1", {"b", "c"}),
        ("x", {"a", "b"}),
        ("!x", {"c"}),
        ("x in (1, 2)", {"a", "b"}),
        ("x notin (1)", {"b", "c"}),
        ("x,y", {"b"}),
        ("y=", {"b"}),
        ("example.com/k=v", {"c"}),
    ],
)
def test_label_selectors(labels: str, expected: set[str]) -> None:
    objects = Objects()
    for name, held in {"a": {"x": "1"}, "b": {"x": "2", "y": ""}, "c": {"example.com/k": "v"}}.items():
        objects.create(WORKFLOWS, "ci", {"metadata": {"name": name, "labels": held}})
    assert {o["metadata"]["name"] for o in objects.list(WORKFLOWS, "ci", selector(labels))} == expected


@pytest.mark.parametrize(
    "labels", ["=", "a in", "a in (", "a in (b", "a in (b c)", "a b", "a,", "a=b c", "a,,b", "!"]
)
def test_label_selectors_that_cannot_be_parsed(labels: str) -> None:
    with pytest.raises(ApiError) as refused:
        selector(labels)
    assert refused.value.code == 400


@given(st.text(alphabet="ab=!,() inot", max_size=12))
def test_any_text_is_a_selector_or_refused(text: str) -> None:
    try:
        selector(text).matches("ci", "a", {"a": "b"})
    except ApiError as error:
        if error.code != 400:
            raise
