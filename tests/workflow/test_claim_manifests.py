"""The claim of a cache volume: its name, its labels, and whose it is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from cache_kit import REPOSITORY, manifest
from hypothesis import assume, given
from hypothesis import strategies as st

from kubeci.model.cache import CacheClaim
from kubeci.model.repository import Repository
from kubeci.workflow import metadata
from kubeci.workflow.claims import belongs_to, claim_manifest, claim_name, repository_labels


@pytest.mark.parametrize(
    ("owner", "name", "branch", "expected"),
    [
        ("QubitProducts", "kube-ci", "", "ci-project-qubitproducts-kube-ci-x6dwyvrvj"),
        ("QubitProducts", "kube-ci", "feature/x", "ci-branch-qubitproducts-kube-ci-xwu4jncmn"),
        ("myorg", "my.repo_x", "", "ci-project-myorg-my-repo-x-xwzj1-yqz"),
        ("myorg", "repo", "1.2-rc", "ci-branch-myorg-repo-xq-io-yxd"),
        (
            "a-very-long-organisation-name",
            "a-very-long-repository-name",
            "",
            "isation-name-a-very-long-repository-name-xn5dkgn7c",
        ),
    ],
)
def test_names_are_those_of_the_contract(owner: str, name: str, branch: str, expected: str) -> None:
    assert claim_name(Repository(owner, name, 1), branch) == expected


def test_the_claim_that_is_created() -> None:
    claim = CacheClaim("deps", "branch", Repository("My.Org", "Repo_x", 1), "a/b", "5Gi", "fast")
    created = claim_manifest(claim, "builds", "ours")
    assert created["metadata"] == {
        "name": "deps",
        "namespace": "builds",
        "labels": {
            "managedBy": "ours",
            "org": "my-org",
            "repo": "repo-x",
            "scope": "branch",
            "cacheHash": created["metadata"]["labels"]["cacheHash"],
        },
        "annotations": {metadata.ORG: "My.Org", metadata.REPO: "Repo_x", metadata.BRANCH: "a/b"},
    }
    assert re.fullmatch(r"x[-a-z0-9]*[a-z0-9]", created["metadata"]["labels"]["cacheHash"])
    assert created["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "5Gi"}},
        "storageClassName": "fast",
    }
    whole = claim_manifest(CacheClaim("deps", "project", REPOSITORY, "", "5Gi"), "builds", "ours")
    assert "cacheHash" not in whole["metadata"]["labels"]
    assert metadata.BRANCH not in whole["metadata"]["annotations"]
    assert "storageClassName" not in whole["spec"]


def claim_of(name: str = "any", **annotations: str) -> dict[str, Any]:
    return {"metadata": {**manifest(**annotations)["metadata"], "name": name, "labels": {"org": "acme"}}}


@pytest.mark.parametrize(
    ("claim", "branch", "expected"),
    [
        (claim_of(org="acme", repo="widgets"), "", True),
        (claim_of(org="ACME", repo="Widgets"), "", True),
        (claim_of(org="acme", repo="widgets"), None, True),
        (claim_of(org="acme", repo="widgets"), "main", False),
        (claim_of(org="acme", repo="widgets", branch="main"), "main", True),
        (claim_of(org="acme", repo="widgets", branch="main"), None, True),
        (claim_of(org="acme", repo="widgets", branch="main"), "", False),
        (claim_of(org="acme", repo="widgets", branch="Main"), "main", False),
        (claim_of(org="acme", repo="widgets", branch="tag:main"), "main", False),
        (claim_of(org="ac-me", repo="widgets"), None, False),
        (claim_of(org="acme", repo="widgets2"), None, False),
        # Some of our annotations: those decide, whatever its name is.
        (claim_of(claim_name(REPOSITORY, ""), org="acme"), "", False),
        (claim_of(claim_name(REPOSITORY, ""), org="acme", repo="gadgets"), "", False),
        (claim_of(claim_name(REPOSITORY, "main"), branch="main"), "main", False),
        # None of them: the name alone.
        (claim_of(), None, False),
        (claim_of(claim_name(REPOSITORY, "")), "", True),
        (claim_of(claim_name(REPOSITORY, "")), None, True),
        (claim_of(claim_name(REPOSITORY, "")), "main", False),
        (claim_of(claim_name(REPOSITORY, "main")), "main", True),
        (claim_of(claim_name(REPOSITORY, "main")), "other", False),
        (claim_of(claim_name(REPOSITORY, "mallory/widgets:main")), "mallory/widgets:main", False),
        ({}, "main", False),
    ],
)
def test_whose_a_claim_is(claim: dict[str, Any], branch: str | None, expected: bool) -> None:
    assert belongs_to(claim, REPOSITORY, branch) is expected


NAMES = st.from_regex(r"[A-Za-z0-9._-]{1,60}", fullmatch=True)
REPOSITORIES = st.builds(Repository, NAMES, NAMES, st.just(1))
BRANCHES = st.one_of(st.just(""), NAMES, st.text(min_size=1, max_size=80))


@given(REPOSITORIES, BRANCHES)
def test_every_name_is_a_dns_label(repository: Repository, branch: str) -> None:
    name = claim_name(repository, branch)
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name)
    assert len(name) <= 50
    claim = CacheClaim(name, "branch", repository, branch, "1Gi")
    for value in claim_manifest(claim, "ci", "kube-ci")["metadata"]["labels"].values():
        assert re.fullmatch(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", value)


@given(REPOSITORIES, REPOSITORIES, BRANCHES)
def test_a_claim_is_its_own_repositorys_alone(one: Repository, other: Repository, branch: str) -> None:
    claim = claim_manifest(CacheClaim("x", "branch", one, branch, "1Gi"), "ci", "kube-ci")
    assert belongs_to(claim, one, branch)
    assert belongs_to(claim, one, None)
    assume(one.full_name.lower() != other.full_name.lower())
    assert not belongs_to(claim, other, None)
    assert not belongs_to(claim, other, branch)


def test_labels_alone_do_not_tell_repositories_apart() -> None:
    one, other = Repository("my.org", "repo", 1), Repository("my-org", "Repo", 1)
    assert repository_labels(one, "kube-ci") == repository_labels(other, "kube-ci")
    assert claim_name(one, "") != claim_name(other, "")
