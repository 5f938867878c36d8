from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.workflow.names import LABEL_LIMIT, label_safe, short_hash, workflow_name


def claim_name(scope: str, *path: str) -> str:
    return label_safe("ci", scope, *path[:2], short_hash("#".join(path))).replace(".", "-")


@pytest.mark.parametrize(
    ("scope", "path", "expected"),
    [
        ("project", ("QubitProducts", "kube-ci"), "ci-project-qubitproducts-kube-ci-x6dwyvrvj"),
        ("branch", ("QubitProducts", "kube-ci", "feature/x"), "ci-branch-qubitproducts-kube-ci-xwu4jncmn"),
        ("project", ("myorg", "my.repo_x"), "ci-project-myorg-my-repo-x-xwzj1-yqz"),
        ("branch", ("myorg", "repo", "1.2-rc"), "ci-branch-myorg-repo-xq-io-yxd"),
        (
            "project",
            ("a-very-long-organisation-name", "a-very-long-repository-name"),
            "isation-name-a-very-long-repository-name-xn5dkgn7c",
        ),
    ],
)
def test_the_hashes_and_labels_are_those_of_the_original(
    scope: str, path: tuple[str, ...], expected: str
) -> None:
    assert claim_name(scope, *path) == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("Feature/Foo_Bar",), "feature-foo-bar"),
        (("1.2-rc",), "rc"),
        (("-.x.-",), "x"),
        (("", "a", "", "b"), "a.b"),
        (("1234",), ""),
        (("ünï",), "n"),
        (("a" * 60 + "-end",), "a" * 46 + "-end"),
        (("a" * 10, "9" + "b" * 49), "b" * 49),
    ],
)
def test_label_safe(parts: tuple[str, ...], expected: str) -> None:
    assert label_safe(*parts) == expected


RFC_1123 = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


@given(st.text(), st.text(), st.text(), st.sampled_from(["", "build", "A very long entrypoint/name"]))
def test_every_workflow_name_is_a_kubernetes_name(
    repo: str, ref: str, build_id: str, entrypoint: str
) -> None:
    name = workflow_name(repo, ref, build_id, entrypoint)
    assert RFC_1123.fullmatch(name)
    assert len(name) <= LABEL_LIMIT


@given(st.lists(st.text(), max_size=6))
def test_a_safe_label_stays_as_it_is(parts: list[str]) -> None:
    label = label_safe(*parts)
    assert len(label) <= LABEL_LIMIT
    assert label_safe(*label.split(".")) == label


def test_a_workflow_is_named_by_repository_entrypoint_ref_and_build() -> None:
    assert (
        workflow_name("widgets", "feature/foo", "a-build")
        == "widgets.feature-foo." + short_hash("a-build").lower()
    )
    long = workflow_name(
        "a-very-long-repository-name", "refs/heads/" + "x" * 60, "a-build", "entry point of mine"
    )
    assert long.startswith("a-very-long-rep.entry-point-of.refs-hea.")
    assert len(long) <= LABEL_LIMIT


def test_two_builds_have_two_names() -> None:
    assert workflow_name("widgets", "main", "one") != workflow_name("widgets", "main", "two")
